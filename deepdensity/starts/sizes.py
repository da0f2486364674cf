"""How many samples a start is made of."""

import numpy as np

from .._typing import Array
from ..samples.rows import some_rows
from .split_merge import MAX_SAMPLES

__all__ = ["MIN_PER_CLUSTER", "N_NEIGHBORS", "some", "too_few"]

MIN_PER_CLUSTER = 10  # samples; with fewer on average k-means takes over
N_NEIGHBORS = 10


def too_few(n_samples: int, n_clusters: int) -> bool:
    """Whether k-means takes over: one cluster, or too few samples for as many."""
    return n_clusters == 1 or n_samples < MIN_PER_CLUSTER * n_clusters


def some(n_samples: int, random: np.random.RandomState) -> Array:
    """Indices of all samples, or of a random 10,000 of them."""
    return some_rows(n_samples, MAX_SAMPLES, random)
