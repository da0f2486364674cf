"""What displays ask of a fitted estimator, a pipeline or a search."""

from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from .._typing import Array, Estimator
from ..fitted import FittedDeepClustering
from ..utils.best_estimator import best_of

__all__ = [
    "check_labels",
    "check_rows",
    "choose_clusters",
    "fitted_parts",
    "last_step",
    "numbered_classes",
]


def fitted_parts(estimator: Estimator) -> tuple[Any, Any]:
    """A fitted estimator, and the deep clustering at its end.

    Parameters
    ----------
    estimator : IDCLClustering, DECSClustering, or a pipeline or search of one

    Returns
    -------
    estimator : estimator or Pipeline
        Of a search the best.
    model : IDCLClustering or DECSClustering
        Of a pipeline the last step.
    """
    check_is_fitted(estimator)
    estimator = best_of(estimator)
    return estimator, last_step(estimator)


def last_step(estimator: Estimator) -> Any:
    """The deep clustering that an estimator is, or that a pipeline ends in."""
    model = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    if not isinstance(model, FittedDeepClustering):
        raise TypeError(
            "estimator must be an IDCLClustering or a DECSClustering, or a pipeline "
            f"or search of one; got {type(model).__name__}."
        )
    return model


def check_rows(name: str, values: Array, n_samples: int, of: str = "X") -> Any:
    """`values` as an array with a row for each of `n_samples`."""
    values = np.asarray(values)
    if values.ndim == 0 or len(values) != n_samples:
        found = "no rows" if values.ndim == 0 else f"{len(values)} rows"
        raise ValueError(f"{name} has {found}, and {of} has {n_samples}.")
    return values


def check_labels(labels: Array, n_samples: int, of: str = "X") -> Any:
    """Labels as an array of whole numbers from 0 on."""
    labels = check_rows("labels", labels, n_samples, of)
    whole = labels.ndim == 1 and labels.dtype.kind in "iu"
    if not whole or (n_samples and labels.min() < 0):
        raise ValueError(
            "labels must be numbers of clusters: whole, from 0 on, one a sample; got "
            f"an array of {labels.dtype} of shape {labels.shape}"
            f"{', with negative ones' * whole}."
        )
    return labels


def numbered_classes(
    labels: Array, n_samples: int, of: str, name: str = "labels"
) -> Any:
    """Labels of any kind as numbers, and the names that these stand for.

    Returns
    -------
    labels : int array of shape (n_samples,)
        As they are where they are whole numbers, with -1 for all below 0, which is
        noise; else from 0 on, in the order of the names.
    names : list of str
        By number.
    """
    labels = check_rows(name, labels, n_samples, of)
    if labels.ndim != 1:
        raise ValueError(f"{name} must be one a sample; got the shape {labels.shape}.")
    if labels.dtype.kind in "iu":
        labels = labels.astype(np.int64).clip(min=-1)
        return labels, [str(k) for k in range(1 + labels.max(initial=-1))]
    if labels.dtype.kind == "f":
        raise ValueError(
            f"{name} must be whole numbers or names of clusters; got {labels.dtype}."
        )
    found, numbers = np.unique(labels.astype(str), return_inverse=True)
    return numbers.ravel(), found.tolist()


def choose_clusters(
    labels: Array, clusters: Any = None, max_clusters: Any = None
) -> tuple[Array, str]:
    """The clusters to draw: those named, or the largest, at most so many.

    Returns
    -------
    chosen : int array
        As named, else sorted.
    note : str
        Which of how many they are; "" where they are all.
    """
    sizes = np.bincount(labels)
    found = np.flatnonzero(sizes)
    if clusters is None and max_clusters < 1:
        raise ValueError(f"max_clusters={max_clusters} must be at least 1.")
    if clusters is not None:
        chosen = np.atleast_1d(clusters)
        absent = np.setdiff1d(chosen, found)
        if len(absent) or not len(chosen):
            raise ValueError(
                f"clusters={clusters!r} must name clusters that have samples: "
                f"{found.tolist()}."
            )
    else:
        largest = found[np.argsort(-sizes[found], kind="stable")]
        chosen = np.sort(largest[:max_clusters])
    if len(chosen) >= len(found):
        return chosen, ""
    which = "the {} largest" if clusters is None else "{}"
    return chosen, f"{which.format(len(chosen))} of {len(found)} clusters"
