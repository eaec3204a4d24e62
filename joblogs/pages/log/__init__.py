"""The page of one log."""
