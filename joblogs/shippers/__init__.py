"""Single files that are copied to other machines, so they import nothing from this project."""
