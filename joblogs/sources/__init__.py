"""Conversion of dumps of other systems to records."""
