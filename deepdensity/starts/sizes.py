"""How many samples a start is made of."""

import numpy as np

from .._typing import Array

__all__ = ["MIN_PER_CLUSTER", "N_NEIGHBORS", "some"]

MIN_PER_CLUSTER = 10  # samples; with fewer on average k-means takes over
N_NEIGHBORS = 10
MAX_SAMPLES = 10_000  # that a mixture or a graph is made of; the others follow


def some(n_samples: int, random: np.random.RandomState) -> Array:
    """Indices of all samples, or of a random 10,000 of them."""
    if n_samples <= MAX_SAMPLES:
        return np.arange(n_samples)
    return random.choice(n_samples, MAX_SAMPLES, replace=False)
