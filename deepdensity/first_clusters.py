"""The clusters that a fit starts from: how many, and which, chosen without labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._typing import Array
from .assignment import cluster_means, nearest_centre
from .best_trial import best_trial
from .cluster_number import highest_number, try_numbers
from .information import net_information
from .interruption import Interrupted
from .kept_steps import KeptSteps
from .recipe import BALANCE, TRIAL_STEPS
from .rows import some_rows
from .starts import STARTS, given_labels, kmeans_start, several_starts, too_few
from .telling import warn
from .trials import settled, start_scale

if TYPE_CHECKING:
    from .training import Trainer

__all__ = ["FirstClusters"]

STARTING = 20_000  # samples that are clustered for the start, where there are more
STARTING_PER_CLUSTER = 100  # but at least
MOST_CLUSTERS = 100  # that starts are tried with: mixtures and cuts grow slow with them
N_VIEWS = 8  # augmented views of a sample that are averaged for the start
N_SCORED = 2  # views of a sample that start and end are compared by


class FirstClusters(KeptSteps):
    """The start of the clustering phase, by `init` and `n_clusters`."""

    _settles_start = False  # whether that of vectors is trained before the phase
    _start_trained: bool  # whether the start has a network that was trained for it

    def _first_partition(self, trainer: Trainer) -> Any:
        """Centres (k, latent) and labels (n,) to start from; sets what they tell.

        By `init`; where that is "auto" each start is tried, and the best is kept with
        the network that it has trained.
        """
        self.n_clusters_, self.n_clusters_scores_ = self._number(trainer)
        parameters = (self.n_clusters_, self.init, self.n_init, self._start_seed)
        settles = self._settles(trainer)

        def choose() -> Any:
            Z, start, kmeans, scores, balance = self._choose_start(
                trainer, trainer.embed()
            )
            trained = bool(scores)
            scale = start_scale(Z, *start)  # as chosen, not as it may settle
            if settles and not trainer.interruption.asked:
                centres, labels = start
                later = settled(trainer, centres, labels, TRIAL_STEPS, self._start_seed)
                start, trained = later or start, later is not None
            views = (trainer.embed_view() for _ in range(N_SCORED))
            seen = [nearest_centre(Z, start[0]) for Z in views]
            information = net_information(seen)
            return start, kmeans, scores, balance, trained, scale, information

        (
            start,
            self.pretrain_labels_,
            self.start_scores_,
            self._tried_balance,
            self._start_trained,
            scale,
            self.start_information_,
        ) = self._recall(trainer, ("start", *parameters, settles), choose)
        self.kernel_scale_ = self._first_scale(trainer, scale)
        return start

    def _settles(self, trainer: Trainer) -> bool:
        """Whether to train the start for a while: of vectors; images try several."""
        if not self._settles_start or self._is_given or self.init != "auto":
            return False
        if not 1 < self.n_clusters_ <= MOST_CLUSTERS:
            return False
        if too_few(len(trainer.source), self.n_clusters_):
            return False
        return trainer.augment is None and "cluster" in trainer.views

    @property
    def _is_given(self) -> bool:
        """Whether `init` holds labels to start from, not the name of a start."""
        return not isinstance(self.init, str)

    @property
    def _start_balance(self) -> float:
        """Weight of the balance with which the start was tried."""
        return getattr(self, "_tried_balance", BALANCE)

    def _number(self, trainer: Trainer) -> Any:
        """The number of clusters, and the scores of those tried where it is "auto".

        Of more than 20,000 images a random 20,000 are tried.
        """
        if self.n_clusters != "auto":
            return int(self.n_clusters), {}  # torch takes no integers of NumPy's
        if len(trainer.source) < 2:
            raise ValueError(
                "n_clusters='auto' needs more than one sample: give n_clusters."
            )
        if "cluster" not in trainer.views:
            raise ValueError(
                "n_clusters='auto' compares views of the samples, and with "
                f"augment={self.augment!r} there are none: choose augment='auto', or "
                "give n_clusters."
            )

        def find() -> Any:
            part = trainer
            if trainer.augment is not None and len(trainer.source) > STARTING:
                part = trainer.part(self._some(trainer, STARTING))
            views = part.embed_views(N_VIEWS)
            return try_numbers(part, views, TRIAL_STEPS, self._start_seed)

        number, scores = self._recall(trainer, ("number", self._start_seed), find)
        most = highest_number(len(trainer.source))
        if max(scores, key=scores.__getitem__) == most:
            warn(
                f"n_clusters='auto' scored highest at {most}, the highest number that "
                "it tries (50, or one for each 20 samples): there may be more. Give "
                "n_clusters if you know it.",
                UserWarning,
            )
        return number, scores

    def _some(self, trainer: Trainer, at_most: int) -> Array:
        """Random rows, as many or all of them, that make the start of a large set."""
        random = np.random.RandomState(self._start_seed)
        return some_rows(len(trainer.source), at_most, random)

    def _choose_start(self, trainer: Trainer, Z: Array) -> Any:
        """Embedding, centres and labels to start from, and what else a start tells.

        That is k-means' labels, the trials' scores and the weight of the balance. The
        embedding is `Z`, or that of the best trial's network. Of more than 20,000
        samples (or 100 a cluster, if that is more) a random 20,000 are clustered and
        tried, and each sample goes to the nearest centre then.
        """
        at_most = max(STARTING, STARTING_PER_CLUSTER * self.n_clusters_)
        if self._is_given:
            return self._given_start(Z, self._some(trainer, at_most))
        if len(Z) <= at_most:
            Z, start, kmeans, *rest = self._start_of(trainer, Z)
            return Z, start, kmeans[1], *rest
        rows = self._some(trainer, at_most)
        part = trainer.part(rows)
        _, start, kmeans, scores, balance = self._start_of(part, Z[rows])
        kmeans_labels = nearest_centre(Z, kmeans[0])
        if scores:  # the network is that of the best trial now
            Z = trainer.embed()
        start = start[0], nearest_centre(Z, start[0])
        return Z, start, kmeans_labels, scores, balance

    def _given_start(self, Z: Array, rows: Array) -> Any:
        """As `_choose_start`, from the labels in `init`; rows are those of k-means."""
        k = self.n_clusters_
        labels = given_labels(self.init, len(Z), k)
        kmeans = kmeans_start(Z[rows], Z[rows], k, self.n_init, self._start_seed)
        start = cluster_means(Z, labels, k), labels
        return Z, start, nearest_centre(Z, kmeans[0]), {}, BALANCE

    def _start_of(self, trainer: Trainer, Z: Array) -> Any:
        """Embedding, start, k-means (centres and labels), scores, weight of balance."""
        k, seed = self.n_clusters_, self._start_seed
        try:
            with trainer.interruption.at_once():
                kmeans, starts, views = self._possible_starts(trainer, Z)
        except Interrupted:
            trainer.interruption.note("before the clusters had a start")
            start = kmeans_start(Z, Z, k, 1, seed)
            return Z, start, start, {}, BALANCE
        if len(starts) == 1:
            return Z, *starts.values(), kmeans, {}, BALANCE
        best, scores = best_trial(trainer, starts, k, views, TRIAL_STEPS, seed)
        trainer.module.load_state_dict(best.state)
        Z = trainer.embed()
        start = cluster_means(Z, best.labels, k), best.labels
        return Z, start, kmeans, scores, best.balance

    def _possible_starts(self, trainer: Trainer, Z: Array) -> Any:
        """k-means, starts by name (the one to take, or several to try), mean views."""
        k, n_init, seed = self.n_clusters_, self.n_init, self._start_seed
        kmeans = kmeans_start(Z, Z, k, n_init, seed)
        init = self.init
        if init == "auto" and k > MOST_CLUSTERS:
            init = "k-means"
        elif init == "auto" and trainer.augment is None:
            init = "scaled-k-means"  # trials prefer even clusters, and these are not
        if init == "k-means" or too_few(len(Z), k):
            return kmeans, {"k-means": kmeans}, Z
        if init == "scaled-k-means":
            return kmeans, {init: STARTS[init](Z, Z, k, n_init, seed)}, Z
        views = trainer.embed_views(N_VIEWS)
        if init != "auto":
            return kmeans, {init: STARTS[init](Z, views, k, n_init, seed)}, views
        return kmeans, several_starts(Z, views, k, n_init, seed), views

    def _first_scale(self, trainer: Trainer, scale: float) -> float:
        """The kernel's squared unit, for a start of such a scale."""
        if self.kernel_scale != "auto":
            return float(self.kernel_scale)
        return scale if trainer.augment is None else min(1.0, scale)
