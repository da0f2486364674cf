"""The course of a clustering phase, at every refresh: for curves and times.

The package's own recorder of labels, with losses and a clock. The last row has the
labels of the finished fit. Classes come in when training is over, for the scores. The
seconds that the callback takes are not counted.
"""

import time

import torch

from deepdensity.callbacks import LabelRecorder
from deepdensity.training.inference import embed, reconstruction_error

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


class Recorder(LabelRecorder):
    """`rows`: the state at each refresh of the clustering phase; `facts`: the last.

    To be made right before the fit begins.
    """

    def __init__(self):
        self.begin = time.perf_counter()
        self.own = 0.0  # seconds spent in here
        self.rows = []
        self.facts = {"epoch": 0, "steps": 0}

    def on_epoch_begin(self, net, dataset_train=None, **kwargs):
        seconds, enter = self.clock(), time.perf_counter()
        n_before = len(self.labels_)
        super().on_epoch_begin(net, dataset_train, **kwargs)
        if len(self.labels_) > n_before:
            if not self.rows:
                self.cluster_begin = seconds
                self.facts |= self.state(net, dataset_train.source, seconds)
            labels = self.labels_[self.facts["epoch"]]
            self.rows.append({**self.facts, "labels": labels})
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


def measure(method, samples, y, seed):
    """A row for each refresh of the clustering phase."""
    recorder = Recorder()
    fit = method.fit(samples, seed, callbacks=[recorder], **method.settings)
    rows = [*recorder.rows, {**recorder.facts, "labels": fit.labels}]
    labels = [row.pop("labels") for row in rows]
    return [{**row, **score(y, found)} for row, found in zip(rows, labels)]
