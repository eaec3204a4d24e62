"""How fast, how large: `python -m benchmarks` (docs/performance.md). Run by hand, never a test."""
