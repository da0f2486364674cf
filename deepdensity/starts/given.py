"""Clusters of the user's own to start from: another method's, or known groups."""

from typing import Any

import numpy as np

from .._typing import Array

__all__ = ["given_labels"]


def given_labels(init: Any, n_samples: int, n_clusters: Any) -> Array:
    """`init` as the labels that a fit starts from.

    Parameters
    ----------
    init : array-like of shape (n_samples,)
        `n_clusters` different values, as numbers or names; in their order they become 0
        to n_clusters - 1.
    n_samples : int
    n_clusters : int or "auto"

    Returns
    -------
    int array of shape (n_samples,)

    Raises
    ------
    ValueError
        Where it is anything else; the message says what.

    Examples
    --------
    >>> from deepdensity.starts import given_labels
    >>> given_labels(["b", "a", "b"], n_samples=3, n_clusters=2).tolist()
    [1, 0, 1]
    """
    labels = np.asarray(init)
    if n_clusters == "auto":
        raise ValueError("init holds labels, so that n_clusters must be their number.")
    if labels.shape != (n_samples,):
        raise ValueError(
            f"init must be the name of a start or labels, one for each of the "
            f"{n_samples} samples of X; got an array of {labels.dtype} of the shape "
            f"{labels.shape}."
        )
    names, found = labels_of(labels)
    if labels.dtype.kind in "if" and names[0] < 0:
        raise ValueError(
            f"init holds the label {names[0]}, as that of HDBSCAN's noise, which is no "
            "cluster: give each sample one."
        )
    if len(names) != n_clusters:
        some = ", ".join(map(repr, names[:5].tolist())) + ", ..." * (len(names) > 5)
        raise ValueError(
            f"init must hold as many different labels as n_clusters={n_clusters}; it "
            f"holds {len(names)}: {some}."
        )
    return found


def labels_of(labels: Array) -> tuple[Array, Array]:
    """The different labels, in order, and of each sample which of them it has."""
    try:
        missing = labels != labels
        if np.asarray(missing, dtype=bool).any():
            raise ValueError("init holds missing labels (NaN): give each sample one.")
        names, found = np.unique(labels, return_inverse=True)
    except TypeError as error:  # names and numbers, None, NA
        raise ValueError(
            f"init holds labels that have no order ({error}): give them as numbers or "
            "as names, and none missing."
        ) from error
    return names, found.astype(np.int64)
