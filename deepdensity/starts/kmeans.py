"""k-means on the embedding: DECS's start, and taken for IDCL's, which is not told."""

from sklearn.cluster import KMeans

from .._typing import Array
from .shared_contexts import few_threads, quiet

__all__ = ["kmeans_start"]


def kmeans_start(
    Z: Array, views: Array, n_clusters: int, n_init: int, seed: int
) -> tuple[Array, Array]:
    """k-means on the embedding (DECS, Algorithm 1, line 2).

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
    # of clusters that are lost to duplicates the end of the fit tells
    with quiet, few_threads(len(Z) * n_clusters):
        kmeans = KMeans(n_clusters, n_init=n_init, random_state=seed).fit(Z)
    return kmeans.cluster_centers_, kmeans.labels_
