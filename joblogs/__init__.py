"""A store for what jobs print on machines."""

__version__ = "1.0.0"
