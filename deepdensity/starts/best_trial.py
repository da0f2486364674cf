"""The choice among several starts: each is trained for a while, the best is kept.

Which partition of a pretrained embedding is right cannot be read off the embedding: no
single way to make one is best on all data. Trained on, a right one comes apart into
clusters that a sample keeps whichever way it is seen, and a wrong one loses clusters or
cuts through where there is no gap; 150 steps show it, without labels.
"""

import functools
import itertools
from typing import Any

import numpy as np

from .._typing import Array
from ..assignment import cluster_means
from ..information import joint_counts
from ..recipe import BALANCE, TRIAL_BALANCE
from ..training.progress import Progress
from ..training.trainer import Trainer
from .merging import merge_parts
from .several import same_partition
from .split_merge import neighbour_graph, split_and_merge
from .trials import Trial, try_start

__all__ = ["best_trial"]

N_MERGED = 3  # starts of merged parts that are tried, of all whose parts are trained
MAX_REPAIRS = 4
PATIENCE = 2  # repairs in vain
NOISE = 0.02  # of a trial's score


def best_trial(
    trainer: Trainer,
    starts: dict[str, tuple[Array, Array]],
    n_clusters: int,
    views: Array,
    n_steps: int,
    seed: int,
) -> tuple[Trial, dict[str, float]]:
    """Try each start, then what can be made of them, and take the best.

    Of a start with more clusters than there are to be these are parts: they are
    merged before it is tried. The best trial is repaired. All these hold clusters to
    like sizes, by a weight that keeps each of them alive; what the best has come to is
    then a start of its own for the smaller weight, which lets sizes differ.

    Parameters
    ----------
    trainer : Trainer
        Left as it is. Where the user interrupts it, the best so far counts.
    starts : dict
        Name -> (centres, labels).
    n_clusters : int
    views : array of shape (n, latent)
        The mean embedding of each sample's views, for the repair.
    n_steps : int
    seed : int
        Of batches and views; the same for every start, so that chance is, too.

    Returns
    -------
    Trial
        The one that counts.
    scores : dict
        Name -> score; of the first among equal starts only.
    """
    n_parts = sum(len(centres) > n_clusters for centres, _ in starts.values())
    n_trials = len(starts) + min(n_parts, N_MERGED) + MAX_REPAIRS + 1
    trials = Trials(trainer, n_clusters, n_steps, seed, n_trials)
    try:
        merged = try_starts(trials, starts)
        try_merged(trials, merged)
        if not trials.interrupted:
            try_repairs(trials, views)
        best = trials.best
        if not trials.interrupted:
            best = try_uneven(trials)
            trials.complete()
    finally:
        trials.close()
    return best, {trial.name: trial.score for trial in trials.ended}


class Trials:
    """Trials on equal terms: of as many steps, by the same chance, under one bar."""

    def __init__(
        self, trainer: Trainer, n_clusters: int, n_steps: int, seed: int, n_trials: int
    ) -> None:
        self.trainer = trainer
        self.n_clusters = n_clusters
        self.n_steps = n_steps
        self.seed = seed
        self.progress = None
        if trainer.verbose:
            self.progress = Progress("trials of starts", n_trials, stays=True)
        self.started: list[Array] = []  # labels that have been tried
        self.ended: list[Trial] = []

    def attempt(self, name: str, labels: Array, **how: Any) -> Trial:
        """A trial that may be the best one; see `train`."""
        self.started.append(labels)
        self.ended.append(self.train(name, labels, **how))
        return self.ended[-1]

    def train(
        self,
        name: str,
        labels: Array,
        centres: Array | None = None,
        base: Trainer | None = None,
        balance: float = TRIAL_BALANCE,
    ) -> Trial:
        """What training makes of a start: of the labels' means, or `centres`.

        It goes on from the network of `base`, or that of the trainer.
        """
        Z = self.embedding if base is None else base.embed()
        if centres is None:
            centres = cluster_means(Z, labels, self.n_clusters)
        terms = self.n_steps, self.seed, self.progress, balance
        return try_start(base or self.trainer, name, centres, labels, *terms, Z=Z)

    @functools.cached_property
    def embedding(self) -> Array:
        """Of shape (n, latent): by the trainer's network, which stays as it is."""
        return self.trainer.embed()

    def knows(self, labels: Array) -> bool:
        """Whether such a start has been tried."""
        return any(same_partition(labels, other) for other in self.started)

    @property
    def best(self) -> Trial:
        return max(self.ended, key=lambda trial: trial.score)

    @property
    def interrupted(self) -> bool:
        return bool(self.trainer.interruption.asked)

    def complete(self) -> None:
        """All of them are done, as a rule with fewer repairs than there might be."""
        if self.progress is not None:
            self.progress.complete()

    def close(self) -> None:
        if self.progress is not None:
            self.progress.close()


def try_starts(trials: Trials, starts: dict[str, tuple[Array, Array]]) -> list[Trial]:
    """Try the starts, but those of parts: these are trained as such and merged.

    Returns
    -------
    list of Trial
        Of the parts, with merged ones for labels; see :func:`clusters_of`.
    """
    merged = []
    for name, (centres, labels) in starts.items():
        if trials.knows(labels):
            continue
        if len(centres) == trials.n_clusters:
            trials.attempt(name, labels, centres=centres)
        else:
            parts = trials.train(name, labels, centres)
            if not parts.diverged:
                merged.append(clusters_of(parts, len(centres), trials.n_clusters))
        if trials.interrupted:
            break
    return merged


def clusters_of(parts: Trial, n_parts: int, n_clusters: int) -> Trial:
    """A trial of parts with the clusters that they are merged to for its labels.

    Its score is what views share about these, as :func:`merge_parts` has it.
    """
    pairs = itertools.permutations(parts.view_labels, 2)
    counts = np.sum([joint_counts(a, b, n_parts) for a, b in pairs], axis=0)
    clusters, score = merge_parts(counts, n_clusters)
    return parts._replace(score=score, labels=clusters[parts.labels])


def try_merged(trials: Trials, merged: list[Trial]) -> None:
    """Try the three mergers of which views share most, each from its own network."""
    merged = sorted(merged, key=lambda clusters: clusters.score, reverse=True)
    for clusters in merged[:N_MERGED]:
        if trials.interrupted:
            break
        base = trials.trainer.trial(0)
        base.module.load_state_dict(clusters.state)
        trials.attempt(clusters.name, clusters.labels, base=base)


def try_repairs(trials: Trials, views: Array) -> None:
    """Split a cluster of the best trial and merge two, and try that, again and again.

    Four times at most, until it has been in vain twice running: some faults take two
    repairs, and the score falls between them. A cluster is cut once: where training has
    put the halves together again, cutting them again would be in vain, and another
    cluster's turn has come.
    """
    graph = neighbour_graph(views, np.random.RandomState(trials.seed))
    cut: list[Array] = []
    last, highest, vain = trials.best, trials.best.score, 0
    while len(cut) < MAX_REPAIRS and vain < PATIENCE:
        repair = split_and_merge(graph, last.labels, trials.n_clusters, cut)
        if repair is None or trials.interrupted:
            break
        cut.append(repair.split)
        last = trials.attempt(f"repair {len(cut)}", repair.labels)
        vain = 0 if last.score > highest else vain + 1
        highest = max(highest, last.score)


def try_uneven(trials: Trials) -> Trial:
    """Try the best by the smaller weight: the one that counts.

    It is the new one unless that scores less, by more than the noise of a trial.
    """
    best = trials.best
    uneven = trials.attempt(f"{best.name}, uneven", best.labels, balance=BALANCE)
    return uneven if uneven.score >= (1 - NOISE) * best.score else best
