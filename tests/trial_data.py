"""Samples, networks and starts that trials are tested with."""

import numpy as np
import torch
from sklearn.datasets import make_blobs
from torch import nn

from deepdensity.assignment import cluster_means

from .common import source_of, trainer

N_CLUSTERS = 4
N_STEPS = 60


def blobs():
    return make_blobs(
        300, centers=N_CLUSTERS, n_features=8, cluster_std=0.6, random_state=5
    )


def noisy(x, rows, generator):
    return x + 0.1 * torch.randn(x.shape, generator=generator), x


def pretrained(**more):
    X, y = blobs()
    run = trainer(source_of(X), lr=2e-3, views={"cluster": noisy}, **more)
    run.pretrain(40)
    return run, y


def start_of(run, labels):
    return cluster_means(run.embed(), labels, N_CLUSTERS), labels


def wrong_labels(y):
    """Two clusters as one, another cut in two."""
    first = np.flatnonzero(y == 2)[::2]
    wrong = np.where(y == 3, 0, y)
    wrong[first] = 3
    return wrong


class Exploding(nn.Module):
    """Its embedding overflows once its weight has moved."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(8))

    def encode(self, x):
        moved = (self.weight.detach() != 1).any()
        return x * self.weight * torch.where(moved, torch.inf, 1.0)

    def decode(self, z):
        return z
