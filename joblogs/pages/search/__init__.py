"""Search in the logs of a step."""
