"""What a method gives back: labels, and what its phases took."""

from typing import NamedTuple

import numpy as np

__all__ = ["Fit", "Phase"]


class Phase(NamedTuple):
    """What a phase of training took."""

    seconds: float
    epochs: float  # passes over the data: a curriculum's epoch is less than one
    steps: int


class Fit(NamedTuple):
    """A finished fit."""

    labels: np.ndarray
    start_labels: np.ndarray | None = None  # of k-means after the pretraining
    phases: dict = {}  # name -> Phase
    device: str = "cpu"
