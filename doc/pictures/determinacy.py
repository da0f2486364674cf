"""Determinacy as a function of q, and the stability of a sample between two centres."""

import matplotlib.pyplot as plt
import torch

from deepdensity.assignment import soft_assignment
from deepdensity.distances import squared_distances_to
from deepdensity.stability import determinacy, sample_stability

BLUE, ORANGE = "#0072B2", "#D55E00"
THRESHOLD = torch.tensor(0.4, dtype=torch.float64)

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
q = torch.linspace(0, 1, 401, dtype=torch.float64)
left.plot(q, determinacy(q, THRESHOLD), c=BLUE, label="quadratic (Eq. 6)")
left.plot(q, determinacy(q, THRESHOLD, "linear"), c=ORANGE, ls="--", label="linear")
left.axvline(THRESHOLD, c="0.4", ls=":")
left.annotate(
    "threshold t", (THRESHOLD, 0.93), xytext=(4, 0), textcoords="offset points"
)
left.annotate("surely out", (0.0, 1.0), xytext=(12, -4), textcoords="offset points")
left.annotate(
    "surely in", (1.0, 1.0), xytext=(-14, -4), textcoords="offset points", ha="right"
)
left.set(xlabel="$q_{ij}$", ylabel="determinacy $f_{ij}$", ylim=(0, 1.1))
left.legend(loc="lower right", fontsize=8)

# a sample that moves from one centre to another, with a third one aside
x = torch.linspace(-2, 6, 401, dtype=torch.float64)
position = torch.stack([x, torch.zeros_like(x)], dim=1)
centres = torch.tensor([[0.0, 0.0], [4.0, 0.0], [2.0, 3.0]], dtype=torch.float64)
Q = soft_assignment(squared_distances_to(position, centres))
fq = determinacy(Q, THRESHOLD)
right.plot(x, sample_stability(fq), c=BLUE)
right.set(xlabel="position of a sample", ylabel="stability $s_i$", ylim=(0, 1.05))
right.set_xticks([0, 4], ["one centre", "another"])
