"""Clusters against known classes, beside the scores of scikit-learn."""

from typing import Any

from scipy.optimize import linear_sum_assignment
from sklearn.metrics.cluster import contingency_matrix
from sklearn.utils import check_array, check_consistent_length, column_or_1d

from .._typing import Array, Estimator, Samples

__all__ = ["accuracy_scorer", "clustering_accuracy"]


def clustering_accuracy(y_true: Samples, y_pred: Samples) -> float:
    r"""Share of samples in the right class (ACC; Zheng et al. 2024, Eq. 29).

    .. math::
        \mathrm{ACC} = \max_m \frac{1}{n} \sum_{i=1}^n \mathbb{1}\{y_i = m(c_i)\}

    :math:`y_i` is the class of sample i, :math:`c_i` its cluster, and m runs over the
    one-to-one matchings of clusters to classes. The best of them is found by the
    Hungarian algorithm. Where there are more clusters than classes, the samples of
    those that stay unmatched count as wrong.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Classes: numbers or strings.
    y_pred : array-like of shape (n_samples,)
        Clusters: numbers or strings, not necessarily those of `y_true`.

    Returns
    -------
    float
        In (0, 1]; 1 where clusters and classes are the same but for their names.

    Examples
    --------
    >>> from deepdensity.metrics import clustering_accuracy
    >>> clustering_accuracy([0, 0, 1, 1], [1, 1, 0, 0])
    1.0
    >>> clustering_accuracy(["a", "a", "b", "b"], [0, 1, 2, 2])
    0.75
    """
    y_true = check_labels(y_true, "y_true")
    y_pred = check_labels(y_pred, "y_pred")
    check_consistent_length(y_true, y_pred)
    counts = contingency_matrix(y_true, y_pred)  # (classes, clusters)
    matching = linear_sum_assignment(counts, maximize=True)
    return float(counts[matching].sum() / len(y_true))


def accuracy_scorer(estimator: Estimator, X: Samples, y: Samples = None) -> float:
    """Accuracy of the clusters that a fitted estimator predicts, as a scorer.

    Parameters
    ----------
    estimator : estimator with ``predict``
        Fitted.
    X : array-like or sparse matrix
        What ``predict`` takes.
    y : array-like of shape (n_samples,)
        Classes: they must be given.

    Returns
    -------
    float
        :func:`clustering_accuracy` of ``y`` and ``estimator.predict(X)``.

    Notes
    -----
    **What it can compare:** any two clusterings of the same samples, whatever the
    method and the latent space. Across `n_clusters` with care: clusters in excess of
    the classes count as wrong. What is chosen by it has seen the classes: report
    another data set's, or other samples'.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from deepdensity.metrics import accuracy_scorer
    >>> X, y = [[0.0], [0.1], [5.0], [5.1]], ["a", "a", "b", "b"]
    >>> accuracy_scorer(KMeans(2, random_state=0).fit(X), X, y)
    1.0
    """
    if y is None:
        raise ValueError(
            "accuracy_scorer compares clusters with known classes, and y is None: give "
            "y to the search, search.fit(X, y), or choose a score that needs no "
            "classes, such as embedding_silhouette."
        )
    return clustering_accuracy(y, estimator.predict(X))


def check_labels(labels: Array, name: str) -> Any:
    """Labels as an array (n,) of at least one, without NaN."""
    labels = check_array(labels, ensure_2d=False, dtype=None, input_name=name)
    if labels.dtype == object and any(label is None for label in labels.flat):
        raise ValueError(f"{name} holds None: each sample must have a label.")
    return column_or_1d(labels, input_name=name)
