"""How much of IDCL's training time goes into refreshes, by the number of samples."""

import time
from typing import NamedTuple

import numpy as np
from skorch.callbacks import Callback

from benchmarks.papers.peer_epochs import pretraining_steps
from deepdensity import IDCLClustering
from deepdensity.curriculum import Pace
from deepdensity.recipe import (
    CLUSTER_BATCH,
    auto_batch_size,
    clustering_epochs,
    refresh_steps,
)

__all__ = ["refresh_shares"]


class Share(NamedTuple):
    """What refreshes take of a fit out of the box."""

    n_samples: int
    refresh: float  # seconds of one, as measured
    step: float  # seconds, as measured
    of_clustering: float  # share of the clustering phase
    of_training: float  # and of pretraining and clustering


class EpochClock(Callback):
    """When the epochs of the clustering phase begin and end, and their steps."""

    def initialize(self):
        self.begins, self.ends, self.n_steps = [], [], []
        return self

    def on_epoch_begin(self, net, **kwargs):
        if net.phase == "cluster":
            self.begins.append(time.perf_counter())

    def on_epoch_end(self, net, **kwargs):
        if net.phase == "cluster":
            self.ends.append(time.perf_counter())
            self.n_steps.append(len(net.history[-1]["batches"]))


def refresh_shares(device, network, shape, sizes):
    """A Share for each number of samples.

    A refresh and the steps before it are timed side by side, from the first refresh on
    to the begin of the epoch after the second; how many of both there are in a whole
    fit follows from the lengths that the defaults have for so many samples.
    """
    is_image = len(shape) > 1
    for n in sizes:
        steps, interval = lengths(n, is_image)
        X = np.random.default_rng(0).integers(256, size=(n, *shape), dtype=np.uint8)
        clock = EpochClock()
        IDCLClustering(
            10,
            autoencoder=network,
            pretrain_epochs=0,
            max_epochs=1 + interval,
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
        n_refreshes = 1 + -(-len(steps.cluster) // interval)  # and one at the end
        refreshes = n_refreshes * refresh
        clustering = refreshes + sum(steps.cluster) * step
        training = clustering + steps.pretrain * step
        yield Share(n, refresh, step, refreshes / clustering, refreshes / training)


class Steps(NamedTuple):
    """Of a fit out of the box."""

    pretrain: int  # counted in batches of the clustering phase
    cluster: list[int]  # epoch by epoch: the curriculum grows


def lengths(n_samples, is_image):
    """The Steps of n samples, and the epochs from one refresh to the next."""
    steps = -(-n_samples // CLUSTER_BATCH)
    n_epochs = clustering_epochs(steps, augmented=is_image)
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
    batch = auto_batch_size(n_samples, is_image)
    pretrain = pretraining_steps(n_samples, is_image) * batch // CLUSTER_BATCH
    return Steps(pretrain, cluster), -(-refresh_steps(steps) // steps)
