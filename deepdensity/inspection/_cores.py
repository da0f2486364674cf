"""Density cores and centres of clusters: a fitted model's, or as they are given."""

from typing import Any

import numpy as np
from sklearn.utils import check_array

from .._typing import Estimator
from ._fitted import check_rows

__all__ = ["centers_of", "check_centers", "core_mask", "core_samples"]


def core_samples(model: Estimator) -> Any:
    """Training samples in the density cores; none where every sample is in one."""
    cores = getattr(model, "core_sample_indices_", np.array([], dtype=int))
    return cores[:0] if len(cores) == len(model.labels_) else cores


def centers_of(model: Estimator, labels: Any) -> Any:
    """Centres of the clusters that have samples, in the latent space.

    Samples of the training, of which a stream's last batch may show some clusters only,
    or those with the labels given. Also the numbers of these clusters, and what their
    centres are.
    """
    alive = np.union1d(model.labels_, labels)
    if hasattr(model, "core_means_"):
        return model.core_means_[alive], alive, "mean of a density core"
    return model.cluster_centers_[alive], alive, "cluster centre"


def check_centers(centers: Any, n_clusters: int, n_components: int) -> Any:
    """Centres as an array of a row for each cluster at least."""
    centers = check_array(centers, input_name="centers")
    if len(centers) < n_clusters or centers.shape[1] != n_components:
        raise ValueError(
            f"centers has the shape {centers.shape}; labels and Z need at least "
            f"{(n_clusters, n_components)}."
        )
    return centers


def core_mask(cores: Any, n_samples: int) -> Any:
    """Indices or a mask, or None for none, as a mask (n_samples,)."""
    mask = np.zeros(n_samples, dtype=bool)
    if cores is None:
        return mask
    cores = np.asarray(cores)
    if cores.dtype == bool:
        return check_rows("cores", cores, n_samples, of="Z")
    whole = cores.ndim == 1 and cores.dtype.kind in "iu"
    if not whole or (len(cores) and not 0 <= cores.min() <= cores.max() < n_samples):
        raise ValueError(
            "cores must be indices of rows of Z, from 0 to "
            f"{n_samples - 1}, or a mask; got {cores!r}."
        )
    mask[cores] = True
    return mask
