"""Where the clustering phase starts: at k-means, as in the papers, or elsewhere."""

import itertools
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from joblib import Parallel, delayed
from sklearn.cluster import KMeans, SpectralClustering
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from threadpoolctl import threadpool_limits

from ._typing import Array
from .assignment import cluster_means, nearest_centre
from .information import net_information
from .merging import merge_parts, part_counts
from .split_merge import neighbour_graph

__all__ = [
    "STARTS",
    "gaussian_mixture_start",
    "kmeans_start",
    "merged_mixture_start",
    "scaled_kmeans_start",
    "several_starts",
    "spectral_start",
    "view_mixture_start",
]

MIN_PER_CLUSTER = 10  # samples; with fewer on average k-means takes over
N_NEIGHBORS = 10
MAX_SAMPLES = 10_000  # that a mixture or a graph is made of; the others follow
POWERS = (0.0, 0.5, 1.0)  # of a vector's length, that it is divided by
N_AVERAGED = 9  # neighbours
N_COMPARED = 30  # neighbours, and no more than a share of a cluster of mean size:
COMPARED_SHARE = 1 / 6
N_MERGED = 6  # merged mixtures whose parts are trained
FEW_CLUSTERS = 10  # of more there are fewer runs, but:
FEWEST_RUNS = 3
SAME = 0.97  # adjusted Rand index from which two starts are one
PARTS = (1.5, 2.0, 2.5)  # of a cluster, that runs of a mixture take by turns


def kmeans_start(
    Z: Array, views: Array, n_clusters: int, n_init: int, seed: int
) -> tuple[Array, Array]:
    """k-means on the embedding, as in both papers.

    Parameters
    ----------
    Z : array of shape (n, latent)
        The embedding.
    views : array of shape (n, latent)
        Not used.
    n_clusters, n_init, seed : int

    Returns
    -------
    centres : array of shape (n_clusters, latent)
    labels : int array of shape (n,)

    Examples
    --------
    >>> import numpy as np
    >>> from deepdensity.starts import kmeans_start
    >>> Z = np.random.default_rng(0).normal(size=(60, 2))
    >>> Z[:30] += 9  # the first half, far from the second
    >>> centres, labels = kmeans_start(Z, Z, n_clusters=2, n_init=4, seed=0)
    >>> np.unique(labels[:30]).size, np.unique(labels[30:]).size, centres.shape
    (1, 1, (2, 2))
    """
    kmeans = KMeans(n_clusters, n_init=n_init, random_state=seed).fit(Z)
    return kmeans.cluster_centers_, kmeans.labels_


def scaled_kmeans_start(
    Z: Array, views: Array, n_clusters: int, n_init: int, seed: int
) -> tuple[Array, Array]:
    r"""k-means at several scalings of length; the clusters that neighbours share most.

    .. math::
        \hat z_i = z_i / \|z_i\|^a, \quad a \in \{0, 1/2, 1\}

    Length may tell clusters apart, or only how much there is of a sample: of words, of
    RNA. k-means runs on each scaling of the embedding, and of its means over a sample
    and its nine nearest neighbours: on each of these six as often as n_init says, the
    better of every two runs counting. Of all, the one is taken in which the cluster of
    a sample and those of its nearest neighbours have the highest
    :func:`~deepdensity.information.net_information`: of 30 neighbours, fewer where that
    is more than a sixth of a cluster's mean size. How close clusters are, k-means'
    own measure, says little of which is right. Of more than 10,000 samples a random
    10,000 are clustered. Below ten samples a cluster it is k-means.

    Parameters
    ----------
    Z : array of shape (n, latent)
        The embedding.
    views : array of shape (n, latent)
        Not used.
    n_clusters, n_init, seed : int

    Returns
    -------
    centres : array of shape (n_clusters, latent)
        Means of the clusters that were found, in Z.
    labels : int array of shape (n,)
        The nearest of them.

    Examples
    --------
    >>> import numpy as np
    >>> from deepdensity.starts import scaled_kmeans_start
    >>> Z = np.random.default_rng(0).normal(size=(60, 2))
    >>> Z[:30] += 9  # the first half, far from the second
    >>> centres, labels = scaled_kmeans_start(Z, Z, n_clusters=2, n_init=4, seed=0)
    >>> np.unique(labels[:30]).size, np.unique(labels[30:]).size, centres.shape
    (1, 1, (2, 2))
    """
    if n_clusters == 1 or len(Z) < MIN_PER_CLUSTER * n_clusters:
        return kmeans_start(Z, views, n_clusters, n_init, seed)
    random = np.random.RandomState(seed)
    chosen = Z[some(len(Z), random)]
    share = int(COMPARED_SHARE * len(chosen) / n_clusters)
    n_compared = max(1, min(N_COMPARED, share))
    search = NearestNeighbors(n_neighbors=n_compared).fit(chosen)
    neighbours = search.kneighbors(return_distance=False)  # (m, 30)
    averaged = np.mean([chosen, *chosen[neighbours[:, :N_AVERAGED].T]], axis=0)
    scalings = [by_power(A, a) for A in (chosen, averaged) for a in POWERS]
    tried: list[tuple[float, Array]] = []
    for scaled in scalings * -(-n_init // 2):
        kmeans = KMeans(n_clusters, n_init=2, random_state=random)
        with warnings.catch_warnings():  # of duplicates plain k-means has warned
            warnings.simplefilter("ignore", ConvergenceWarning)
            found = kmeans.fit_predict(scaled)
        centres = cluster_means(chosen, found, n_clusters)
        labels = nearest_centre(chosen, centres)
        pairs = [np.repeat(labels, n_compared), labels[neighbours].ravel()]
        tried.append((net_information(pairs), centres))
    _, centres = max(tried, key=lambda of: of[0])
    return centres, nearest_centre(Z, centres)


def by_power(Z: Array, power: float) -> Array:
    """Rows divided by a power of their length, a row of zeros left as it is."""
    length = np.linalg.norm(Z, axis=1, keepdims=True)
    return Z / np.where(length > 0, length, 1) ** power


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
    return mixture_start(Z, Z, n_clusters, n_init, seed)


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
    return mixture_start(Z, views, n_clusters, n_init, seed)


def mixture_start(
    Z: Array, fitted: Any, n_clusters: int, n_init: int, seed: int
) -> tuple[Array, Array]:
    if len(Z) < MIN_PER_CLUSTER * n_clusters:
        return kmeans_start(Z, Z, n_clusters, n_init, seed)
    random = np.random.RandomState(seed)
    chosen = some(len(Z), random)

    def run(seed: int) -> Any:
        return GaussianMixture(n_clusters, random_state=seed).fit(fitted[chosen])

    seeds = random.randint(2**31 - 1, size=n_init)
    mixtures = side_by_side(run, zip(map(int, seeds)))
    best = max(mixtures, key=lambda mixture: mixture.lower_bound_)
    labels = best.predict(fitted)
    return cluster_means(Z, labels, n_clusters), labels


def some(n_samples: int, random: np.random.RandomState) -> Array:
    """Indices of all samples, or of a random 10,000 of them."""
    if n_samples <= MAX_SAMPLES:
        return np.arange(n_samples)
    return random.choice(n_samples, MAX_SAMPLES, replace=False)


def spectral_start(
    Z: Array, views: Array, n_clusters: int, n_init: int, seed: int
) -> tuple[Array, Array]:
    """Spectral clustering on the 10-neighbour graph of the view-averaged embedding.

    The mean embedding of a sample's augmented views is smoother than that of the sample
    itself: two halves of a class that differ in what augmentation varies lie closer,
    and the graph falls apart between classes instead. Of more than 10,000 samples a
    random 10,000 make the graph, and the others follow their nearest neighbours in it.
    Below ten samples a cluster it is k-means.

    Parameters
    ----------
    Z : array of shape (n, latent)
        The embedding, for the centres.
    views : array of shape (n, latent)
        The mean embedding of each sample's views, for the graph.
    n_clusters, n_init, seed : int

    Returns
    -------
    centres : array of shape (n_clusters, latent)
        Means of Z.
    labels : int array of shape (n,)

    Examples
    --------
    >>> import numpy as np
    >>> from deepdensity.starts import spectral_start
    >>> Z = np.random.default_rng(0).normal(size=(60, 2))
    >>> Z[:30] += 9  # the first half, far from the second
    >>> centres, labels = spectral_start(Z, Z, n_clusters=2, n_init=4, seed=0)
    >>> np.unique(labels[:30]).size, np.unique(labels[30:]).size, centres.shape
    (1, 1, (2, 2))
    """
    n_samples = len(Z)
    if n_clusters == 1 or n_samples < MIN_PER_CLUSTER * n_clusters:
        return kmeans_start(Z, views, n_clusters, n_init, seed)
    random = np.random.RandomState(seed)
    chosen = some(n_samples, random)
    spectral = SpectralClustering(
        n_clusters,
        affinity="nearest_neighbors",
        n_neighbors=N_NEIGHBORS,
        n_init=n_init,
        random_state=random,
    )
    with warnings.catch_warnings():  # a graph in several parts will do for a start
        warnings.filterwarnings("ignore", "Graph is not fully connected")
        labels = spectral.fit_predict(views[chosen])
    if len(chosen) < n_samples:
        neighbours = KNeighborsClassifier(N_NEIGHBORS).fit(views[chosen], labels)
        labels = neighbours.predict(views)
    return cluster_means(Z, labels, n_clusters), labels


def merged_mixture_start(
    Z: Array, views: Array, n_clusters: int, n_init: int, seed: int
) -> tuple[Array, Array]:
    """Components of a larger mixture, merged to clusters that neighbours share.

    One Gaussian seldom fits a cluster: with as many as there are clusters, some of
    these get two and others share one. With half as many again, or twice or two and a
    half times as many, each has its own, and :func:`~deepdensity.merging.merge_parts`
    puts together those of one cluster, by the graph of ten neighbours of the
    view-averaged embedding. Of `n_init` runs (fewer of more than ten clusters), which
    take the three numbers by turns, that counts which scores most. Parameters, return
    values and what is done with many or few samples: see :func:`spectral_start`.

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
    if n_clusters == 1 or len(Z) < MIN_PER_CLUSTER * n_clusters:
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

    def run(share: float, seed: int) -> tuple[float, Array, Array]:
        n_parts = min(most, round(share * n_clusters))
        mixture = GaussianMixture(n_parts, random_state=seed)
        parts = mixture.fit(views[chosen]).predict(views)
        counts = part_counts(graph.weights, parts[chosen], n_parts)
        clusters, score = merge_parts(counts, n_clusters)
        return score, clusters[parts], parts

    seeds = random.randint(2**31 - 1, size=n_runs)
    shares = itertools.cycle(PARTS)
    found = side_by_side(run, zip(shares, map(int, seeds)))
    found.sort(key=lambda of: of[0], reverse=True)
    return [(labels, parts) for _, labels, parts in found]


def side_by_side(function: Callable[..., Any], arguments: Iterable[Any]) -> list[Any]:
    """The function's results, in their order: as many at a time as torch has threads.

    Each has one thread of its own: a mixture's matrices are too small to be shared out.
    """
    parallel = Parallel(n_jobs=torch.get_num_threads(), prefer="threads")
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # it will do for a start
        results: list[Any] = parallel(delayed(function)(*of) for of in arguments)
    return results


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
    mixture = mixture_start(Z, views, n_clusters, -(-n_init // 4), seed)
    starts = {"view-mixture": mixture}
    distinct: list[Array] = []
    for labels, parts in merged_mixtures(views, n_clusters, n_init, seed):
        if any(same(labels, other) for other in distinct):
            continue
        distinct.append(labels)
        n_parts = int(parts.max()) + 1
        starts[f"parts {len(distinct)}"] = cluster_means(Z, parts, n_parts), parts
        if len(distinct) == N_MERGED:
            break
    return starts


def same(labels: Array, other: Array) -> bool:
    """Whether two starts are one, but for a few samples."""
    return bool(adjusted_rand_score(labels, other) > SAME)


STARTS = {
    "k-means": kmeans_start,
    "scaled-k-means": scaled_kmeans_start,
    "gaussian-mixture": gaussian_mixture_start,
    "view-mixture": view_mixture_start,
    "merged-mixture": merged_mixture_start,
    "spectral": spectral_start,
}
