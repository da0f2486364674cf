"""The steps of a fit that `memory` keeps: which they are, and what they depend on."""

from collections.abc import Callable
from typing import Any

from .._typing import Array
from ..fitted import FittedDeepClustering
from ..neighbours import nearest_neighbours, neighbours_in_cluster
from ..samples.inputs import Source
from ..training.trainer import Trainer
from ..utils.user_warnings import warn
from .recall import recall, recall_result

__all__ = ["KeptSteps"]

# parameters that the clustering phase does not see but by network, views and seeds
NOT_OF_CLUSTERING = {
    "augment",
    "autoencoder",
    "callbacks",
    "device",
    "memory",
    "random_state",
    "verbose",
    "warm_start",
}


class KeptSteps(FittedDeepClustering):
    """Steps of a fit, done or recalled; see :mod:`deepdensity.memory`."""

    # an estimator's clustering phase: `_cluster(trainer, *start)` trains, sets the
    # attributes named below, and returns a result and what the guard has to report
    _cluster: Callable[..., tuple[Any, str]]
    _set_by_clustering: tuple[str, ...] = ("information_",)

    def _remembers(self) -> bool:
        """Whether steps of this fit come from `memory`, and go there."""
        chance = self.random_state is None
        return self.memory is not None and not (chance or self.callbacks)

    def _recall(self, trainer: Trainer, step: Any, work: Callable[[], Any]) -> Any:
        """What `work()` returns, from `memory` where it has been done before."""
        if not self._remembers():
            return work()
        return recall(self.memory, trainer, step, work)

    def _find_neighbours(self, source: Source, seed: int) -> Array | None:
        """`nearest_neighbours`, from `memory` where they have been found before."""

        n_clusters = 2 if self.n_clusters == "auto" else self.n_clusters  # at least
        at_most = neighbours_in_cluster(len(source), n_clusters)

        def find() -> Array | None:
            return nearest_neighbours(source, seed, at_most)

        if not self._remembers():
            return find()
        step = ("neighbours", source, seed, at_most)
        neighbours: Array | None = recall_result(self.memory, step, find)
        return neighbours

    def _train_clusters(self, trainer: Trainer, start: tuple[Array, ...]) -> Any:
        """`_cluster`, or what it has led to before: the result. Warns of its faults."""

        def train() -> Any:
            result = self._cluster(trainer, *start)
            return result, {name: vars(self)[name] for name in self._set_by_clustering}

        parameters = {
            name: value
            for name, value in self.get_params(deep=False).items()
            if name not in NOT_OF_CLUSTERING
        }
        step = ("cluster", type(self), parameters, start)
        seeds = (self._start_seed, self._density_seed)
        facts = (self.n_clusters_, self.kernel_scale_, self._tried_balance, *seeds)
        (result, report), values = self._recall(trainer, (*step, *facts), train)
        self.__dict__.update(values)
        if report:
            warn(report)
        return result
