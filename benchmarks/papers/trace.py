"""The course of a clustering phase, at every refresh: for curves and times.

A callback embeds all samples before an epoch and assigns them by the head that training
holds then; in IDCL where cores are just refreshed, since old ones suit no newer
embedding. The last row has the labels of the finished fit. Classes come in when
training is over, for the scores. The seconds that the callback takes are not counted.
"""

import time

import numpy as np
import torch
from skorch.callbacks import Callback

from deepdensity.assignment import core_similarity, squared_distances_to
from deepdensity.training import embed, reconstruction_error

from .scores import score

__all__ = ["FIELDS", "Recorder", "measure"]

FIELDS = (
    "epoch",  # of the clustering phase; 0 is its start
    "steps",  # of the clustering phase
    "seconds",  # since the fit began
    "cluster_seconds",  # since the clustering phase began
    "n_trained",  # samples in the training set of the epoch
    "loss",
    "reconstruction",  # mean squared error over all samples
    "acc",
    "nmi",
    "ari",
)


class Recorder(Callback):
    """`rows`: the state at each refresh of the clustering phase; `facts`: the last.

    To be made right before the fit begins.
    """

    def __init__(self):
        self.begin = time.perf_counter()
        self.own = 0.0  # seconds spent in here
        self.rows = []
        self.facts = {"epoch": 0, "steps": 0}
        self.cores = None

    def on_epoch_begin(self, net, dataset_train=None, **kwargs):
        if net.phase == "cluster" and self.refreshed(net.criterion_):
            seconds, enter = self.clock(), time.perf_counter()
            source = dataset_train.source
            if not self.rows:
                self.cluster_begin = seconds
                self.facts |= self.state(net, source, seconds)
            Z = embed(net.module_, source, torch.float32)
            self.rows.append({**self.facts, "labels": nearest(Z, net.criterion_)})
            self.own += time.perf_counter() - enter

    def on_epoch_end(self, net, dataset_train=None, **kwargs):
        if net.phase == "cluster":
            seconds, enter = self.clock(), time.perf_counter()
            row = net.history[-1]
            self.facts = {
                "epoch": self.facts["epoch"] + 1,
                "steps": self.facts["steps"] + len(row["batches"]),
                "n_trained": len(dataset_train),
                "loss": row["train_loss"],
                **self.state(net, dataset_train.source, seconds),
            }
            self.own += time.perf_counter() - enter

    def refreshed(self, criterion):
        """Whether the head is that of the embedding as it is; DECS's always is."""
        before, self.cores = self.cores, getattr(criterion, "cores", None)
        return self.cores is None or self.cores is not before

    def clock(self):
        """Seconds since the fit began, less those spent in here."""
        return time.perf_counter() - self.begin - self.own

    def state(self, net, source, seconds):
        return {
            "seconds": round(seconds, 2),
            "cluster_seconds": round(seconds - self.cluster_begin, 2),
            "reconstruction": reconstruction_error(
                net.module_, source, embed(net.module_, source, torch.float32)
            ),
        }


def nearest(Z, criterion):
    """Nearest core (IDCL) or centre (DECS) of each embedding, as the loss has them."""
    if getattr(criterion, "cores", None) is not None:
        device = criterion.cores[0].device
        distances = core_similarity(torch.from_numpy(Z).to(device), criterion.cores)
    else:
        centres = criterion.centres.detach()
        distances = squared_distances_to(torch.from_numpy(Z).to(centres), centres)
    return np.asarray(distances.argmin(1).cpu())


def measure(method, samples, y, seed):
    """A row for each refresh of the clustering phase."""
    recorder = Recorder()
    fit = method.fit(samples, seed, callbacks=[recorder], **method.settings)
    rows = [*recorder.rows, {**recorder.facts, "labels": fit.labels}]
    labels = [row.pop("labels") for row in rows]
    return [{**row, **score(y, found)} for row, found in zip(rows, labels)]
