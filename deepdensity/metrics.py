"""Scores of a clustering against known classes, beside those of scikit-learn."""

from scipy.optimize import linear_sum_assignment
from sklearn.metrics.cluster import contingency_matrix
from sklearn.utils import check_array, check_consistent_length, column_or_1d

__all__ = ["clustering_accuracy"]


def clustering_accuracy(y_true, y_pred):
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


def check_labels(labels, name):
    """Labels as an array (n,) of at least one, without NaN."""
    labels = check_array(labels, ensure_2d=False, dtype=None, input_name=name)
    return column_or_1d(labels, input_name=name)
