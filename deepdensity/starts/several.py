"""The starts of images, each of which is tried."""

from sklearn.metrics import adjusted_rand_score

from .._typing import Array
from ..assignment import cluster_means
from .mixtures import merged_mixtures, view_mixture_start

__all__ = ["same_partition", "several_starts"]

N_MERGED = 6  # merged mixtures whose parts are trained
SAME = 0.97  # adjusted Rand index from which two starts are one


def several_starts(
    Z: Array, views: Array, n_clusters: int, n_init: int, seed: int
) -> dict[str, tuple[Array, Array]]:
    """Starts to be tried: name -> (centres, labels).

    Most often the best ones are the components of merged mixtures, more clusters than
    there are to be: to be trained as such first, and merged then. Those of six runs
    come that score most, of those whose mergers differ. They prefer clusters of like
    size; the plain mixture, of a quarter of the runs, is for others. Parameters as in
    :func:`spectral_start`.

    Examples
    --------
    >>> import numpy as np
    >>> from deepdensity.starts import several_starts
    >>> Z = np.random.default_rng(0).normal(size=(60, 2))
    >>> Z[:30] += 9  # the first half, far from the second
    >>> starts = several_starts(Z, Z, n_clusters=2, n_init=4, seed=0)
    >>> {name: len(centres) for name, (centres, _) in starts.items()}
    {'view-mixture': 2, 'parts 1': 3}
    """
    mixture = view_mixture_start(Z, views, n_clusters, -(-n_init // 4), seed)
    starts = {"view-mixture": mixture}
    distinct: list[Array] = []
    for labels, parts in merged_mixtures(views, n_clusters, n_init, seed):
        n_parts = int(parts.max()) + 1
        if n_parts < n_clusters or any(
            same_partition(labels, other) for other in distinct
        ):
            continue
        distinct.append(labels)
        starts[f"parts {len(distinct)}"] = cluster_means(Z, parts, n_parts), parts
        if len(distinct) == N_MERGED:
            break
    return starts


def same_partition(labels: Array, other: Array) -> bool:
    """Whether two starts are one, but for a few samples."""
    return bool(adjusted_rand_score(labels, other) > SAME)
