"""Search over the logs of many jobs."""
