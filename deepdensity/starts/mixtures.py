"""Gaussian mixtures of the embedding: as many components as clusters, or more."""

import itertools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from joblib import Parallel, delayed
from sklearn.mixture import GaussianMixture

from .._typing import Array
from ..assignment import cluster_means
from ..recipe import MIN_PER_CLUSTER
from .kmeans import kmeans_start
from .merging import merge_parts, part_counts
from .shared_contexts import one_thread, quiet
from .sizes import some, too_few
from .split_merge import neighbour_graph

__all__ = [
    "gaussian_mixture_start",
    "merged_mixture_start",
    "merged_mixtures",
    "view_mixture_start",
]

FEW_CLUSTERS = 10  # of more there are fewer runs, but:
FEWEST_RUNS = 3
FLOOR = 1e-6  # scikit-learn's reg_covar, made for variances
USUAL_VARIANCE = (1e-3, 1e6)  # like these
PARTS = (1.5, 2.0, 2.5)  # of a cluster, that runs of a mixture take by turns


def gaussian_mixture_start(
    Z: Array, views: Array, n_clusters: int, n_init: int, seed: int
) -> tuple[Array, Array]:
    """Most likely component of a Gaussian mixture with full covariances.

    It lets clusters differ in size and shape, which k-means does not. Of more than
    10,000 samples a random 10,000 fit the mixture. Below ten samples a cluster it is
    k-means. Parameters and return values are those of :func:`spectral_start`; `views`
    is not used.

    Examples
    --------
    >>> import numpy as np
    >>> from deepdensity.starts import gaussian_mixture_start
    >>> Z = np.random.default_rng(0).normal(size=(60, 2))
    >>> Z[:30] += 9  # the first half, far from the second
    >>> centres, labels = gaussian_mixture_start(Z, Z, n_clusters=2, n_init=4, seed=0)
    >>> np.unique(labels[:30]).size, np.unique(labels[30:]).size, centres.shape
    (1, 1, (2, 2))
    """
    return view_mixture_start(Z, Z, n_clusters, n_init, seed)


def view_mixture_start(
    Z: Array, views: Array, n_clusters: int, n_init: int, seed: int
) -> tuple[Array, Array]:
    """The Gaussian mixture of the view-averaged embedding; see `spectral_start`.

    Examples
    --------
    >>> import numpy as np
    >>> from deepdensity.starts import view_mixture_start
    >>> Z = np.random.default_rng(0).normal(size=(60, 2))
    >>> Z[:30] += 9  # the first half, far from the second
    >>> centres, labels = view_mixture_start(Z, Z, n_clusters=2, n_init=4, seed=0)
    >>> np.unique(labels[:30]).size, np.unique(labels[30:]).size, centres.shape
    (1, 1, (2, 2))
    """
    if too_few(len(Z), n_clusters):
        return kmeans_start(Z, Z, n_clusters, n_init, seed)
    random = np.random.RandomState(seed)
    chosen = some(len(Z), random)
    floor = variance_floor(views[chosen])

    def run(seed: int) -> Any:
        mixture = GaussianMixture(n_clusters, reg_covar=floor, random_state=seed)
        return mixture.fit(views[chosen])

    seeds = random.randint(2**31 - 1, size=n_init)
    mixtures = side_by_side(run, zip(map(int, seeds)))
    best = max(mixtures, key=lambda mixture: mixture.lower_bound_)
    labels = best.predict(views)
    return cluster_means(Z, labels, n_clusters), labels


def merged_mixture_start(
    Z: Array, views: Array, n_clusters: int, n_init: int, seed: int
) -> tuple[Array, Array]:
    """Components of a larger mixture, merged to clusters that neighbours share.

    One Gaussian seldom fits a cluster: with as many as there are clusters, some of
    these get two and others share one. With half as many again, or twice or two and a
    half times as many, each has its own, and
    :func:`~deepdensity.starts.merging.merge_parts` puts together those of one cluster,
    by the graph of ten neighbours of the view-averaged embedding. Of `n_init` runs
    (fewer of more than ten clusters), which take the three numbers by turns, that
    counts which scores most. Parameters, return values and what is done with many or
    few samples: see :func:`spectral_start`.

    Examples
    --------
    >>> import numpy as np
    >>> from deepdensity.starts import merged_mixture_start
    >>> Z = np.random.default_rng(0).normal(size=(60, 2))
    >>> Z[:30] += 9  # the first half, far from the second
    >>> centres, labels = merged_mixture_start(Z, Z, n_clusters=2, n_init=4, seed=0)
    >>> np.unique(labels[:30]).size, np.unique(labels[30:]).size, centres.shape
    (1, 1, (2, 2))
    """
    if too_few(len(Z), n_clusters):
        return kmeans_start(Z, views, n_clusters, n_init, seed)
    labels, _ = merged_mixtures(views, n_clusters, n_init, seed)[0]
    return cluster_means(Z, labels, n_clusters), labels


def merged_mixtures(
    views: Array, n_clusters: int, n_init: int, seed: int
) -> list[tuple[Array, Array]]:
    """Labels and parts (n,) of each run, the highest score first.

    There are `n_init` runs; of more than ten clusters fewer, three at least, so that
    they have as many components in all.
    """
    random = np.random.RandomState(seed)
    chosen = some(len(views), random)
    graph = neighbour_graph(views[chosen], random)
    most = len(chosen) // MIN_PER_CLUSTER
    n_runs = n_init * FEW_CLUSTERS // max(FEW_CLUSTERS, n_clusters)
    n_runs = max(n_runs, min(n_init, FEWEST_RUNS))
    floor = variance_floor(views[chosen])

    def run(share: float, seed: int) -> tuple[float, Array, Array]:
        n_parts = min(most, round(share * n_clusters))
        mixture = GaussianMixture(n_parts, reg_covar=floor, random_state=seed)
        parts = mixture.fit(views[chosen]).predict(views)
        counts = part_counts(graph.weights, parts[chosen], n_parts)
        clusters, score = merge_parts(counts, n_clusters)
        return score, clusters[parts], parts

    seeds = random.randint(2**31 - 1, size=n_runs)
    shares = itertools.cycle(PARTS)
    found = side_by_side(run, zip(shares, map(int, seeds)))
    found.sort(key=lambda of: of[0], reverse=True)
    return [(labels, parts) for _, labels, parts in found]


def variance_floor(Z: Array) -> float:
    """What is added to the variances of components: scikit-learn's, for its scale.

    Embeddings much narrower or wider than usual get their share of the mean variance,
    so that it is neither all that a mixture sees nor lost in rounding.
    """
    variance = float(np.var(Z, axis=0, dtype=np.float64).mean())
    low, high = USUAL_VARIANCE
    if low <= variance <= high or not variance:
        return FLOOR
    return FLOOR * variance


def side_by_side(function: Callable[..., Any], arguments: Iterable[Any]) -> list[Any]:
    """The function's results, in their order: as many at a time as torch has threads.

    Each has one thread of its own: a mixture's matrices are too small to be shared out.
    """
    # in threads whatever backend the user has chosen: the work is called by reference
    parallel = Parallel(n_jobs=torch.get_num_threads(), require="sharedmem")
    with one_thread(), quiet:  # what has not converged will do for a start
        results: list[Any] = parallel(delayed(function)(*of) for of in arguments)
    return results
