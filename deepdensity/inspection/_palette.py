"""Colours of clusters that the colour-blind can tell apart, too."""

from typing import Any

import numpy as np

from .._typing import Array

__all__ = ["cluster_colours", "ink_on"]

# Okabe and Ito's, but for black, which is for marks, and with yellow last, which is
# faint on white; between them the three furthest from all others for dichromats
FEW = (
    "#E69F00 #56B4E9 #009E73 #0072B2 #D55E00 #CC79A7 #660000 #220088 #665555 #F0E442"
).split()
GOLDEN_ANGLE = np.pi * (3 - np.sqrt(5))  # successive hues never come near each other
LIGHTNESS = (0.50, 0.66, 0.80)  # of OKLab; taken in turns
CHROMA = 0.13

# OKLab (Ottosson 2020): to the cube roots of cone responses, and on to linear sRGB
TO_CONES = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.2914855480],
    ]
)
TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


def cluster_colours(n_clusters: int) -> Array:
    """A colour for each cluster: array (n_clusters, 3) of sRGB in [0, 1].

    Up to ten clusters differ for the colour-blind as well. Of more, neighbours in
    number differ in hue and in lightness; only their numbers, drawn with them, tell all
    apart.
    """
    if n_clusters <= len(FEW):
        return np.array([parse(colour) for colour in FEW[:n_clusters]]).reshape(-1, 3)
    cluster = np.arange(n_clusters)
    hue = cluster * GOLDEN_ANGLE
    lightness = np.take(LIGHTNESS, cluster % len(LIGHTNESS))
    lab = np.stack([lightness, CHROMA * np.cos(hue), CHROMA * np.sin(hue)], axis=1)
    linear = np.clip((lab @ TO_CONES.T) ** 3 @ TO_RGB.T, 0, 1)
    low = linear <= 0.0031308
    colours: Array = np.where(low, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return colours


def parse(colour: Any) -> list[float]:
    """sRGB in [0, 1] of "#rrggbb"."""
    return [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]


def ink_on(colour: Any) -> str:
    """Black or white, whichever is legible on a colour."""
    red, green, blue = colour[:3]
    return "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "white"
