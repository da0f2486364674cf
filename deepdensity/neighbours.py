"""The nearest neighbours of each sample, among principal components of the input."""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import gen_batches

from ._typing import Array
from .lengths import by_power
from .samples.inputs import Source
from .samples.rows import some_rows

__all__ = ["FEW_FEATURES", "nearest_neighbours", "neighbours_in_cluster"]

N_NEIGHBOURS = 10
CLUSTER_SHARE = 1 / 2  # of a cluster of mean size, that neighbours are at most
N_PRINCIPAL = 50  # components
FEW_FEATURES = 50  # less than which a length tells more than how much there is
MAX_FITTED = 10_000  # samples that the components are fitted to
MAX_REFERENCE = 20_000  # samples among which neighbours are sought
BLOCK = 4096  # rows that are compared with all of the reference at a time


def neighbours_in_cluster(n_samples: int, n_clusters: int) -> int:
    """How many neighbours are likely to be of a sample's own cluster, 10 at most.

    Half of a cluster of mean size: of 20 samples in 4 clusters ten neighbours would
    be of all of them.

    Examples
    --------
    >>> from deepdensity.neighbours import neighbours_in_cluster
    >>> [neighbours_in_cluster(n, n_clusters=10) for n in (1797, 150, 15)]
    [10, 7, 0]
    """
    return min(N_NEIGHBOURS, int(CLUSTER_SHARE * n_samples / n_clusters))


def nearest_neighbours(
    source: Source, seed: int, at_most: int = N_NEIGHBOURS
) -> Array | None:
    """Indices of the samples nearest to each, about their mean.

    By the cosine distance between the first 50 principal components of the network's
    input: the length of many features says above all how much there is of a sample, of
    words, of RNA. Of fewer than 50 features by the Euclidean distance once each row is
    divided by the root of its length (:func:`~deepdensity.lengths.by_power`): in a
    plane the length is half of what there is to know, on a line all but the sign. Of
    more than 20,000 samples a random 20,000 may be neighbours.

    Parameters
    ----------
    source : Source
    seed : int
    at_most : int, default=10
        0 makes each sample its own neighbour.

    Returns
    -------
    int array of shape (n, m), or None
        m is `at_most`, less where there are fewer other samples; None for a lone
        sample.
    """
    if len(source) < 2:
        return None
    if at_most < 1:
        return np.arange(len(source))[:, None]
    random = np.random.RandomState(seed)
    C = principal_components(source, random)
    C = by_power(C, 1 / 2 if source.X.shape[1] < FEW_FEATURES else 1)
    reference = some_rows(len(C), MAX_REFERENCE, random)
    n_neighbours = min(at_most, len(reference) - 1)
    search = NearestNeighbors(n_neighbors=n_neighbours + 1).fit(C[reference])
    neighbours = np.empty((len(C), n_neighbours), dtype=np.int32)
    for rows in gen_batches(len(C), BLOCK):
        found = reference[search.kneighbors(C[rows], return_distance=False)]
        neighbours[rows] = without_itself(found, np.arange(rows.start, rows.stop))
    return neighbours


def principal_components(source: Source, random: np.random.RandomState) -> Array:
    """Rows of the network's input on their principal components: float32 (n, m)."""
    fitted = some_rows(len(source), MAX_FITTED, random)
    part = source.part(fitted)
    sample = np.empty(part.X.shape, dtype=np.float32)
    for rows in part.blocks():  # the sample is dense, not what it is made of
        sample[rows] = part.read(rows).flatten(1).cpu().numpy()
    n_principal = min(N_PRINCIPAL, *sample.shape)
    with np.errstate(invalid="ignore"):  # constant data have no share of a variance
        pca = PCA(n_principal, copy=False, random_state=random).fit(sample)
    C = np.empty((len(source), n_principal), dtype=np.float32)
    for rows in source.blocks():
        C[rows] = pca.transform(source.read(rows).flatten(1).cpu().numpy())
    return C


def without_itself(found: Array, samples: Array) -> Array:
    """Neighbour lists (b, m + 1), nearest first, less the sample (b,) itself: (b, m).

    A sample that is not among its neighbours, as among many that equal it, loses the
    farthest.
    """
    own = found == samples[:, None]
    own[~own.any(1), -1] = True
    others: Array = found[~own]
    return others.reshape(len(found), -1)
