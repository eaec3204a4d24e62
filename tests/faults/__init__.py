"""Faults of real processes: after each the same input, sent again, is there once and whole."""
