"""The highest share of scores: which samples a curriculum or a density core takes."""

import math
from typing import Any

import numpy as np

from .._typing import Array

__all__ = ["ceil_share", "highest_per_cluster"]


def ceil_share(fraction: float, size: int) -> int:
    """ceil(fraction * size), from 1 to size, unmoved by rounding.

    0.05 * 20 is one sample, not two, though a float makes a little more of it.
    """
    return min(size, max(1, math.ceil(fraction * size - 1e-9)))


def highest_per_cluster(score: Any, labels: Array, fraction: float) -> list[Array]:
    """Per occurring label, the indices of its ceil(fraction * size) highest scores.

    Of equal scores the earlier samples are taken.
    """
    order = np.lexsort((-np.asarray(score), labels))  # by label, then highest first
    _, starts = np.unique(np.asarray(labels)[order], return_index=True)
    members = np.split(order, starts[1:])
    return [m[: ceil_share(fraction, len(m))] for m in members]
