"""X as a user gives it: its shape, and whether it suits what `fit` has seen."""

import math
from typing import Any

import numpy as np
from scipy import sparse

from .._typing import Samples
from ..utils.user_warnings import warn
from .rows import Rows, is_read_by_slices

__all__ = ["alike", "compare_units", "flatten_samples", "refuse_single"]

MANY_IMAGES, MOST_IMAGES = 10, 1000
UNLIKE = 10.0  # times as wide a span of values


def refuse_single(X: Any, stored: tuple[int, ...]) -> None:
    """Raise ValueError of one image that lacks the first axis."""
    shape = getattr(X, "shape", None)
    if shape == stored and len(stored) > 1 and math.prod(stored) != stored[1]:
        raise ValueError(
            f"X is a single image of shape {shape}: give X[None], an array of one."
        )


def compare_units(X: Any, lowest: float, span: float) -> None:
    """Warn of images whose values span far less, or more, than those of `fit`.

    Such as images in [0, 1] after bytes: they all look black, and fall into one
    cluster. So do those that lie far off. Of fewer than ten it may be so; of many some
    are looked at, and none of arrays that are neither NumPy's nor memory maps.
    """
    if not isinstance(X, np.ndarray) or len(X) < MANY_IMAGES:
        return
    some = X[:: -(-len(X) // MOST_IMAGES)]  # spread over all: X may lie on a disk
    low, high = float(some.min()), float(some.max())
    is_like = span / UNLIKE <= high - low <= UNLIKE * span
    is_near = low >= lowest - UNLIKE * span and high <= lowest + (1 + UNLIKE) * span
    if not (is_like and is_near):
        warn(
            f"The values of X span {high - low:.4g}, from {low:.4g} on, those that "
            f"fit has seen {span:.4g}, from {lowest:.4g} on: give images in the same "
            "units, bytes after bytes.",
            UserWarning,
        )


def alike(shape: tuple[int, ...], fitted: tuple[int, ...]) -> bool:
    """Whether samples of the shape are read as those of `fit`: one channel is none."""
    longer, shorter = sorted((shape, fitted), key=len, reverse=True)
    return shape == fitted or longer in ((*shorter, 1), (1, *shorter))


def flatten_samples(X: Samples) -> tuple[Samples, tuple[int, ...] | None]:
    """(n, ...) as (n, d), and the shape of a sample, None if 2-D; nothing is copied.

    Arrays that are read by slices, and images that lie in memory in another order, are
    Rows then.
    """
    if hasattr(X, "var_names"):
        raise TypeError(
            "X is an AnnData object: begin a pipeline with "
            "deepdensity.single_cell.CountsTransformer(), which reads it, or give the "
            "matrix, X.X or X.layers[...]."
        )
    shape: tuple[int, ...]
    shape = np.shape(X) if isinstance(X, (list, tuple)) else getattr(X, "shape", ())
    sample_shape = tuple(shape[1:]) if len(shape) > 2 else None
    if is_read_by_slices(X):
        return Rows(X), sample_shape
    if sample_shape is None:
        return X, None
    if sparse.issparse(X):
        raise ValueError(
            f"X is sparse and has the shape {shape}: sparse samples must be rows (n, "
            "d); say what images they are by image_shape."
        )
    X = np.asarray(X)
    if X.flags.c_contiguous:
        return X.reshape(shape[0], math.prod(sample_shape)), sample_shape
    return Rows(X), sample_shape
