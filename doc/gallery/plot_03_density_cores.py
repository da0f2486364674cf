"""
Density cores and outliers
==========================

:class:`~deepdensity.IDCLClustering` goes by the density of the samples in its
embedding. Where many samples lie close together, a cluster has its core; what lies
far from all others can be left out of the training, and is told by its score. This page
mixes twenty pieces of photographs among digits, and looks where they end.
"""

# %%
# Digits, and what is none
# ------------------------
# Six hundred digits of 8 x 8 pixels, and twenty squares of that size from two
# photographs, brought to the same grey values.

import numpy as np
from sklearn.datasets import load_digits, load_sample_images
from sklearn.feature_extraction.image import extract_patches_2d

data = load_digits()
digits, classes = data.images[:600], data.target[:600]
patches = []
for photo in load_sample_images().images:
    grey = photo[::4, ::4].mean(axis=2)
    patches.append(extract_patches_2d(grey, (8, 8), max_patches=10, random_state=0))
patches = np.concatenate(patches)
patches -= patches.min(axis=(1, 2), keepdims=True)
patches *= 16 / patches.max(axis=(1, 2), keepdims=True)
images = np.concatenate([digits, patches])
is_patch = np.arange(len(images)) >= len(digits)

# %%
# A short fit
# -----------
# ``lambda_max=0.95`` leaves the sparsest twentieth of each cluster out of the training
# to the end; by default it is 1, and all samples come in. The epochs are fewer than by
# default, and the clusters start at k-means alone, so that the page is quickly built;
# smaller batches make more steps of these few epochs. Labels and densities are
# refreshed before every epoch, and a callback records the labels.

from deepdensity import IDCLClustering
from deepdensity.callbacks import LabelRecorder

idcl = IDCLClustering(
    10,
    lambda_max=0.95,
    pretrain_epochs=12,
    max_epochs=12,
    batch_size=32,
    refresh_interval=1,
    init="k-means",
    callbacks=[LabelRecorder()],
    random_state=0,
).fit(images)

# %%
# The cores
# ---------
# The densest samples of each cluster, drawn with an edge. They stand for the cluster in
# the place of its centre: a new sample belongs to the core that is nearest.

from deepdensity.inspection import EmbeddingDisplay

EmbeddingDisplay.from_estimator(
    idcl, images, outliers=0.03, method="tsne", random_state=0
)

# %%
# The most typical digits of each cluster, and the most doubtful ones:

from deepdensity.inspection import ClusterImagesDisplay

ClusterImagesDisplay.from_estimator(idcl, images)

# %%
# The curriculum
# --------------
# Training began with the densest nine tenths of each cluster and took in more, epoch by
# epoch, up to ``lambda_max``: the sparsest twentieth stayed out to the end.

from deepdensity.inspection import PacingDisplay

PacingDisplay.from_estimator(idcl)

# %%
# This holds off outliers that lie at the edges of clusters: at the end fewer of the
# patches than of the digits are in training. Where they are alike enough to have won a
# cluster of their own, as most of these have, they come in with it:

together = np.bincount(idcl.labels_[is_patch]).max()
print(f"{together} of {is_patch.sum()} patches are in one cluster")

for epoch in (0, idcl.n_iter_ - 1):
    admitted = np.isin(np.arange(len(images)), idcl.curriculum_[epoch])
    print(
        f"epoch {epoch:2}: {admitted[~is_patch].mean():.2f} of the digits, "
        f"{admitted[is_patch].mean():.2f} of the patches"
    )

# %%
# The course of the training
# --------------------------
# Losses, the share of the samples in training and of the labels that changed are in
# ``history_``. The classes, which no fit is given, score the labels that were recorded:
# accuracy of the best matching (ACC) and normalised mutual information (NMI). They need
# not rise with every epoch, nor to the top: the patches are an eleventh class here, for
# ten clusters.

from deepdensity.inspection import TrainingDisplay

y = np.concatenate([classes, np.full(len(patches), 10)])
TrainingDisplay.from_estimator(idcl, y=y)

# %%
# Outliers by their score
# -----------------------
# ``score_samples`` is the log of a sample's density among those of the training, low
# where few are near: it tells even of outliers that keep together. The area under the
# ROC curve says how often a digit has a higher one than a patch; a threshold is yours
# to choose.

import matplotlib.pyplot as plt
from sklearn.metrics import roc_auc_score

scores = idcl.score_samples(images)
print(f"area under the ROC curve: {roc_auc_score(~is_patch, scores):.3f}")

lowest = np.argsort(scores)[:40]
figure, axes = plt.subplots(4, 10, figsize=(8, 3.6), layout="constrained")
for ax, i in zip(axes.flat, lowest):
    ax.imshow(images[i], cmap="gray")
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set(color="#D55E00" if is_patch[i] else "#0072B2", linewidth=3)
figure.suptitle("The 40 lowest scores (orange: patch of a photograph, blue: digit)")
plt.show()
