"""
An autoencoder of your own
==========================

The networks that come with the package are plain ones. Where you know more about your
data, write your own ``torch.nn.Module``: it needs ``encode`` and ``decode``, and
nothing else. This page gives the digits a network that looks at rows and columns.
"""

# %%
# The module
# ----------
# A class is called with the shape of a sample and the size of the embedding. This one
# reads each row of an image by the same layer, then each column of what has come out:
# far fewer weights than a layer on all pixels, and an order that plain vectors lack.

import torch
from torch import nn


class RowsAndColumns(nn.Module):
    """Encode rows by one layer, columns by another; decode by a plain network."""

    def __init__(self, input_shape, n_components, width=24):
        super().__init__()
        channels, height, columns = self.input_shape = input_shape
        self.rows = nn.Linear(channels * columns, width)
        self.columns = nn.Linear(height, width)
        self.embed = nn.Linear(width * width, n_components)
        self.decoder = nn.Sequential(
            nn.Linear(n_components, 256),
            nn.ReLU(),
            nn.Linear(256, channels * height * columns),
        )

    def encode(self, x):  # (n, channels, height, columns) -> (n, n_components)
        x = x.movedim(1, 2).flatten(2)  # (n, height, channels * columns)
        x = torch.relu(self.rows(x))
        x = torch.relu(self.columns(x.mT))
        return self.embed(x.flatten(1))

    def decode(self, z):  # back to the shape of x
        return self.decoder(z).unflatten(1, self.input_shape)


# %%
# In a fit
# --------
# ``autoencoder`` takes the class. Options go by ``functools.partial``. A module that
# is already made, with weights trained elsewhere for instance, will do as well: it is
# copied, and the fit goes on from its weights.

from functools import partial

from sklearn.datasets import load_digits

from deepdensity import DECSClustering

digits = load_digits()
images, y = digits.images[:1000], digits.target[:1000]
decs = DECSClustering(
    10,
    autoencoder=partial(RowsAndColumns, width=32),
    pretrain_epochs=50,
    max_iter=200,
    init="k-means",
    random_state=0,
).fit(images)
sum(weights.numel() for weights in decs.module_.parameters())

# %%
# The trained module is ``module_``. All else works as with the networks that come with
# the package.

from sklearn.cluster import KMeans

from deepdensity.metrics import clustering_accuracy

kmeans = KMeans(10, n_init=20, random_state=0).fit(images.reshape(1000, 64))
print(f"k-means {clustering_accuracy(y, kmeans.labels_):.3f}")
print(f"DECS    {clustering_accuracy(y, decs.labels_):.3f}")

# %%
# Does it learn?
# --------------
# Two pictures tell most about a new network: its losses over the epochs, and what it
# makes of samples.

from deepdensity.inspection import ReconstructionDisplay, TrainingDisplay

TrainingDisplay.from_estimator(decs)

# %%
# The decoder is trained before the clustering and refitted after it.

ReconstructionDisplay.from_estimator(decs, images)
