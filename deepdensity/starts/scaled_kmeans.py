"""k-means at several scalings of length: the start of vectors."""

import numpy as np
from sklearn.cluster import KMeans
from sklearn.neighbors import NearestNeighbors

from .._typing import Array
from ..assignment import cluster_means, nearest_centre
from ..information import joint_counts, net_information
from .kmeans import kmeans_start
from .shared_contexts import quiet
from .sizes import some, too_few

__all__ = ["most_central", "scaled_kmeans_start"]

POWERS = (0.0, 0.5, 1.0)  # of a vector's length, that it is divided by
N_AVERAGED = 9  # neighbours
N_COMPARED = 30  # neighbours, and no more than a share of a cluster of mean size:
COMPARED_SHARE = 1 / 6
TEMPERATURE = 0.03  # nats of score, in which a partition's weight falls by e
NEGLIGIBLE = 5  # temperatures below the best score


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
    for scaled in scalings * n_init:
        kmeans = KMeans(n_clusters, n_init=2, random_state=random)
        with quiet:  # of duplicates plain k-means has warned
            parts = kmeans.fit_predict(scaled)
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
    agreement = np.eye(len(near))
    for i, j in zip(*np.tril_indices(len(near), -1)):
        counts = joint_counts(partitions[near[i]], partitions[near[j]])
        agreement[i, j] = agreement[j, i] = adjusted_rand(counts)
    return int(near[(agreement @ weights).argmax()])


def adjusted_rand(counts: Array) -> float:
    """The adjusted Rand index from joint counts (k, k).

    Of all pairs of 120 partitions of 150 samples in 0.1 s, of 5,685 samples in 0.2 s.
    scikit-learn's function, which looks at the labels anew for each pair, takes 4 and
    7 s: more than all else in a fit to 150 samples.
    """
    both, a, b, all_ = (
        float((c * (c - 1) / 2).sum())
        for c in (counts, counts.sum(1), counts.sum(0), counts.sum())
    )
    by_chance = a * b / all_
    if a == b == by_chance:  # one cluster, twice
        return 1.0
    return (both - by_chance) / ((a + b) / 2 - by_chance)


def by_power(Z: Array, power: float) -> Array:
    """Rows divided by a power of their length, a row of zeros left as it is."""
    length = np.linalg.norm(Z, axis=1, keepdims=True)
    return Z / np.where(length > 0, length, 1) ** power
