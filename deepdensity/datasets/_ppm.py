"""Colour images in the PPM format, brought to one size."""

import re
from typing import Any

import numpy as np
import torch
from torch.nn.functional import interpolate

from .._typing import Array

__all__ = ["read_ppm", "resize"]

# "P6", width, height and the highest value, with spaces or comments between them, and
# a single space before the bytes
GAP = rb"\s(?:\s|#[^\n]*\n)*"
HEADER = re.compile(rb"P6" + GAP + rb"(\d+)" + GAP + rb"(\d+)" + GAP + rb"255\s")


def read_ppm(content: Any) -> Array:
    """Image of a binary PPM file of one byte a value.

    Parameters
    ----------
    content : bytes

    Returns
    -------
    ndarray of uint8 of shape (height, width, 3)

    Raises
    ------
    ValueError
        If it is another format, or too short.
    """
    header = HEADER.match(content)
    if header is None:
        raise ValueError("no binary PPM image of one byte a value")
    width, height = int(header[1]), int(header[2])
    pixels = np.frombuffer(content, np.uint8, offset=header.end())
    if pixels.size != height * width * 3:
        raise ValueError(
            f"a PPM image of {width} x {height} pixels has {pixels.size} bytes"
        )
    return pixels.reshape(height, width, 3)


def resize(image: Array, height: int, width: int) -> Array:
    """The image in another size, by a triangular window as wide as a new pixel.

    Parameters
    ----------
    image : ndarray of uint8 of shape (h, w, channels)
    height, width : int

    Returns
    -------
    ndarray of uint8 of shape (height, width, channels)
    """
    channels = torch.tensor(image, dtype=torch.float32).movedim(2, 0)
    resized = interpolate(
        channels[None], size=(height, width), mode="bilinear", antialias=True
    )
    return resized[0].round().clamp(0, 255).byte().movedim(0, 2).numpy()
