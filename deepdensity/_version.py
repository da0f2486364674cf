"""The version, kept where the packaging can read it without importing torch."""

__version__ = "0.1.0"
