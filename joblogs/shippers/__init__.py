"""Single files for other machines. They are copied there, so they import nothing of ours."""
