"""Time and memory of fits by the number of samples: ``python -m benchmarks.scale``."""
