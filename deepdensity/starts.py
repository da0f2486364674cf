"""From which partition the clustering phase starts: k-means, or spectral clustering."""

import numpy as np
from sklearn.cluster import KMeans, SpectralClustering
from sklearn.neighbors import KNeighborsClassifier

__all__ = ["STARTS", "kmeans_start", "spectral_start"]

N_NEIGHBORS = 10
MAX_GRAPH = 10_000  # samples in the neighbour graph; the others join their neighbours


def kmeans_start(Z, views, n_clusters, n_init, seed):
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
    """
    kmeans = KMeans(n_clusters, n_init=n_init, random_state=seed).fit(Z)
    return kmeans.cluster_centers_, kmeans.labels_


def spectral_start(Z, views, n_clusters, n_init, seed):
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
    """
    n_samples = len(Z)
    if n_clusters == 1 or n_samples < N_NEIGHBORS * n_clusters:
        return kmeans_start(Z, views, n_clusters, n_init, seed)
    random = np.random.RandomState(seed)
    chosen = np.arange(n_samples)
    if n_samples > MAX_GRAPH:
        chosen = random.choice(n_samples, MAX_GRAPH, replace=False)
    labels = SpectralClustering(
        n_clusters,
        affinity="nearest_neighbors",
        n_neighbors=N_NEIGHBORS,
        n_init=n_init,
        random_state=random,
    ).fit_predict(views[chosen])
    if n_samples > MAX_GRAPH:
        neighbours = KNeighborsClassifier(N_NEIGHBORS).fit(views[chosen], labels)
        labels = neighbours.predict(views)
    centres = np.tile(Z.mean(0), (n_clusters, 1))  # stays for a label that is not there
    for label in np.unique(labels):
        centres[label] = Z[labels == label].mean(0)
    return centres, labels


STARTS = {"k-means": kmeans_start, "spectral": spectral_start}
