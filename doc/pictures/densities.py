"""Densities, cores and a curriculum, by the functions that IDCL uses."""

import matplotlib.pyplot as plt
import numpy as np
import torch

from deepdensity.curriculum import select_easiest
from deepdensity.density import cutoff_distance, difficulty_score, local_density
from deepdensity.density_cores import density_core

COLOURS = np.array(["#0072B2", "#D55E00"])

random = np.random.default_rng(0)
left = random.normal((0, 0), 0.5, (90, 2))
right = random.normal((3.2, 0.4), 0.5, (90, 2))
far = random.uniform((4.2, -0.4), (8.5, 3.0), (24, 2))  # outliers of the right cluster
Z = np.concatenate([left, right, far])
labels = np.repeat([0, 1], [len(left), len(right) + len(far)])
points = torch.from_numpy(Z)
density = local_density(points, cutoff_distance(points, quantile=0.05))
difficulty = difficulty_score(density).numpy()
cores = density_core(density.numpy(), labels, 0.1)

figure, axes = plt.subplots(
    2, 2, figsize=(10, 4.6), sharex=True, sharey=True, layout="constrained"
)
first, second, early, late = axes.flat
shades = first.scatter(*Z.T, c=difficulty, cmap="viridis", s=16)
figure.colorbar(shades, ax=first, label="score $S_i$ (1: densest)")
first.set_title("Density of each sample")

second.scatter(*Z.T, c=COLOURS[labels], s=12, alpha=0.4, linewidths=0)
for cluster, core in cores.items():
    own = {"color": COLOURS[cluster], "edgecolors": "black"}
    second.scatter(*Z[core].T, s=30, label=f"core of cluster {cluster}", **own)
    mean = Z[labels == cluster].mean(axis=0)
    second.scatter(*mean, marker="X", s=160, label=f"mean of cluster {cluster}", **own)
second.set_title("Cores stay where the means follow outliers")
second.legend(fontsize=8, loc="upper left")

for ax, share in {early: 0.6, late: 0.95}.items():
    chosen = np.isin(np.arange(len(Z)), select_easiest(difficulty, labels, share))
    ax.scatter(*Z[~chosen].T, marker="x", c="0.6", s=16, label="not yet, or never")
    ax.scatter(*Z[chosen].T, c=COLOURS[labels[chosen]], s=14, label="in training")
    ax.set_title(rf"The curriculum at $\lambda_t$ = {share}")
    ax.legend(fontsize=8, loc="upper left")
for ax in axes.flat:
    ax.set(aspect="equal", xticks=[], yticks=[])
