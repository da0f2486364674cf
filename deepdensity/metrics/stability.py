"""Mean sample stability of a soft assignment, DECS's score for any estimator."""

from numbers import Real
from typing import Any

import numpy as np
import torch
from scipy import sparse
from sklearn.pipeline import Pipeline
from sklearn.utils import gen_batches
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    StrOptions,
)

from .._decorators import validate_params
from .._typing import Array, Estimator, Samples
from ..samples.rows import BLOCK
from ..stability import DETERMINACIES, otsu_threshold, sample_stability
from ..stability import determinacy as determinacy_of
from ..utils.best_estimator import best_of

__all__ = ["mean_stability"]


@validate_params(
    {
        "estimator": [HasMethods(["predict_proba"])],
        "lambda_var": [Interval(Real, 0, None, closed="left")],
        "determinacy": [StrOptions(set(DETERMINACIES))],
    },
    prefer_skip_nested_validation=True,
)
def mean_stability(
    estimator: Estimator,
    X: Samples,
    y: Any = None,
    *,
    lambda_var: float = 0.8,
    determinacy: str = "quadratic",
) -> float:
    r"""Mean sample stability of the predicted probabilities (Cheng et al. 2024, Eq. 7).

    .. math::
        \frac{1}{n} \sum_i sq_i, \qquad
        sq_i = \frac{1}{k} \sum_j fq_{ij}
             - \frac{\lambda}{k} \sum_j (fq_{ij} - \overline{fq}_i)^2

    where :math:`fq_{ij}` is how surely the probability q_ij of sample i and cluster j
    says "in" or "out" (Eq. 6), relative to Otsu's threshold of the probabilities of X;
    see :mod:`deepdensity.stability`. ``DECSClustering.score`` keeps the threshold of
    its training data and its own parameters instead.

    Parameters
    ----------
    estimator : estimator with ``predict_proba``
        Fitted; a pipeline will do.
    X : array-like or sparse matrix
        What the estimator takes; sparse rows are made dense a block at a time.
    y : Ignored
    lambda_var : float, default=0.8
        Weight of the variance.
    determinacy : {"quadratic", "linear"}, default="quadratic"
        The paper's Eq. 6, or the form of the authors' code.

    Returns
    -------
    float
        At most 1, where every probability is 0 or 1; at least 0 for lambda_var <= 1.

    Notes
    -----
    **What it can compare:** fits of the same `n_clusters` and the same kind of
    probabilities, such as starts, seeds, `lambda_0` or `balance`. Not across
    `n_clusters`: with more of them most are surely "out", and the mean rises. Not
    across estimators, nor across `alpha` or `kernel_scale`: those sharpen probabilities
    by themselves, whatever the clusters. Not fits trained for it (DECS) with fits that
    are not (IDCL). It sees how sure the assignment is and not whether it is right.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from sklearn.mixture import GaussianMixture
    >>> from deepdensity.metrics import mean_stability
    >>> X, _ = make_blobs(60, centers=[[0, 0], [9, 9]], random_state=0)
    >>> round(mean_stability(GaussianMixture(2, random_state=0).fit(X), X), 3)
    1.0
    """
    q = torch.from_numpy(probabilities(estimator, X).astype(np.float64))
    fq = determinacy_of(q, otsu_threshold(q), determinacy)
    return float(sample_stability(fq, lambda_var).mean())


def probabilities(estimator: Estimator, X: Samples) -> Array:
    """``predict_proba`` of X: array (n, k); this package's takes dense rows only."""
    estimator = best_of(estimator)
    if isinstance(estimator, Pipeline) and len(estimator) > 1:
        # what reaches the last step may be sparse where X is not
        X, estimator = estimator[:-1].transform(X), estimator[-1]
    if not sparse.issparse(X):
        return np.asarray(estimator.predict_proba(X))
    X = X.tocsr()
    blocks = (X[rows].toarray() for rows in gen_batches(X.shape[0], BLOCK))
    return np.concatenate([estimator.predict_proba(block) for block in blocks])
