"""Spectral clustering of the embedding's neighbour graph."""

import numpy as np
from sklearn.cluster import SpectralClustering
from sklearn.neighbors import KNeighborsClassifier

from .._typing import Array
from ..assignment import cluster_means
from .kmeans import kmeans_start
from .shared_contexts import quiet
from .sizes import N_NEIGHBOURS, some, too_few

__all__ = ["spectral_start"]


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
    if too_few(n_samples, n_clusters):
        return kmeans_start(Z, views, n_clusters, n_init, seed)
    random = np.random.RandomState(seed)
    chosen = some(n_samples, random)
    spectral = SpectralClustering(
        n_clusters,
        affinity="nearest_neighbors",
        n_neighbors=N_NEIGHBOURS,
        n_init=n_init,
        random_state=random,
    )
    with quiet:  # a graph in several parts will do for a start
        labels = spectral.fit_predict(views[chosen])
    if len(chosen) < n_samples:
        neighbours = KNeighborsClassifier(N_NEIGHBOURS).fit(views[chosen], labels)
        labels = neighbours.predict(views)
    return cluster_means(Z, labels, n_clusters), labels
