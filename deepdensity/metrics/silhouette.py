"""Silhouette of the clusters in the embedding."""

from typing import Any

import numpy as np
from sklearn.metrics import silhouette_score
from sklearn.utils._param_validation import HasMethods

from .._decorators import validate_params
from .._typing import Estimator, Samples
from .sampling import SAMPLE_CONSTRAINTS, random_rows

__all__ = ["embedding_silhouette"]


@validate_params(
    {"estimator": [HasMethods(["transform", "predict"])], **SAMPLE_CONSTRAINTS},
    prefer_skip_nested_validation=True,
)
def embedding_silhouette(
    estimator: Estimator,
    X: Samples,
    y: Any = None,
    *,
    max_samples: int | None = 5000,
    random_state: Any = 0,
) -> float:
    r"""Mean silhouette of predicted clusters in the embedding (Rousseeuw 1987).

    .. math::
        s = \frac{1}{n} \sum_i \frac{b_i - a_i}{\max(a_i, b_i)}

    with a_i the mean Euclidean distance of the embedded sample i to the others of its
    cluster, and b_i that to the samples of the nearest other cluster: as computed by
    :func:`sklearn.metrics.silhouette_score`, in O(n^2) time and O(n) memory.

    Parameters
    ----------
    estimator : estimator with ``transform`` and ``predict``
        Fitted; a pipeline or a search that ends in one will do.
    X : array-like or sparse matrix
        What the estimator takes.
    y : Ignored
    max_samples : int or None, default=5000
        Rows of X, chosen at random, that the mean is over where there are more; None
        takes all.
    random_state : int, RandomState instance or None, default=0
        Of the choice. None takes fresh entropy.

    Returns
    -------
    float
        In [-1, 1]. -1 where it is not defined: where all samples are in one cluster, or
        each in one of its own.

    Notes
    -----
    **What it can compare:** fits that differ in what shapes the clusters within a
    similar latent space: seeds, starts, `pacing`, `lambda_0`, `alpha`. It does not mind
    the latent space's scale. It cannot compare fits of different `n_components` or
    networks, in whose spaces distances mean different things, nor a short training with
    a long one: the clustering phase contracts clusters, right or wrong, and the
    silhouette rises with it. Across `n_clusters` it is a rough guide at best, since
    each fit has made its own space for its own number.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from sklearn.datasets import make_blobs
    >>> from deepdensity.metrics import embedding_silhouette
    >>> X, _ = make_blobs(60, centers=[[0, 0], [9, 9]], random_state=0)
    >>> round(embedding_silhouette(KMeans(2, random_state=0).fit(X), X), 1)
    0.9
    """
    X = random_rows(X, max_samples, random_state)
    Z, labels = np.asarray(estimator.transform(X)), estimator.predict(X)
    if not 2 <= len(np.unique(labels)) < len(labels):
        return -1.0
    return float(silhouette_score(Z, labels))
