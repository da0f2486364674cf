"""How much of IDCL's training time goes into refreshes, by the number of samples."""

import time

import numpy as np
from skorch.callbacks import Callback

from deepdensity import IDCLClustering

__all__ = ["refresh_shares"]


class EpochClock(Callback):
    """Seconds inside the epochs of the clustering phase."""

    def initialize(self):
        self.seconds, self.begin, self.end = 0.0, None, None
        return self

    def on_epoch_begin(self, net, **kwargs):
        self.start = time.perf_counter()
        if net.phase == "cluster" and self.begin is None:
            self.begin = self.start

    def on_epoch_end(self, net, **kwargs):
        if net.phase == "cluster":
            self.end = time.perf_counter()
            self.seconds += self.end - self.start


def refresh_shares(device, network, shape, sizes, n_epochs=3):
    """(n, seconds of training, share of the refreshes in them) for each size.

    Between the begin of the first epoch and the end of the last one, what is not spent
    in an epoch is spent in refreshes; one of them, before the first, is not in it, as
    the last interval after them is not.
    """
    for n in sizes:
        X = np.random.default_rng(0).integers(256, size=(n, *shape), dtype=np.uint8)
        clock = EpochClock()
        IDCLClustering(
            10,
            autoencoder=network,
            pretrain_epochs=0,
            max_epochs=n_epochs,
            init="k-means",
            n_init=1,
            tol=0,
            guard=False,
            callbacks=[clock],
            device=device,
            random_state=0,
        ).fit(X)
        total = clock.end - clock.begin
        yield n, total, 1 - clock.seconds / total
