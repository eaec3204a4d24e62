"""A store for what jobs print on machines."""
