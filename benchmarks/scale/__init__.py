"""A store as large as years of use make it, and what every entry point costs then."""
