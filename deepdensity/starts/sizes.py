"""How many samples a start is made of."""

import numpy as np

from .._typing import Array
from ..recipe import MIN_PER_CLUSTER
from ..samples.rows import some_rows

__all__ = ["MAX_SAMPLES", "N_NEIGHBOURS", "some", "too_few"]

MAX_SAMPLES = 10_000  # that make a start, or a graph; the others follow them
N_NEIGHBOURS = 10  # in that graph


def too_few(n_samples: int, n_clusters: int) -> bool:
    """Whether k-means takes over: one cluster, or too few samples for as many."""
    return n_clusters == 1 or n_samples < MIN_PER_CLUSTER * n_clusters


def some(n_samples: int, random: np.random.RandomState) -> Array:
    """Indices of all samples, or of a random 10,000 of them."""
    return some_rows(n_samples, MAX_SAMPLES, random)
