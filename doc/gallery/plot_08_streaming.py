"""
A stream that drifts
====================

Samples often come in batches, and later ones differ from the first: a lens gets dirty,
a lamp fades, a camera turns on its screw. ``partial_fit`` refines network and clusters
with each batch, and clusters keep their numbers.
"""

# %%
# The stream
# ----------
# Digits in seven batches. The first is as it is; then the camera turns by four degrees
# from batch to batch.

import matplotlib.pyplot as plt
import numpy as np
from scipy.ndimage import rotate
from sklearn.datasets import load_digits

X, y = load_digits(return_X_y=True)
order = np.random.RandomState(0).permutation(len(X))
starts = [700, 880, 1060, 1240, 1420, 1600]
batches = []
for t, rows in enumerate(np.split(order, starts)):
    pictures = X[rows].reshape(-1, 8, 8) / 16
    pictures = rotate(pictures, 4 * t, axes=(1, 2), reshape=False, order=1)
    batches.append((pictures.reshape(-1, 64), y[rows]))

figure, axes = plt.subplots(1, 7, figsize=(9, 1.7), layout="constrained")
for t, (ax, (batch, _)) in enumerate(zip(axes, batches)):
    ax.imshow(batch[0].reshape(8, 8), cmap="gray", vmin=0, vmax=1)
    ax.set(xticks=[], yticks=[], title=f"batch {t}")
plt.show()

# %%
# Two models
# ----------
# Both are fitted to the first batch. One stays as it is, the other learns on. Each
# batch is clustered first, before either has seen it. ``batch_size`` is small, so that
# a batch of the stream is worth several steps.

from copy import deepcopy

from deepdensity import DECSClustering
from deepdensity.metrics import clustering_accuracy

first, y_first = batches[0]
fixed = DECSClustering(10, batch_size=64, random_state=0).fit(first)
learning = deepcopy(fixed)
accuracies = {"fixed": [], "learning": []}
for batch, classes in batches[1:]:
    for name, model in {"fixed": fixed, "learning": learning}.items():
        accuracies[name].append(clustering_accuracy(classes, model.predict(batch)))
    learning.partial_fit(batch)

figure, ax = plt.subplots(figsize=(6.5, 3.8), layout="constrained")
for (name, values), colour, dash in zip(
    accuracies.items(), ["#D55E00", "#0072B2"], ["--", "-"]
):
    ax.plot(range(1, 7), values, dash, marker="o", c=colour, label=name)
ax.set(xlabel="batch", ylabel="accuracy before learning from it", ylim=(0, 1))
ax.legend(loc="lower left")
plt.show()
print(*(f"{name} {values[-1]:.3f}" for name, values in accuracies.items()), sep=", ")

# %%
# The clusters are the same
# -------------------------
# Cluster i stays cluster i, so that what was named once keeps its name. Of the samples
# of the first batch, this share still has the label that it had at first:

print(f"{np.mean(learning.predict(first) == fixed.labels_):.3f}")

# %%
# What a model remembers, and how it differs between the two estimators:
# :doc:`/streams`.
