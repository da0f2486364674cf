"""Autoencoders, each with ``encode`` and ``decode``."""

from .conv import ConvAutoencoder
from .conv16 import Conv16Autoencoder
from .mlp import MLPAutoencoder, ShallowAutoencoder
from .transformer import TransformerAutoencoder

__all__ = [
    "Conv16Autoencoder",
    "ConvAutoencoder",
    "MLPAutoencoder",
    "ShallowAutoencoder",
    "TransformerAutoencoder",
]
