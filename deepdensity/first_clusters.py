"""The clusters that a fit starts from: how many, and which, chosen without labels."""

from typing import Any, NamedTuple

import numpy as np

from ._typing import Array
from .assignment import cluster_means, kernel_scale, nearest_centre
from .cluster_number import highest_number, try_numbers
from .information import net_information
from .memory.kept_steps import KeptSteps
from .recipe import BALANCE, TRIAL_STEPS
from .samples.rows import some_rows
from .starts import STARTS, given_labels, kmeans_start, several_starts, too_few
from .starts.best_trial import best_trial
from .starts.trials import settled
from .training.interruption import Interrupted
from .training.trainer import Trainer
from .utils.user_warnings import warn

__all__ = ["FirstClusters"]

STARTING = 20_000  # samples that are clustered for the start, where there are more
STARTING_PER_CLUSTER = 100  # but at least
MOST_CLUSTERS = 100  # that starts are tried with: mixtures and cuts grow slow with them
N_VIEWS = 8  # augmented views of a sample that are averaged for the start
N_SCORED = 2  # views of a sample that start and end are compared by


class Start(NamedTuple):
    """Where the clustering phase starts, and what else the choice of it tells."""

    centres: Array  # (k, latent)
    labels: Array  # (n,)
    kmeans_labels: Array  # (n,)
    scores: dict[str, float]  # of the trials; empty without
    balance: float  # weight of the balance in the best trial


class FirstClusters(KeptSteps):
    """The start of the clustering phase, by `init` and `n_clusters`."""

    _settles_start = False  # whether that of vectors is trained before the phase
    _start_trained: bool  # whether the start has a network that was trained for it
    _tried_balance: float  # weight of the balance with which the start was tried

    def _first_partition(self, trainer: Trainer) -> tuple[Array, Array]:
        """Centres (k, latent) and labels (n,) to start from; sets what they tell.

        By `init`; where that is "auto" and samples are augmented several starts are
        tried, and the best is kept with the network that it has trained.
        """
        self.n_clusters_, self.n_clusters_scores_ = self._number(trainer)
        parameters = (self.n_clusters_, self.init, self.n_init, self._start_seed)
        settles = self._settles(trainer)

        def choose() -> tuple[Start, bool, float, float]:
            start, Z = self._choose_start(trainer, trainer.embed())
            trained = bool(start.scores)
            centres, labels = start.centres, start.labels
            scale = kernel_scale(Z, centres, labels)  # as chosen, not as it may settle
            if settles and not trainer.interruption.asked:
                seed = self._start_seed
                later = settled(trainer, centres, labels, TRIAL_STEPS, seed, Z)
                trained = later is not None
                centres, labels = later or (centres, labels)
                start = start._replace(centres=centres, labels=labels)
            views = (trainer.embed_view() for _ in range(N_SCORED))
            seen = [nearest_centre(V, centres) for V in views]
            return start, trained, scale, net_information(seen)

        step = ("start", *parameters, settles)
        found = self._recall(trainer, step, choose)
        start, self._start_trained, scale, self.start_information_ = found
        self.pretrain_labels_ = start.kmeans_labels
        self.start_scores_, self._tried_balance = start.scores, start.balance
        self.kernel_scale_ = self._first_scale(trainer, scale)
        return start.centres, start.labels

    def _settles(self, trainer: Trainer) -> bool:
        """Whether to train the start for a while: of vectors; images try several."""
        if not self._settles_start or self._is_given or self.init != "auto":
            return False
        if not 1 < self.n_clusters_ <= MOST_CLUSTERS:
            return False
        if too_few(len(trainer.source), self.n_clusters_):
            return False
        return not trainer.augments and "cluster" in trainer.views

    @property
    def _is_given(self) -> bool:
        """Whether `init` holds labels to start from, not the name of a start."""
        return not isinstance(self.init, str)

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
            if trainer.augments and len(trainer.source) > STARTING:
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
        if number not in scores:
            warn(
                f"n_clusters='auto' comes to {number}: that many were left of the "
                "clusters of the best number tried, the others are all but empty. "
                "Unless most samples are alike, more pretraining (pretrain_epochs) may "
                "tell more apart; give n_clusters if you know it.",
                UserWarning,
            )
        return number, scores

    def _some(self, trainer: Trainer, at_most: int) -> Array:
        """Random rows, as many or all of them, that make the start of a large set."""
        random = np.random.RandomState(self._start_seed)
        return some_rows(len(trainer.source), at_most, random)

    def _choose_start(self, trainer: Trainer, Z: Array) -> tuple[Start, Array]:
        """The start, from the embedding as pretrained, and the embedding by then.

        Trials leave the network of the best one.

        Of more than 20,000 samples (or 100 a cluster, if that is more) a random 20,000
        are clustered and tried, and each sample goes to the nearest centre then.
        """
        at_most = max(STARTING, STARTING_PER_CLUSTER * self.n_clusters_)
        if self._is_given:
            return self._given_start(Z, self._some(trainer, at_most)), Z
        if len(Z) <= at_most:
            return self._start_of(trainer, Z)[:2]
        rows = self._some(trainer, at_most)
        start, _, kmeans_centres = self._start_of(trainer.part(rows), Z[rows])
        kmeans_labels = nearest_centre(Z, kmeans_centres)
        if start.scores:  # the network is that of the best trial now
            Z = trainer.embed()
        labels = nearest_centre(Z, start.centres)
        return start._replace(labels=labels, kmeans_labels=kmeans_labels), Z

    def _given_start(self, Z: Array, rows: Array) -> Start:
        """From the labels in `init`; rows are those of k-means."""
        k = self.n_clusters_
        labels = given_labels(self.init, len(Z), k)
        kmeans, _ = kmeans_start(Z[rows], Z[rows], k, self.n_init, self._start_seed)
        centres = cluster_means(Z, labels, k)
        return Start(centres, labels, nearest_centre(Z, kmeans), {}, BALANCE)

    def _start_of(self, trainer: Trainer, Z: Array) -> tuple[Start, Array, Array]:
        """The start, the embedding by then, and the centres of k-means."""
        k, seed = self.n_clusters_, self._start_seed
        try:
            with trainer.interruption.at_once():
                kmeans, starts, views = self._possible_starts(trainer, Z)
        except Interrupted:
            trainer.interruption.note("before the clusters had a start")
            centres, labels = kmeans_start(Z, Z, k, 1, seed)
            return Start(centres, labels, labels, {}, BALANCE), Z, centres
        if len(starts) == 1:
            [(centres, labels)] = starts.values()
            return Start(centres, labels, kmeans[1], {}, BALANCE), Z, kmeans[0]
        best, scores = best_trial(trainer, starts, k, views, TRIAL_STEPS, seed)
        trainer.module.load_state_dict(best.state)
        Z = trainer.embed()
        centres = cluster_means(Z, best.labels, k)
        start = Start(centres, best.labels, kmeans[1], scores, best.balance)
        return start, Z, kmeans[0]

    def _possible_starts(self, trainer: Trainer, Z: Array) -> Any:
        """k-means, starts by name (the one to take, or several to try), mean views."""
        k, n_init, seed = self.n_clusters_, self.n_init, self._start_seed
        kmeans = kmeans_start(Z, Z, k, n_init, seed)
        init = self.init
        if init == "auto" and k > MOST_CLUSTERS:
            init = "k-means"
        elif init == "auto" and not trainer.augments:
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
        return min(1.0, scale) if trainer.augments else scale
