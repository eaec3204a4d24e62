"""An archive of recorded real runs; docs/demo/ records it."""
