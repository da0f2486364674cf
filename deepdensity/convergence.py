"""When to stop: labels that no longer change."""

import numpy as np

from ._typing import Array

__all__ = ["LabelWatch"]


PATIENCE = 2  # refreshes running


class LabelWatch:
    """Tells that the labels have settled: few of them change from refresh to refresh.

    Parameters
    ----------
    labels : int array of shape (n,)
        Where they start.
    tol : float
        Settled once the share of labels that change stays under `tol` for two refreshes
        running; 0 never settles.

    Attributes
    ----------
    labels : int array of shape (n,)
        Of the last refresh.
    change : float
        Share of the labels that the last refresh changed.
    """

    def __init__(self, labels: Array, tol: float) -> None:
        self.labels = labels
        self.tol = tol
        self.change = float("nan")
        self._quiet = 0

    def update(self, labels: Array, count: bool = True) -> bool:
        """Take in new labels; True where they have settled.

        With `count` false the labels are noted, but a small change is no sign that they
        have settled: the next refresh starts to count anew.
        """
        self.change = float(np.mean(labels != self.labels))
        self.labels = labels
        self._quiet = self._quiet + 1 if count and self.change < self.tol else 0
        return self._quiet >= PATIENCE
