"""Whether a sampled density admits the samples that the exact one would."""

import numpy as np
import torch

from benchmarks.papers.data import load
from deepdensity import DECSClustering
from deepdensity.core_head import N_REFERENCE
from deepdensity.curriculum import select_easiest
from deepdensity.density import cutoff_distance, local_density, sampled_density

__all__ = ["agreement"]

N_SAMPLES = 20_000
FRACTIONS = (0.6, 0.8, 0.9, 0.95)  # the paper's first to its last; the default's first
N_REPEATS = 5


def agreement(device, data_home):
    """(fraction, share of samples on which both agree, by repeat) for each fraction.

    The first 20,000 images of MNIST, as vectors, in the embedding of a short fit. Each
    repeat draws another reference set of 4,096 samples, as ``density="auto"`` does.
    """
    samples, _ = load("mnist", data_home)
    model = DECSClustering(
        samples.n_clusters,
        autoencoder="mlp",
        augment=False,
        pretrain_epochs=5,
        max_iter=100,
        init="k-means",
        device=device,
        random_state=0,
    ).fit(samples.X[:N_SAMPLES])
    Z, labels = torch.from_numpy(model.embedding_.astype(np.float64)), model.labels_
    generator = torch.Generator().manual_seed(0)
    cutoff = cutoff_distance(Z, 0.02, generator)
    exact = local_density(Z, cutoff).numpy()
    sampled = []
    for _ in range(N_REPEATS):
        rows = torch.randperm(len(Z), generator=generator)[:N_REFERENCE].sort()[0]
        density = sampled_density(Z.float(), cutoff, "gaussian", rows)
        sampled.append(density.double().numpy())
    for fraction in FRACTIONS:
        admitted = chosen(exact, labels, fraction)
        yield (
            fraction,
            [np.mean(chosen(rho, labels, fraction) == admitted) for rho in sampled],
        )


def chosen(density, labels, fraction):
    """Which samples the curriculum admits: bool array (n,)."""
    mask = np.zeros(len(density), dtype=bool)
    mask[select_easiest(density, labels, fraction)] = True
    return mask
