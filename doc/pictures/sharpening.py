"""Soft assignment by the Student-t kernel, and the target that sharpens it."""

import matplotlib.pyplot as plt
import numpy as np
import torch

from deepdensity.assignment import soft_assignment, target_distribution
from deepdensity.distances import squared_distances_to

positions = torch.linspace(-1.5, 4.5, 401, dtype=torch.float64)[:, None]
centres = torch.tensor([[0.0], [3.0]], dtype=torch.float64)
Q = soft_assignment(squared_distances_to(positions, centres))
P = target_distribution(Q)

figure, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
for j, (colour, name) in enumerate([("#0072B2", "left"), ("#D55E00", "right")]):
    ax.plot(positions, Q[:, j], c=colour, label=f"$q$ of the {name} cluster")
    ax.plot(positions, P[:, j], c=colour, ls="--", label=f"$p$ of the {name} cluster")
ax.set(xlabel="position of a sample between two clusters", ylabel="probability")
ax.set_xticks(centres.ravel(), ["left core", "right core"])
ax.set_yticks(np.linspace(0, 1, 5))
ax.legend(fontsize=8)
