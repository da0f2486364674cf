"""Agreement of the labels that an estimator gives when fitted on parts of the data."""

from itertools import combinations
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import _num_samples

from .._decorators import validate_params
from .._typing import Array, Estimator, Samples
from ..samples.rows import take_rows
from ..utils.random_states import as_random_state
from .sampling import SAMPLE_CONSTRAINTS

__all__ = ["resampling_agreement"]


@validate_params(
    {
        "estimator": [HasMethods(["fit", "predict"])],
        "n_resamples": [Interval(Integral, 2, None, closed="left")],
        "fraction": [Interval(Real, 0, 1, closed="right")],
        "random_state": SAMPLE_CONSTRAINTS["random_state"],
        "n_jobs": [Integral, None],
    },
    prefer_skip_nested_validation=False,  # the fits check their own parameters
)
def resampling_agreement(
    estimator: Estimator,
    X: Samples,
    y: Any = None,
    *,
    n_resamples: int = 5,
    fraction: float = 0.8,
    random_state: Any = 0,
    n_jobs: int | None = None,
) -> float:
    r"""Agreement of clusterings fitted on random subsets (after Ben-Hur et al. 2002).

    .. math::
        \frac{2}{m (m - 1)} \sum_{a < b} \mathrm{ARI}(c_a, c_b)

    Clone a of the estimator is fitted on a random share of the samples and gives all of
    them labels c_a. The adjusted Rand index (Hubert & Arabie 1985) compares the labels
    of each two of the m clones: 1 where they are the same but for names, 0 on average
    where they agree by chance.

    The fit of `estimator` itself is not used. Its clones keep its parameters, so that
    with an int for their `random_state` they differ by their subsets alone; with None
    by chance as well. As a scorer, in each split of a search, it means m more fits.

    Parameters
    ----------
    estimator : estimator with ``fit`` and ``predict``
        Fitted or not; a pipeline will do.
    X : array-like or sparse matrix
        What the estimator takes.
    y : Ignored
    n_resamples : int, default=5
        m, 2 or more.
    fraction : float in (0, 1], default=0.8
        Share of the samples in each subset, drawn without replacement.
    random_state : int, RandomState instance or None, default=0
        Of the subsets. None takes fresh entropy.
    n_jobs : int, default=None
        Fits at a time, as in scikit-learn.

    Returns
    -------
    float
        At most 1. Two clones that both put all samples in one cluster count 0: they
        would agree on any data.

    Notes
    -----
    **What it can compare:** anything that has labels, whatever the latent space, its
    scale and its size: networks, methods, all parameters. Across `n_clusters` with
    care: two or three coarse clusters often come back more surely than the ten that are
    meant. It sees what is reproducible and not what is right: a fault that comes back
    on every subset costs nothing.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from sklearn.datasets import make_blobs
    >>> from deepdensity.metrics import resampling_agreement
    >>> X, _ = make_blobs(60, centers=[[0, 0], [9, 9]], random_state=0)
    >>> resampling_agreement(KMeans(2, random_state=0), X)
    1.0
    """
    n_samples = _num_samples(X)
    n_chosen = round(fraction * n_samples)
    if n_chosen < 1:
        raise ValueError(
            f"fraction={fraction} of n_samples={n_samples} is no sample: choose a "
            "larger fraction."
        )
    init: Any = getattr(estimator, "init", None)
    if np.shape(init) == (n_samples,):
        raise ValueError(
            "estimator.init holds a label for each row of X, and the clones are fitted "
            "on random rows: choose the name of a start."
        )
    random = as_random_state(random_state)
    subsets = [
        take_rows(X, random.permutation(n_samples)[:n_chosen])
        for _ in range(n_resamples)
    ]
    fits = (delayed(fit_predict_all)(clone(estimator), part, X) for part in subsets)
    labels = Parallel(n_jobs=n_jobs)(fits)
    return float(np.mean([agreement(a, b) for a, b in combinations(labels, 2)]))


def fit_predict_all(estimator: Estimator, part: Any, X: Samples) -> Any:
    """Labels of all of X by an estimator fitted on a part of it."""
    return estimator.fit(part).predict(X)


def agreement(a: Array, b: Array) -> float:
    """Adjusted Rand index, but 0 of two labellings by a single cluster each."""
    if len(np.unique(a)) == len(np.unique(b)) == 1:
        return 0.0
    return float(adjusted_rand_score(a, b))
