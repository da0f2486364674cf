"""Repair of a partition that has merged two clusters and cut another in two.

Both faults show in a graph of nearest neighbours: few edges run between two clusters
that were merged, many between two halves of one.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from sklearn.manifold import spectral_embedding
from sklearn.neighbors import KNeighborsClassifier, kneighbors_graph

from .._typing import Array
from .merging import part_counts
from .shared_contexts import quiet
from .sizes import N_NEIGHBOURS, some

__all__ = [
    "NeighbourGraph",
    "Repair",
    "best_cut",
    "neighbour_graph",
    "pair_cuts",
    "split_and_merge",
]

SMALL = 0.3  # of the mean size of a cluster: what is smaller is none
N_ORDERS = 4  # eigenvectors along which a cut is sought
SAME = 0.9  # share of two sets' samples that are in both, from which they are one


class NeighbourGraph(NamedTuple):
    """Who is near whom among some of the samples."""

    rows: np.ndarray  # (m,), the samples that are its nodes
    points: np.ndarray  # (n, latent), of all samples
    weights: sparse.csr_matrix  # (m, m), symmetric, 0 where not near


class Cut(NamedTuple):
    """A cluster cut in two."""

    label: int
    value: float  # normalised cut
    side: np.ndarray  # (m,) bool, of its nodes: which are on the far side


class Repair(NamedTuple):
    """A partition, and what has been cut in two to make it."""

    labels: np.ndarray  # (n,)
    split: np.ndarray  # (n,) bool, the samples of the cluster that was cut


def neighbour_graph(points: Array, random: np.random.RandomState) -> NeighbourGraph:
    """The graph of each sample's 10 nearest neighbours, made symmetric.

    Parameters
    ----------
    points : array of shape (n, latent)
    random : numpy RandomState
        Of more than 10,000 samples a random 10,000 are the nodes.

    Returns
    -------
    NeighbourGraph
        Weights are 1 between mutual neighbours and 1/2 between others.
    """
    rows = some(len(points), random)
    near = kneighbors_graph(points[rows], min(N_NEIGHBOURS, len(rows) - 1))
    return NeighbourGraph(rows, points, ((near + near.T) / 2).tocsr())


def pair_cuts(weights: Any, labels: Array, n_clusters: int) -> Array:
    r"""Normalised cut between each two clusters, in the graph of those two alone.

    .. math::
        N_{ab} = \frac{w(a, b)}{w(a, a \cup b)} + \frac{w(a, b)}{w(b, a \cup b)}

    with :math:`w(a, b)` the weight of the edges from a to b (Shi and Malik 2000).

    Parameters
    ----------
    weights : sparse matrix of shape (n, n)
        Symmetric.
    labels : int array of shape (n,)
    n_clusters : int

    Returns
    -------
    array of shape (n_clusters, n_clusters)
        From 0, no edge between them, to 2; 0 with itself.
    """
    between = part_counts(weights, labels, n_clusters)  # the diagonal: within
    volume = np.diag(between)[:, None] + between
    share = np.divide(between, volume, where=volume > 0, out=np.zeros_like(volume))
    np.fill_diagonal(share, 0)
    cuts: Array = share + share.T
    return cuts


def best_cut(weights: Any, least: int) -> tuple[float, Array]:
    """The cut of a graph in two that has the lowest normalised cut, nearly.

    Sought among the prefixes of the nodes as ordered by each of the first eigenvectors
    of the graph's Laplacian (the relaxation of Shi and Malik 2000).

    Parameters
    ----------
    weights : sparse matrix of shape (n, n)
        Symmetric.
    least : int
        Nodes on either side, at least 1.

    Returns
    -------
    value : float
        Normalised cut; infinite where there are too few nodes.
    side : bool array of shape (n,)
    """
    n_nodes = weights.shape[0]
    best, side = np.inf, np.zeros(n_nodes, bool)
    if n_nodes < max(3, 2 * least):
        return best, side
    with quiet:  # a graph in several parts can be cut, too
        vectors = spectral_embedding(
            weights, n_components=min(N_ORDERS, n_nodes - 2), random_state=0
        )  # (n, m)
    for vector in vectors.T:
        order = np.argsort(vector, kind="stable")
        cuts = prefix_cuts(weights[order][:, order])
        end = least + int(cuts[least - 1 : n_nodes - least].argmin())
        if cuts[end - 1] < best:
            best = float(cuts[end - 1])
            side = np.isin(np.arange(n_nodes), order[end:])
    return best, side


def prefix_cuts(weights: Any) -> Array:
    """Normalised cut between the first i nodes and the rest, for i = 1 to n - 1."""
    n_nodes = weights.shape[0]
    edges = sparse.triu(weights, 1).tocoo()  # row < column
    # an edge is cut by every prefix that ends after its row and before its column
    change = np.bincount(edges.row, edges.data, n_nodes).astype(float)
    change -= np.bincount(edges.col, edges.data, n_nodes)
    cut = np.cumsum(change)[:-1]
    degree = np.asarray(weights.sum(1)).ravel() - weights.diagonal()
    first = np.cumsum(degree)[:-1]
    rest = degree.sum() - first
    # a side without an edge at all is as badly cut off as can be
    ratios = [
        np.divide(cut, w, where=w > 0, out=np.ones_like(cut)) for w in (first, rest)
    ]
    cuts: Array = np.sum(ratios, axis=0)
    return cuts


def split_and_merge(
    graph: NeighbourGraph, labels: Array, n_clusters: int, spared: Sequence[Array] = ()
) -> Repair | None:
    """Merge what hangs together most and cut in two what hangs together least.

    A cluster under three tenths of the mean size goes to the cluster that it hangs
    together with most; where there is none, the two with the highest normalised cut
    become one. The label that this frees goes to the half of a cluster: of that with
    the lowest normalised cut.

    Parameters
    ----------
    graph : NeighbourGraph
    labels : int array of shape (n,)
        0 to n_clusters - 1.
    n_clusters : int
    spared : sequence of bool arrays of shape (n,)
        Sets of samples that are not to be cut.

    Returns
    -------
    Repair, or None
        None where the two to merge hang together less than the one to split, a cluster
        that is too small hangs together with no other, or there is nothing to split.
    """
    nodes = labels[graph.rows]
    least = max(1, int(SMALL * len(nodes) / n_clusters))
    own = [labels == label for label in range(n_clusters)]
    may_split = [not any(same_set(o, other) for other in spared) for o in own]
    cut = lowest_cut(graph.weights, nodes, np.flatnonzero(may_split), least)
    if cut is None:
        return None
    pair = clusters_to_merge(graph.weights, nodes, n_clusters, least, cut)
    if pair is None:
        return None
    heir, freed = pair
    repaired = np.where(own[freed], heir, labels)
    repaired[far_half(graph, np.flatnonzero(own[cut.label]), cut.side)] = freed
    return Repair(repaired, own[cut.label])


def lowest_cut(weights: Any, nodes: Array, among: Array, least: int) -> Cut | None:
    """The cluster that falls apart most easily; None where none of them can be cut."""
    cuts = []
    for label in among:
        m = np.flatnonzero(nodes == label)
        cuts.append(Cut(int(label), *best_cut(weights[m][:, m], least)))
    lowest = min(cuts, key=lambda cut: cut.value, default=None)
    return None if lowest is None or np.isinf(lowest.value) else lowest


def clusters_to_merge(
    weights: Any, nodes: Array, n_clusters: int, least: int, cut: Cut
) -> tuple[int, int] | None:
    """Which cluster takes over which, whose label is free then; None for neither."""
    pairs = pair_cuts(weights, nodes, n_clusters)
    sizes = np.bincount(nodes, minlength=n_clusters)
    smallest = int(sizes.argmin())
    if sizes[smallest] < least:
        if sizes[smallest] and not pairs[smallest].any():
            return None  # it hangs together with none
        return int(pairs[smallest].argmax()), smallest
    pairs[cut.label] = pairs[:, cut.label] = 0
    heir, freed = map(int, np.unravel_index(pairs.argmax(), pairs.shape))
    return None if pairs[heir, freed] <= cut.value else (heir, freed)


def far_half(graph: NeighbourGraph, own: Array, side: Array) -> Array:
    """Which of a cluster's samples, rows (m,), are on the far side of its cut.

    Those that are not in the graph go with their neighbours in it.
    """
    inside = np.isin(graph.rows, own)
    knn = KNeighborsClassifier(min(N_NEIGHBOURS, len(side)))
    knn.fit(graph.points[graph.rows[inside]], side)
    far = knn.predict(graph.points[own])
    far[np.searchsorted(own, graph.rows[inside])] = side
    rows: Array = own[far]
    return rows


def same_set(a: Array, b: Array) -> bool:
    """Whether two sets of samples, bool arrays of shape (n,), are nearly one."""
    return bool((a & b).sum() > SAME * (a | b).sum())
