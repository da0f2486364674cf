"""The papers' tables, rerun: ``python -m benchmarks.papers.accuracy`` and others."""
