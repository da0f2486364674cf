"""A trial of a start: what a while of training by sample stability makes of it.

Trials choose among several starts (:mod:`deepdensity.starts.best_trial`) and numbers of
clusters (:mod:`deepdensity.cluster_number`). On vectors, where they prefer what is too
even, IDCL's one start is trained in this way (`settled`).
"""

from typing import NamedTuple

import numpy as np
from torch import Tensor

from .._typing import Array
from ..assignment import cluster_means, kernel_scale, nearest_centre
from ..information import net_information
from ..losses import InstabilityLoss
from ..recipe import TRIAL_BALANCE
from ..training.batches import TrainingSet
from ..training.guard import LOST
from ..training.progress import Progress
from ..training.trainer import Trainer

__all__ = ["Trial", "settled", "train_start", "try_start"]

N_VIEWS = 4  # of each sample, which are compared pair by pair


class Trial(NamedTuple):
    """What a while of training has made of a start."""

    name: str
    score: float  # what views share about the labels, in nats: higher is better
    labels: np.ndarray  # (n,), after the trial
    view_labels: list[Array]  # of (n,), as seen in each view
    state: dict[str, Tensor]  # of the network, after the trial
    balance: float  # weight of the balance of clusters in it

    @property
    def diverged(self) -> bool:
        """Whether nothing has come of it: network and labels are as before."""
        return self.score == -np.inf


class TrainedStart(NamedTuple):
    """A trained copy of the network, and the clusters by then."""

    trainer: Trainer
    centres: Array  # (k, latent)
    labels: Array  # (n,)


def train_start(
    trainer: Trainer,
    centres: Array,
    labels: Array,
    n_steps: int,
    seed: int,
    progress: Progress | None = None,
    balance: float = TRIAL_BALANCE,
    Z: Array | None = None,
) -> TrainedStart | None:
    """Train a copy of the network from a start by sample stability.

    Parameters
    ----------
    trainer : Trainer
        Left as it is.
    centres : array of shape (k, latent)
    labels : int array of shape (n,)
    n_steps : int
    seed : int
        Of batches and views; the same for every start, so that chance is, too.
    progress : Progress, default=None
        A bar that all trials share.
    balance : float, default=1.0
        Weight of the balance of the clusters.
    Z : array of shape (n, latent), default=None
        The embedding by the trainer's network, where it is at hand.

    Returns
    -------
    TrainedStart, or None where the training has diverged
    """
    trial = trainer.trial(seed, progress)
    Z = trainer.embed() if Z is None else Z
    scale = min(1.0, kernel_scale(Z, centres, labels))
    loss = InstabilityLoss(centres, balance=balance, scale=scale)
    with trial.phase("cluster", loss, 1, n_steps) as net:
        net.fit_loop(TrainingSet(trial.source, n_batches=n_steps), epochs=1)
    Z = trial.embed()
    if not np.isfinite(Z).all():
        return None
    trained = loss.centres.detach().cpu().double().numpy()
    return TrainedStart(trial, trained, nearest_centre(Z, trained))


def try_start(
    trainer: Trainer,
    name: str,
    centres: Array,
    labels: Array,
    n_steps: int,
    seed: int,
    progress: Progress | None = None,
    balance: float = TRIAL_BALANCE,
    Z: Array | None = None,
) -> Trial:
    """Train a copy of the network from a start, and score what it has come to.

    Parameters are those of :func:`train_start`, and the start's name.

    Returns
    -------
    Trial
    """
    terms = n_steps, seed, progress, balance
    trained = train_start(trainer, centres, labels, *terms, Z=Z)
    if trained is None:
        state = trainer.module.state_dict()
        return Trial(name, -np.inf, labels, [], state, balance)
    trial, centres, labels = trained
    seen = [nearest_centre(trial.embed_view(), centres) for _ in range(N_VIEWS)]
    score, state = net_information(seen, price=0.0), trial.module.state_dict()
    return Trial(name, score, labels, seen, state, balance)


def settled(
    trainer: Trainer, centres: Array, labels: Array, n_steps: int, seed: int, Z: Array
) -> tuple[Array, Array] | None:
    """A start after a while of training by sample stability, without balance.

    The trainer's network is trained. Where a cluster has been lost, or training has
    diverged, the network is as it was, and there is no start.

    Parameters
    ----------
    trainer, centres, labels, n_steps, seed, Z
        As in :func:`train_start`.

    Returns
    -------
    (centres, labels) or None
    """
    k = len(centres)
    trained = train_start(trainer, centres, labels, n_steps, seed, balance=0.0, Z=Z)
    if trained is None:
        return None
    before, after = (np.bincount(of, minlength=k) for of in (labels, trained.labels))
    if (after < LOST * before).any():
        return None
    trainer.module.load_state_dict(trained.trainer.module.state_dict())
    return cluster_means(trainer.embed(), trained.labels, k), trained.labels
