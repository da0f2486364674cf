"""How much of the training time goes into refreshes, by the number of samples."""

import time
from typing import Any, NamedTuple

import numpy as np
from skorch.callbacks import Callback

from benchmarks.papers.peer_epochs import pretraining_steps
from deepdensity import DECSClustering, IDCLClustering
from deepdensity.curriculum import Pace
from deepdensity.recipe import (
    CLUSTER_BATCH,
    auto_batch_size,
    decs_iterations,
    idcl_epochs,
    refresh_steps,
)

__all__ = ["ESTIMATORS", "lengths", "refresh_shares"]

ESTIMATORS = (IDCLClustering, DECSClustering)


class Share(NamedTuple):
    """What refreshes take of a fit out of the box."""

    n_samples: int
    refresh: float  # seconds of one, as measured
    step: float  # seconds, as measured
    of_clustering: float  # share of the clustering phase
    of_training: float  # and of pretraining and clustering


class EpochClock(Callback):
    """When the epochs of the clustering phase begin and end, and their steps."""

    def __init__(self):  # not in `initialize`: that comes again with each phase
        self.begins, self.ends, self.n_steps = [], [], []

    def on_epoch_begin(self, net, **kwargs):
        if net.phase == "cluster":
            self.begins.append(time.perf_counter())

    def on_epoch_end(self, net, **kwargs):
        if net.phase == "cluster":
            self.ends.append(time.perf_counter())
            self.n_steps.append(len(net.history[-1]["batches"]))


def refresh_shares(estimator, device, network, shape, sizes):
    """A Share for each number of samples.

    A refresh and the steps before it are timed side by side, until the steps after it
    begin; how many of both there are in a whole fit follows from the lengths that the
    defaults have for so many samples. A step of pretraining is taken for one of
    clustering, which in DECS is shorter.
    """
    for n in sizes:
        whole = lengths(estimator, n, is_image=len(shape) > 1)
        X = np.random.default_rng(0).integers(256, size=(n, *shape), dtype=np.uint8)
        clock = EpochClock()
        estimator(
            10,
            autoencoder=network,
            pretrain_epochs=0,
            **whole.timed,
            init="k-means",
            n_init=1,
            tol=0,
            guard=False,
            callbacks=[clock],
            device=device,
            random_state=0,
        ).fit(X)
        inside = sum(clock.ends[:-1]) - sum(clock.begins[:-1])
        refresh = clock.begins[-1] - clock.begins[0] - inside
        step = inside / sum(clock.n_steps[:-1])
        refreshes = whole.n_refreshes * refresh
        clustering = refreshes + sum(whole.cluster) * step
        training = clustering + whole.pretrain * step
        yield Share(n, refresh, step, refreshes / clustering, refreshes / training)


class Lengths(NamedTuple):
    """Of a fit out of the box."""

    pretrain: int  # steps, counted in batches of the clustering phase
    cluster: list[int]  # steps, epoch by epoch: the curriculum grows
    n_refreshes: int
    timed: dict[str, Any]  # makes a clustering phase that goes on after a refresh


def lengths(estimator, n_samples, is_image):
    """The Lengths of a fit to n samples."""
    batch = auto_batch_size(n_samples, is_image)
    pretrain = pretraining_steps(n_samples, is_image) * batch // CLUSTER_BATCH
    of = of_idcl if estimator is IDCLClustering else of_decs
    return Lengths(pretrain, *of(n_samples, is_image))


def of_idcl(n_samples, is_image):
    """Refreshed before the first epoch, then every few, and at the end."""
    steps = -(-n_samples // CLUSTER_BATCH)
    n_epochs = idcl_epochs(steps, augmented=is_image)
    own = IDCLClustering().get_params()
    pace = Pace(
        own["pacing"],
        own["pacing_epochs"],
        n_epochs,
        own["lambda_0"],
        own["lambda_max"],
    )
    cluster = [
        -(-int(pace.fraction(epoch) * n_samples) // CLUSTER_BATCH)
        for epoch in range(n_epochs)
    ]
    interval = -(-refresh_steps(steps) // steps)
    return cluster, 1 + -(-n_epochs // interval), {"max_epochs": 1 + interval}


def of_decs(n_samples, is_image):
    """Refreshed after each interval, which is its epoch."""
    steps = -(-n_samples // CLUSTER_BATCH)
    left = decs_iterations(steps, augmented=is_image)
    interval = min(left, refresh_steps(steps))
    n_refreshes = -(-left // interval)
    cluster = [interval] * (n_refreshes - 1) + [left - interval * (n_refreshes - 1)]
    timed = {"max_iter": 2 * interval, "refresh_interval": interval}
    return cluster, n_refreshes, timed
