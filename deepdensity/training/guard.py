"""A guard of the clustering phase against divergence and collapse."""

import copy
from typing import Any

import numpy as np
from skorch.callbacks import LRScheduler

from .._typing import Array
from .schedules import ScheduledRate

__all__ = ["Guard"]

MAX_ROLLBACKS = 3
RATES = {"lr", "initial_lr", "max_lr", "min_lr"}  # torch's of a parameter group
LOST = 0.05  # share of its size at the start below which a cluster is lost


class Guard:
    """Keeps the last good state of network and clusters, and goes back to it.

    At every refresh it is shown the embedding and the labels. Where the embedding is
    not finite, or a cluster that had been there is lost, it restores the last good
    state, halves the learning rate and forgets the optimiser's momentum; after three
    times the training is to end at the last good state. The start is kept, too, to go
    back to where the end is worse.

    Parameters
    ----------
    net : skorch.NeuralNet
        Its module and criterion are what is kept.
    labels : int array of shape (n,)
        Where the clusters start.
    n_clusters : int
    fewest : int, default=0
        Clusters that start with fewer samples may lose them.
    watches : bool, default=True
        False finds no fault with anything.

    Attributes
    ----------
    watches : bool
    n_rollbacks : int
    passed : bool
        Whether the state was good when last looked at.
    """

    def __init__(
        self,
        net: Any,
        labels: Array,
        n_clusters: int,
        fewest: int = 0,
        watches: bool = True,
    ) -> None:
        self.net = net
        self.n_clusters = n_clusters
        sizes = self.sizes(labels)
        self.first_sizes = np.where(sizes < fewest, 0, sizes)
        self.n_rollbacks = 0
        self.passed = True
        self.watches = watches
        if watches:
            self.keep()
            self.first = self.good

    @property
    def at_start(self) -> bool:
        """Whether it watches, and no later state has been good."""
        return self.watches and self.good is self.first

    def sizes(self, labels: Array) -> Array:
        return np.bincount(labels, minlength=self.n_clusters)

    def keep(self) -> None:
        """Note the state as good."""
        self.good = copy.deepcopy(
            (self.net.module_.state_dict(), self.net.criterion_.state_dict())
        )

    def fault(self, Z: Array, labels: Array) -> str:
        """What is wrong with an embedding and its labels: "" if nothing."""
        if not np.isfinite(Z).all():
            return "diverged"
        lost = self.sizes(labels) < LOST * self.first_sizes
        return "collapsed" if lost.any() else ""

    def passes(self, Z: Array, labels: Array) -> bool:
        """Whether the state is good; where not it has been replaced by the last good.

        The fault is recorded in the history's last row, as "rollback". Before the first
        epoch there is none, and nothing to go back from.
        """
        if not self.watches or not self.net.history:
            return True
        fault = self.fault(Z, labels)
        self.passed = not fault
        if self.passed:
            self.keep()
            return True
        self.n_rollbacks += 1
        self.go_back(self.good, fault)
        self.net.forget()
        self.slow_down()
        return False

    def go_back(self, state: Any, fault: str) -> None:
        """Put a kept state in the place of the present one, and record why."""
        self.net.history.record("rollback", fault)
        module, criterion = state
        self.net.module_.load_state_dict(module)
        self.net.criterion_.load_state_dict(criterion)

    def end_at_start(self) -> None:
        """Put the start in the place of an end that scores less."""
        self.go_back(self.first, "worse than the start")

    def slow_down(self) -> None:
        """Half the learning rate, scheduled or not."""
        for _, callback in self.net.callbacks_:
            if isinstance(callback, ScheduledRate):
                callback.lr /= 2
            elif isinstance(callback, LRScheduler):
                halve_base(callback.lr_scheduler_)
        for group in self.net.optimizer_.param_groups:
            for name in RATES & group.keys():
                group[name] /= 2

    @property
    def gave_up(self) -> bool:
        return self.n_rollbacks >= MAX_ROLLBACKS

    def report(self) -> str:
        """What has been wrong, for a warning; "" if nothing.

        That the start has been better than the end is no fault: with small tables it
        is common, and there is nothing to be done about it.
        """
        if not self.n_rollbacks:
            return ""
        times = f"{self.n_rollbacks} time{'s' * (self.n_rollbacks > 1)}"
        return (
            f"The clustering phase lost clusters or diverged {times}, and went back to "
            "its last good state at half the learning rate"
            f"{'; at last it ended there' * self.gave_up}. A smaller lr or a longer "
            "pretraining may help. See 'rollback' in history_."
        )


def halve_base(scheduler: Any) -> None:
    """Half the rates that a scheduler of torch computes its rates from, if it has any.

    It would put the rate back to what it was, else.
    """
    for name in ("base_lrs", "max_lrs"):
        if rates := getattr(scheduler, name, None):
            setattr(scheduler, name, [rate / 2 for rate in rates])
