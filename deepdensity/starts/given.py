"""Clusters of the user's own to start from: another method's, or known groups."""

from typing import Any

import numpy as np

from .._typing import Array

__all__ = ["given_labels"]


def given_labels(init: Any, n_samples: int, n_clusters: Any) -> Array:
    """`init` as the labels that a fit starts from.

    Parameters
    ----------
    init : array-like of int of shape (n_samples,)
        0 to n_clusters - 1, each of which has samples.
    n_samples : int
    n_clusters : int or "auto"

    Returns
    -------
    int array of shape (n_samples,)

    Raises
    ------
    ValueError
        Where it is anything else; the message says what.
    """
    labels = np.asarray(init)
    if n_clusters == "auto":
        raise ValueError("init holds labels, so that n_clusters must be their number.")
    if labels.shape != (n_samples,) or labels.dtype.kind not in "iu":
        raise ValueError(
            f"init must be the name of a start or whole numbers, one for each of the "
            f"{n_samples} samples of X; got an array of {labels.dtype} of the shape "
            f"{labels.shape}."
        )
    found = np.unique(labels)
    if not np.array_equal(found, np.arange(n_clusters)):
        raise ValueError(
            f"init must hold each label from 0 to n_clusters - 1 = {n_clusters - 1}; "
            f"it holds {len(found)}, from {found[0]} to {found[-1]}."
        )
    return labels.astype(np.int64)
