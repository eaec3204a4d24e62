"""The tests: they mirror `joblogs/`."""
