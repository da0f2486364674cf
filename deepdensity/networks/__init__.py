"""Autoencoders: one class a file, each with ``encode`` and ``decode``."""

from .conv import ConvAutoencoder
from .mlp import MLPAutoencoder
from .transformer import TransformerAutoencoder

__all__ = ["ConvAutoencoder", "MLPAutoencoder", "TransformerAutoencoder"]
