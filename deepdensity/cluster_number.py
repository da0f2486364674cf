"""The number of clusters, where it is not given: n_clusters="auto".

Trained on for a while, clusters that are there stay the same from view to view; where
there are more of them than that, the surplus cuts through what belongs together, and
the views of a sample fall on both sides of the cut.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ._typing import Array
from .information import net_information
from .recipe import NUMBER_BALANCE
from .starts import view_mixture_start
from .starts.trials import try_start
from .training.trainer import Trainer

__all__ = ["best_number", "highest_number", "try_numbers"]

FIRST = (2, 3, 4, 5, 7, 9, 12, 16, 21, 28, 37, 50)  # then what lies around the best
FEWEST = 20  # samples in a cluster, on average
N_MIXTURE = 3  # runs of the Gaussian mixture that a trial starts from
PATIENCE = 3  # numbers of FIRST below the best score, one after the other
TOLERANCE = 0.075  # of the highest score: the noise of a trial
SMALL = 0.05  # of the mean size of a cluster: what is smaller is none


def best_number(
    score: Callable[[int], float], n_samples: int
) -> tuple[int, dict[int, float]]:
    """The smallest number of clusters whose score is as good as the highest.

    Scores are those of single trainings: what is less than 7.5 % below the highest may
    as well be it, and of two numbers that do the same the smaller one is clearer.
    Sought among a dozen numbers from 2 to 50, growing by about a third, until three of
    them running have been below the best; then by halving the gaps beside the best.

    Parameters
    ----------
    score : callable
        Number of clusters -> score.
    n_samples : int
        There are to be 20 samples a cluster, on average.

    Returns
    -------
    best : int
    scores : dict
        Number -> score, of all that were tried, in order of the numbers.
    """
    scores: dict[int, float] = {}
    most = highest_number(n_samples)
    falls = 0
    for k in (*(k for k in FIRST if k < most), most):
        if falls == PATIENCE:
            break
        scores[k] = score(k)
        falls = falls + 1 if scores[k] < max(scores.values()) else 0
    while True:
        best = max(scores, key=scores.__getitem__)
        untried = halfway(best, sorted(scores))
        if not untried:
            scores = dict(sorted(scores.items()))
            enough = scores[best] - TOLERANCE * abs(scores[best])
            return next(k for k in scores if scores[k] >= enough), scores
        scores.update((k, score(k)) for k in untried)


def highest_number(n_samples: int) -> int:
    """The highest that is tried: 50, or 20 samples a cluster, but at least 2."""
    return min(FIRST[-1], max(FIRST[0], n_samples // FEWEST))


def halfway(best: int, tried: list[int]) -> list[int]:
    """Numbers that lie halfway between the best and its neighbours, where any do."""
    i = tried.index(best)
    neighbours = tried[max(0, i - 1) : i] + tried[i + 1 : i + 2]
    return [(best + k) // 2 for k in neighbours if abs(best - k) > 1]


def try_numbers(
    trainer: Trainer, views: Array, n_steps: int, seed: int
) -> tuple[int, dict[int, float]]:
    """The number of clusters that a short training finds to be there.

    Each number is tried from a Gaussian mixture of the views, as a start is.

    Parameters
    ----------
    trainer : Trainer
        Left as it is.
    views : array of shape (n, latent)
        The mean embedding of each sample's views.
    n_steps : int
    seed : int

    Returns
    -------
    number : int
        Of the clusters of the best trial, without those that it has all but lost.
    scores : dict
        Number -> `net_information`, of all that were tried.
    """
    found: dict[int, int] = {}
    Z = trainer.embed()

    def score(k: Any) -> float:
        if trainer.interruption.asked and found:  # the best so far it is
            return -np.inf
        centres, labels = view_mixture_start(Z, views, k, N_MIXTURE, seed)
        start = (str(k), centres, labels)
        trial = try_start(trainer, *start, n_steps, seed, balance=NUMBER_BALANCE, Z=Z)
        found[k] = cluster_count(trial.labels, k)
        return -np.inf if trial.diverged else net_information(trial.view_labels)

    best, scores = best_number(score, len(Z))
    return found[best], {k: score for k, score in scores.items() if k in found}


def cluster_count(labels: Array, n_clusters: int) -> int:
    """How many clusters there are that hold a twentieth of the mean size or more."""
    sizes = np.bincount(labels, minlength=n_clusters)
    return int(np.count_nonzero(sizes >= SMALL * len(labels) / n_clusters))
