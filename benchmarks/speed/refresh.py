"""How much of IDCL's training time goes into refreshes, by the number of samples."""

import time

import numpy as np
from skorch.callbacks import Callback

from deepdensity import IDCLClustering
from deepdensity.recipe import auto_batch_size, refresh_steps

__all__ = ["refresh_shares"]


class EpochClock(Callback):
    """When the epochs of the clustering phase begin and end."""

    def initialize(self):
        self.begins, self.ends = [], []
        return self

    def on_epoch_begin(self, net, **kwargs):
        if net.phase == "cluster":
            self.begins.append(time.perf_counter())

    def on_epoch_end(self, net, **kwargs):
        if net.phase == "cluster":
            self.ends.append(time.perf_counter())

    @property
    def seconds(self):
        """From the begin of the first epoch to that of the last."""
        return self.begins[-1] - self.begins[0]

    @property
    def share(self):
        """What is between the epochs in that time."""
        inside = sum(self.ends[:-1]) - sum(self.begins[:-1])
        return 1 - inside / self.seconds


def refresh_shares(device, network, shape, sizes):
    """(n, seconds of training, share of the refresh in them) for each size.

    From one refresh on to the next, which is in it: as many epochs as the default has
    between two of them. They are the first of a curriculum, and shorter than those that
    follow.
    """
    for n in sizes:
        X = np.random.default_rng(0).integers(256, size=(n, *shape), dtype=np.uint8)
        clock = EpochClock()
        IDCLClustering(
            10,
            autoencoder=network,
            pretrain_epochs=0,
            max_epochs=1 + epochs_between(n, is_image=len(shape) > 1),
            init="k-means",
            n_init=1,
            tol=0,
            guard=False,
            callbacks=[clock],
            device=device,
            random_state=0,
        ).fit(X)
        yield n, clock.seconds, clock.share


def epochs_between(n_samples, is_image):
    """Epochs from a refresh to the next, by default."""
    steps = -(-n_samples // auto_batch_size(n_samples, is_image))
    return -(-refresh_steps(steps) // steps)
