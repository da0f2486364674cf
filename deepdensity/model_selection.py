"""Splits of the data that suit a clustering, for the searches of scikit-learn."""

from collections.abc import Iterator
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.model_selection import BaseCrossValidator, KFold
from sklearn.utils.validation import _num_samples

from ._typing import Array, Samples
from .utils.random_states import as_random_state

__all__ = ["ClusteringKFold", "InSampleSplit"]


class InSampleSplit(BaseCrossValidator):
    """Train and score on all samples: a search without held-out data.

    A clustering is made for the samples at hand, and a score that needs no classes is a
    score of these. As ``cv=InSampleSplit()`` each candidate is fitted once, to all of
    them, and the score of the best one is that of the refitted `best_estimator_`.

    Parameters
    ----------
    n_splits : int, default=1
        1 is X as it is. More are repetitions, each with the samples in an order of its
        own: another course of training even where the estimator's `random_state` is an
        int. Their mean score is less a matter of luck. Labels in the estimator's `init`
        would not go with the samples in another order: they need 1.
    random_state : int, RandomState instance or None, default=None
        Of the orders. None takes fresh entropy. A single split has no chance in it.

    Examples
    --------
    >>> import numpy as np
    >>> from deepdensity.model_selection import InSampleSplit
    >>> [(train, test)] = InSampleSplit().split(np.zeros((4, 2)))
    >>> train, test
    (array([0, 1, 2, 3]), array([0, 1, 2, 3]))
    """

    def __init__(self, n_splits: int = 1, *, random_state: Any = None) -> None:
        self.n_splits = check_n_splits(n_splits, at_least=1)
        self.random_state = random_state

    @property
    def shuffle(self) -> bool:
        """Whether chance has a part in the splits: scikit-learn's halving asks."""
        return self.n_splits > 1

    def split(
        self, X: Samples, y: Any = None, groups: Any = None
    ) -> Iterator[tuple[Array, Array]]:
        """Pairs of the same indices, to train on and to score.

        Parameters
        ----------
        X : array-like or sparse matrix of n_samples
        y, groups : Ignored

        Yields
        ------
        train, test : int arrays of shape (n_samples,)
        """
        n_samples = _num_samples(X)
        if self.n_splits == 1:
            yield np.arange(n_samples), np.arange(n_samples)
            return
        random = as_random_state(self.random_state)
        for _ in range(self.n_splits):
            order = random.permutation(n_samples)
            yield order, order.copy()

    def get_n_splits(self, X: Samples = None, y: Any = None, groups: Any = None) -> int:
        """The number of splits.

        Parameters
        ----------
        X, y, groups : Ignored

        Returns
        -------
        int
        """
        return self.n_splits


class ClusteringKFold(KFold):
    """Folds of shuffled samples: fitted to some, scored on the others.

    ``cv=5`` cuts samples into folds as they come: where they are sorted by class, as
    collections often are, whole clusters are missing from the training. These folds are
    shuffled. They are never stratified: y has no part in them.

    Parameters
    ----------
    n_splits : int, default=5
        Folds, 2 or more.
    random_state : int, RandomState instance or None, default=None
        Of the order. None takes fresh entropy.

    Examples
    --------
    >>> import numpy as np
    >>> from deepdensity.model_selection import ClusteringKFold
    >>> folds = ClusteringKFold(3, random_state=0).split(np.zeros((6, 2)))
    >>> [len(test) for train, test in folds]
    [2, 2, 2]
    """

    def __init__(self, n_splits: int = 5, *, random_state: Any = None) -> None:
        n_splits = check_n_splits(n_splits, at_least=2)
        super().__init__(n_splits, shuffle=True, random_state=random_state)

    def _iter_test_indices(
        self, X: Samples, y: Any = None, groups: Any = None
    ) -> Iterator[Array]:
        order = as_random_state(self.random_state).permutation(_num_samples(X))
        yield from np.array_split(order, self.n_splits)


def check_n_splits(n_splits: int, at_least: int) -> int:
    """`n_splits` as an int of at least so many."""
    if not isinstance(n_splits, Integral) or n_splits < at_least:
        hint = (
            " To train and score on all samples take InSampleSplit()."
            if at_least == 2 and n_splits == 1
            else ""
        )
        raise ValueError(
            f"n_splits={n_splits!r} must be a whole number of at least {at_least}."
            + hint
        )
    return int(n_splits)
