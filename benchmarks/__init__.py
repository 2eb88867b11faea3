"""Measurements of the queue: `python -m benchmarks` runs them and writes `benchmarks/RESULTS.md`."""
