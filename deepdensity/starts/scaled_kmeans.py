"""k-means at several scalings of length: the start of vectors."""

from typing import Any

import numpy as np
from sklearn.cluster import KMeans
from sklearn.neighbors import NearestNeighbors

from .._typing import Array
from ..assignment import cluster_means, nearest_centre
from ..information import net_information
from ..lengths import by_power
from .kmeans import kmeans_start
from .shared_contexts import few_threads, quiet
from .sizes import some, too_few

__all__ = ["most_central", "scaled_kmeans_start"]

POWERS = (0.0, 0.5, 1.0)  # of a vector's length, that it is divided by
N_AVERAGED = 9  # neighbours
N_COMPARED = 30  # neighbours, and no more than a share of a cluster of mean size:
COMPARED_SHARE = 1 / 6
TEMPERATURE = 0.03  # nats of score, in which a partition's weight falls by e
NEGLIGIBLE = 5  # temperatures below the best score
MAX_CELLS = 2**20  # of labels, or of contingency tables, that are counted at a time


def scaled_kmeans_start(
    Z: Array, views: Array, n_clusters: int, n_init: int, seed: int
) -> tuple[Array, Array]:
    r"""k-means at several scalings of length; what its best runs agree on most.

    .. math::
        \hat z_i = z_i / \|z_i\|^a, \quad a \in \{0, 1/2, 1\}

    Length may tell clusters apart, or only how much there is of a sample: of words, of
    RNA. k-means runs on each scaling of the embedding, and of its means over a sample
    and its nine nearest neighbours: on each of these six as often as n_init says, the
    closer of two each time. How close clusters are says little else of which are right.
    The score of what is found is the :func:`~deepdensity.information.net_information`
    of the cluster of a sample and those of its nearest neighbours: of 30, fewer where
    that is more than a sixth of a cluster's mean size. Among like scores chance decides
    which is the highest, and it may be off: so the most central counts
    (:func:`most_central`). Of more than 10,000 samples a random 10,000 are clustered.
    Below ten samples a cluster it is k-means. Parameters as in
    :func:`~deepdensity.starts.kmeans_start`; the centres are means of what was found,
    in Z, and each label is that of the nearest.

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
    if too_few(len(Z), n_clusters):
        return kmeans_start(Z, views, n_clusters, n_init, seed)
    random = np.random.RandomState(seed)
    chosen = Z[some(len(Z), random)]
    share = int(COMPARED_SHARE * len(chosen) / n_clusters)
    n_compared = max(1, min(N_COMPARED, share))
    search = NearestNeighbors(n_neighbors=n_compared).fit(chosen)
    neighbours = search.kneighbors(return_distance=False)  # (m, 30)
    averaged = np.mean([chosen, *chosen[neighbours[:, :N_AVERAGED].T]], axis=0)
    scalings = [by_power(A, a) for A in (chosen, averaged) for a in POWERS]
    found, partitions, scores = [], [], []
    with quiet, few_threads(len(chosen) * n_clusters):  # of duplicates, as in k-means
        runs = [
            KMeans(n_clusters, n_init=2, random_state=random).fit_predict(scaled)
            for scaled in scalings * n_init
        ]
    for parts in runs:
        centres = cluster_means(chosen, parts, n_clusters)
        labels = nearest_centre(chosen, centres)
        pairs = [np.repeat(labels, n_compared), labels[neighbours].ravel()]
        found.append(centres)
        partitions.append(labels)
        scores.append(net_information(pairs))
    centres = found[most_central(partitions, scores)]
    return centres, nearest_centre(Z, centres)


def most_central(partitions: list[Array], scores: list[float]) -> int:
    r"""Which partition agrees most with all, by weights that rise with their scores.

    .. math::
        \arg\max_j \sum_i e^{s_i / T}\, \mathrm{ARI}(c_i, c_j)

    If a partition is the right one with a probability proportional to its weight, this
    is the one that is expected to agree best with the right one. T is 0.03 nats, and
    those more than 0.15 nats below the highest score are left out.

    Parameters
    ----------
    partitions : list of int arrays of shape (n,)
    scores : list of float
        In nats, as many.

    Returns
    -------
    int
        An index into both.

    Examples
    --------
    >>> import numpy as np
    >>> from deepdensity.starts import most_central
    >>> halves, thirds = np.arange(12) // 6, np.arange(12) // 4
    >>> most_central([thirds, halves, halves], [1.01, 1.0, 1.0])
    1
    """
    behind = max(scores) - np.array(scores)
    near = np.flatnonzero(behind <= NEGLIGIBLE * TEMPERATURE)
    weights = np.exp(-behind[near] / TEMPERATURE)
    agreement = adjusted_rand(np.stack([partitions[i] for i in near]))
    return int(near[(agreement @ weights).argmax()])


def adjusted_rand(partitions: Array) -> Array:
    """The adjusted Rand index of each two of m partitions (m, n): (m, m).

    Each is compared with those before it, many at a time: 120 partitions of 150 samples
    take 14 ms, by scikit-learn's function, which is told of two alone, 15 s.
    """
    m, n = partitions.shape
    k = 1 + partitions.max()
    sizes = [np.bincount(labels, minlength=k) for labels in partitions]
    alike = pairs_of(np.stack(sizes)).sum(1)  # (m,) pairs that share a cluster
    both = np.zeros((m, m))
    at_once = max(1, MAX_CELLS // max(n, k**2))
    for i, labels in enumerate(partitions):
        for j in range(0, i, at_once):
            others = partitions[j : min(i, j + at_once)]  # (b, n)
            cells = (np.arange(len(others))[:, None] * k + others) * k + labels
            counts = np.bincount(cells.ravel(), minlength=len(others) * k**2)
            both[i, j : j + len(others)] = pairs_of(counts.reshape(-1, k**2)).sum(1)
    both += both.T
    np.fill_diagonal(both, alike)
    by_chance = alike[:, None] * alike / pairs_of(n)
    at_most = (alike[:, None] + alike) / 2
    # of two that are one cluster each, nothing is left to chance: they agree
    index = np.ones((m, m))
    np.divide(both - by_chance, at_most - by_chance, index, where=at_most > by_chance)
    return index


def pairs_of(counts: Any) -> Any:
    """How many pairs there are of so many samples, as floats."""
    return counts * (counts - 1.0) / 2
