"""Density-based validity of clusters: DBCV (Moulavi et al. 2014), made definite."""

from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import cdist, pdist
from scipy.special import logsumexp
from sklearn.utils import check_array, check_consistent_length, gen_batches
from sklearn.utils._param_validation import HasMethods

from .._decorators import validate_params
from .._typing import Array, Estimator, Samples
from ..density import TILE
from .accuracy import check_labels
from .sampling import SAMPLE_CONSTRAINTS, random_rows

__all__ = ["density_validity", "density_validity_score"]

NOISE = -1


class Tree(NamedTuple):
    """What remains of a cluster's minimum spanning tree."""

    sparseness: float  # largest reachability of its inner edges
    nodes: np.ndarray  # (m, d), the inner ones
    cores: np.ndarray  # (m,), their core distances


@validate_params(
    {"estimator": [HasMethods(["transform", "predict"])], **SAMPLE_CONSTRAINTS},
    prefer_skip_nested_validation=True,
)
def density_validity(
    estimator: Estimator,
    X: Samples,
    y: Any = None,
    *,
    max_samples: int | None = 2000,
    random_state: Any = 0,
) -> float:
    """Density-based validity of predicted clusters in the embedding, as a scorer.

    Parameters
    ----------
    estimator : estimator with ``transform`` and ``predict``
        Fitted; a pipeline or a search that ends in one will do.
    X : array-like or sparse matrix
        What the estimator takes.
    y : Ignored
    max_samples : int or None, default=2000
        Rows of X, chosen at random, that are scored where there are more; None takes
        all. The largest cluster of m of them takes about 40 m^2 bytes.
    random_state : int, RandomState instance or None, default=0
        Of the choice. None takes fresh entropy.

    Returns
    -------
    float
        In [-1, 1]; :func:`density_validity_score` of embedding and labels.

    Notes
    -----
    **What it can compare:** as :func:`embedding_silhouette`: seeds, starts and the
    parameters of the curriculum or the loss, in latent spaces made by the same network
    for the same `n_components`, of any scale. Clusters may have any shape. Not across
    `n_components`: the dimension is part of the density. Not a short training with a
    long one, which draws clusters together, right or wrong. Not samples of different
    numbers: core distances shrink as samples are added. Across `n_clusters` it is a
    rough guide at best: merged clusters lose, but each fit makes its own space.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from sklearn.datasets import make_blobs
    >>> from deepdensity.metrics import density_validity
    >>> X, _ = make_blobs(60, centers=[[0, 0], [9, 9]], random_state=0)
    >>> round(density_validity(KMeans(2, random_state=0).fit(X), X), 1)
    0.9
    """
    X = random_rows(X, max_samples, random_state)
    Z = np.asarray(estimator.transform(X))
    return density_validity_score(Z, estimator.predict(X))


def density_validity_score(Z: Samples, labels: Samples) -> float:
    r"""Density-based cluster validity (DBCV; Moulavi et al. 2014), made definite.

    .. math::
        \sum_j \frac{n_j}{n} V_j, \qquad
        V_j = \frac{\min_l \mathrm{sep}_{jl} - \mathrm{sparse}_j}
                   {\max(\min_l \mathrm{sep}_{jl}, \mathrm{sparse}_j)}

    As in the paper:

    - the all-points core distance of sample i in its cluster of n_j samples, in d
      dimensions, :math:`a_i = \left(\frac{1}{n_j - 1} \sum_{h \ne i} d_{ih}^{-d}
      \right)^{-1/d}` (Definition 1), here computed by logarithms;
    - the mutual reachability :math:`\max(a_i, a_h, d_{ih})` (Definition 2), d_ih being
      Euclidean, and a minimum spanning tree of each cluster in it;
    - the sparseness of a cluster, the largest edge of its tree between two nodes of
      more than one edge (Definition 5), and the separation of two, the smallest mutual
      reachability of such nodes (Definition 6);
    - samples of noise, labelled -1, are in n and in nothing else.

    Not in the paper, which leaves it open:

    - mutual reachabilities are often equal, and then there are several minimum spanning
      trees with different values; of equals the shorter distance goes first, which
      leaves one tree;
    - a tree without an inner edge or node (two or three samples) counts with all;
    - a cluster of a single sample is noise, and V is 0 where sparseness and separation
      both are;
    - fewer than two clusters score -1.

    IDCL's Gaussian density (Eq. 1, :mod:`deepdensity.density`) in place of the
    all-points one was tried and left out: on Digits it puts the true classes (-0.14)
    next to shuffled ones (-0.15), the all-points density well above (-0.30, -0.65).

    Parameters
    ----------
    Z : array-like of shape (n_samples, n_features)
    labels : array-like of shape (n_samples,)
        Clusters; -1 is noise.

    Returns
    -------
    float
        In [-1, 1]; free of the scale of Z. Time O(n^2 d), memory O(m^2) for a largest
        cluster of m samples.

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> from deepdensity.metrics import density_validity_score
    >>> Z, moons = make_moons(200, noise=0.05, random_state=0)
    >>> halves = Z[:, 0] > 0.5
    >>> density_validity_score(Z, moons) > 0 > density_validity_score(Z, halves)
    True
    """
    Z = check_array(Z, dtype=np.float64, input_name="Z")
    # by a power of two, which rounds nothing: squares of what is left are finite
    Z = np.ldexp(Z, -int(np.frexp(np.abs(Z).max())[1]))
    labels = check_labels(labels, "labels")
    check_consistent_length(Z, labels)
    names, counts = np.unique(labels, return_counts=True)
    names = names[(names != NOISE) & (counts > 1)]
    if len(names) < 2:
        return -1.0
    clusters = [Z[labels == name] for name in names]
    trees = [spanning_tree(cluster) for cluster in clusters]
    total = 0.0
    for tree, cluster in zip(trees, clusters):
        separation = min(separation_of(tree, t) for t in trees if t is not tree)
        larger = max(separation, tree.sparseness)
        if larger > 0:
            total += len(cluster) * (separation - tree.sparseness) / larger
    return float(total / len(Z))


def spanning_tree(Z: Array) -> Tree:
    """The tree of a cluster (m, d) of two samples or more."""
    m, distances = len(Z), pdist(Z)
    cores = core_distances(Z)
    reach = np.empty_like(distances)
    # where row i of the upper triangle starts; SciPy 1.15 takes int32 alone
    index = np.int32 if len(distances) < 2**31 else np.int64
    starts = np.cumsum([0, *range(m - 1, -1, -1)], dtype=index)
    for i, row in enumerate(map(slice, starts[:-1], starts[1:])):
        reach[row] = np.maximum(cores[i], cores[i + 1 :])
    np.maximum(reach, distances, out=reach)
    # a tree by ranks is a tree by values: without ties, and without zeros, which would
    # mean no edge to scipy
    order = np.lexsort((distances, reach))
    ranks = np.empty(len(order))
    ranks[order] = np.arange(1, len(order) + 1)
    columns = np.concatenate([np.arange(i, m, dtype=index) for i in range(1, m + 1)])
    tree = minimum_spanning_tree(csr_array((ranks, columns, starts), (m, m))).tocoo()
    ends = np.stack([tree.row, tree.col])
    edges = reach[order[tree.data.astype(np.intp) - 1]]
    inner = np.bincount(ends.ravel()) > 1
    inner_edges = inner[ends].all(0)
    if not inner_edges.any():
        inner_edges[:] = inner[:] = True
    return Tree(edges[inner_edges].max(), Z[inner], cores[inner])


def core_distances(Z: Array) -> Array:
    """All-points core distance of each sample of a cluster: (m,)."""
    m, d = Z.shape
    log_density = np.empty(m)
    for rows in gen_batches(m, TILE):
        with np.errstate(divide="ignore"):  # of duplicates: a core distance of 0
            powers = -d * np.log(cdist(Z[rows], Z))
        powers[np.arange(len(powers)), np.arange(rows.start, rows.stop)] = -np.inf
        log_density[rows] = logsumexp(powers, axis=1) - np.log(m - 1)
    distances: Array = np.exp(-log_density / d)
    return distances


def separation_of(tree: Tree, other: Tree) -> float:
    """Smallest mutual reachability of two clusters' inner nodes."""
    reach = np.maximum(tree.cores[:, None], other.cores)
    return float(np.maximum(reach, cdist(tree.nodes, other.nodes)).min())
