"""An archive of real runs to look at, and the script that records it."""
