"""The choice among several starts: each is trained for a while, the best is kept.

Which partition of a pretrained embedding is right cannot be read off the embedding: no
single way to make one is best on all data. Trained on, a right one comes apart into
clusters that a sample keeps whichever way it is seen, and a wrong one loses clusters or
cuts through where there is no gap; 150 steps show it, without labels. On vectors, where
trials prefer what is too even, IDCL's one start is trained in this way (`settled`).
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ._typing import Array
from .assignment import (
    by_blocks,
    cluster_means,
    kernel_scale,
    soft_assignment,
    squared_distances_to,
)
from .batches import TrainingSet
from .guard import LOST
from .information import joint_counts, view_information
from .losses import InstabilityLoss
from .merging import merge_parts
from .progress import Progress
from .recipe import BALANCE, TRIAL_BALANCE
from .split_merge import neighbour_graph, split_and_merge
from .starts import same

if TYPE_CHECKING:
    from .training import Trainer

__all__ = [
    "Trial",
    "best_trial",
    "settled",
    "start_scale",
    "try_start",
]

N_VIEWS = 4  # of each sample, which are compared pair by pair
N_TRIED = 3  # starts of merged parts that are tried, of all whose parts are trained
MAX_REPAIRS = 4
PATIENCE = 2  # repairs in vain
NOISE = 0.02  # of a trial's score


class Trial(NamedTuple):
    """What a while of training has made of a start."""

    name: str
    score: float  # what views share about the labels, in nats: higher is better
    labels: np.ndarray  # (n,), after the trial
    views: list[Array]  # of (n,): the labels as seen in each view
    state: dict[str, Tensor]  # of the network, after the trial
    balance: float  # weight of the balance of clusters in it


def try_start(
    trainer: Trainer,
    name: str,
    centres: Array,
    labels: Array,
    n_steps: int,
    seed: int,
    progress: Progress | None = None,
    balance: float = TRIAL_BALANCE,
    n_views: int = N_VIEWS,
) -> Trial:
    """Train a copy of the network from a start by sample stability.

    Parameters
    ----------
    trainer : Trainer
        Left as it is.
    name : str
    centres : array of shape (k, latent)
    labels : int array of shape (n,)
    n_steps : int
    seed : int
        Of batches and views; the same for every start, so that chance is, too.
    progress : Progress, default=None
        A bar that all trials share.
    balance : float, default=1.0
        Weight of the balance of the clusters.
    n_views : int, default=4
        That the score is of; without any it is 0.

    Returns
    -------
    Trial
    """
    trial = trainer.trial(seed, progress)
    scale = min(1.0, start_scale(trainer.embed(), centres, labels))
    loss = InstabilityLoss(centres, balance=balance, scale=scale)
    with trial.phase("cluster", loss, 1, n_steps) as net:
        net.fit_loop(TrainingSet(trial.source, n_batches=n_steps), epochs=1)
    trained = loss.centres.detach().cpu().double()

    def nearest(z: Tensor) -> Tensor:
        distances = squared_distances_to(z, trained)
        return soft_assignment(distances / scale).argmax(1)

    def assign(Z: Array) -> Array:
        return by_blocks(nearest, Z, len(trained))

    Z = trial.embed()
    if not np.isfinite(Z).all():
        state = trainer.module.state_dict()
        return Trial(name, -np.inf, labels, [], state, balance)
    views = [assign(trial.embed_view()) for _ in range(n_views)]
    score = view_information(views) if views else 0.0
    return Trial(name, score, assign(Z), views, trial.module.state_dict(), balance)


def settled(
    trainer: Trainer, centres: Array, labels: Array, n_steps: int, seed: int
) -> tuple[Array, Array] | None:
    """A start after a while of training by sample stability, without balance.

    The trainer's network is trained. Where a cluster has been lost, or training has
    diverged, the network is as it was, and there is no start.

    Parameters
    ----------
    trainer, centres, labels, n_steps, seed
        As in :func:`try_start`.

    Returns
    -------
    (centres, labels) or None
    """
    trial = try_start(
        trainer, "settled", centres, labels, n_steps, seed, balance=0.0, n_views=0
    )
    before, after = (
        np.bincount(of, minlength=len(centres)) for of in (labels, trial.labels)
    )
    if trial.score == -np.inf or (after < LOST * before).any():
        return None
    trainer.module.load_state_dict(trial.state)
    return cluster_means(trainer.embed(), trial.labels, len(centres)), trial.labels


def start_scale(Z: Array, centres: Array, labels: Array) -> float:
    """The kernel's squared unit for a start; see `kernel_scale`."""
    own = (
        torch.from_numpy(Z) - torch.from_numpy(centres)[torch.from_numpy(labels).long()]
    )
    own = own.square_().sum(1, keepdim=True)  # (n, 1), as if there were one cluster
    return kernel_scale(own, torch.zeros(len(own), dtype=torch.long))


def best_trial(
    trainer: Trainer, starts: dict[str, Any], views: Array, n_steps: int, seed: int
) -> tuple[Trial, dict[str, Any]]:
    """Try each start, a start that equals an earlier one not again, and mend the best.

    A start of more clusters than the others are its parts: they are trained as such and
    merged by what views share about them (:func:`~deepdensity.merging.merge_parts`).
    The three of which views share most are tried, from the networks that have been
    trained with them.

    The best trial's labels are repaired by splitting a cluster and merging two, and
    tried again, four times at most, until that has been in vain twice running: some
    faults take two repairs, and the score falls between them.

    All these hold clusters to like sizes, by a weight that keeps each of them alive.
    What the best has come to is then a start of its own for the smaller weight, which
    lets sizes differ; it counts unless it scores less, by more than the noise of a
    trial. Where the user interrupts it is the best so far.

    Parameters
    ----------
    trainer, n_steps, seed
        As in :func:`try_start`.
    starts : dict
        Name -> (centres, labels).
    views : array of shape (n, latent)
        The mean embedding of each sample's views, for the repair.

    Returns
    -------
    Trial
        The one that counts.
    scores : dict
        Name -> score; of the first among equal starts only.
    """
    n_clusters = min(len(centres) for centres, _ in starts.values())
    progress = None
    if trainer.verbose:
        n_parts = sum(len(centres) > n_clusters for centres, _ in starts.values())
        n_trials = len(starts) + min(n_parts, N_TRIED) + MAX_REPAIRS + 1
        progress = Progress("trials of starts", n_trials, stays=True)
    tried: list[Array] = []

    def attempt(
        name: str,
        centres: Array,
        labels: Array,
        base: Trainer = trainer,
        balance: float = TRIAL_BALANCE,
    ) -> Trial:
        tried.append(labels)
        return try_start(base, name, centres, labels, n_steps, seed, progress, balance)

    trials: list[Trial] = []
    merged: list[Trial] = []
    for name, (centres, labels) in starts.items():
        if any(same(labels, other) for other in tried):
            continue
        if len(centres) == n_clusters:
            trials.append(attempt(name, centres, labels))
        else:
            parts = try_start(trainer, name, centres, labels, n_steps, seed, progress)
            if parts.views:  # else it has diverged
                merged.append(clusters_of(parts, len(centres), n_clusters))
        if trainer.interruption.asked:
            break
    merged.sort(key=lambda clusters: clusters.score, reverse=True)
    for clusters in merged[:N_TRIED]:
        if trainer.interruption.asked:
            break
        base = trainer.trial(0)
        base.module.load_state_dict(clusters.state)
        centres = cluster_means(base.embed(), clusters.labels, n_clusters)
        trials.append(attempt(clusters.name, centres, clusters.labels, base))
    best = max(trials, key=lambda trial: trial.score)
    if not trainer.interruption.asked:
        trials += repairs(trainer, attempt, best, views, n_clusters, seed)
        best = max(trials, key=lambda trial: trial.score)
    if not trainer.interruption.asked:
        means = cluster_means(trainer.embed(), best.labels, n_clusters)
        uneven = attempt(f"{best.name}, uneven", means, best.labels, balance=BALANCE)
        trials.append(uneven)
        if uneven.score >= (1 - NOISE) * best.score:
            best = uneven
    if progress is not None:
        progress.close()
    return best, {trial.name: trial.score for trial in trials}


def clusters_of(parts: Trial, n_parts: int, n_clusters: int) -> Trial:
    """A trial of parts with the clusters that they are merged to for its labels.

    Its score is what views share about these, as :func:`merge_parts` has it.
    """
    pairs = itertools.permutations(parts.views, 2)
    counts = np.sum([joint_counts(a, b, n_parts) for a, b in pairs], axis=0)
    clusters, score = merge_parts(counts, n_clusters)
    return parts._replace(score=score, labels=clusters[parts.labels])


def repairs(
    trainer: Trainer, attempt: Any, best: Any, views: Array, n_clusters: int, seed: int
) -> list[Trial]:
    """Trials of the best one's labels, mended again and again: a list.

    A cluster is cut once: where training has put the halves together again, cutting
    them again would be in vain, and another cluster's turn has come.
    """
    graph = neighbour_graph(views, np.random.RandomState(seed))
    Z = trainer.embed()
    trials: list[Trial] = []
    cut: list[Array] = []
    last, highest, vain = best, best.score, 0
    while len(trials) < MAX_REPAIRS and vain < PATIENCE:
        repair = split_and_merge(graph, last.labels, n_clusters, cut)
        if repair is None or trainer.interruption.asked:
            break
        centres = cluster_means(Z, repair.labels, n_clusters)
        last = attempt(f"repair {len(trials) + 1}", centres, repair.labels)
        trials.append(last)
        cut.append(repair.split)
        vain = 0 if last.score > highest else vain + 1
        highest = max(highest, last.score)
    return trials
