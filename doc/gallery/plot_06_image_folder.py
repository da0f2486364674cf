"""
Images of your own, from a folder
=================================

Pictures are files in most folders, and arrays in scikit-learn. Between the two lie a
few lines with Pillow. The files of this page are digits, written as PNG first, so that
there is a folder; give your own in its place.
"""

# %%
# A folder of pictures
# --------------------

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

temporary = TemporaryDirectory()
folder = Path(temporary.name)
digits = load_digits()
for i, (digit, label) in enumerate(zip(digits.images[:600], digits.target)):
    picture = Image.fromarray((digit * 15).astype("uint8"))
    picture.resize((64, 64), Image.Resampling.NEAREST).save(
        folder / f"{i:04}_{label}.png"
    )
len(list(folder.glob("*.png")))

# %%
# Files to an array
# -----------------
# All samples need one shape. The default network, "conv16", looks at every image at
# 16 x 16: it enlarges smaller ones and reduces larger ones until the shorter side is
# 16, so that larger files cost little more and show it no more. Eight pixels a side
# will do for these digits. Where 16 are too few to see what a picture shows, as in many
# photographs, take ``autoencoder="conv"`` and the smallest size at which one sees it:
# its time grows with the pixels. ``convert("L")`` makes grey values; ``convert("RGB")``
# would keep colours, as an array (n, height, width, 3).

SIDE = 8
files = sorted(folder.glob("*.png"))
images = np.stack(
    [np.asarray(Image.open(f).convert("L").resize((SIDE, SIDE))) for f in files]
)
temporary.cleanup()  # never clean up a folder of your own
images.shape, images.dtype

# %%
# Bytes stay bytes: batches are turned into floats one at a time. More pictures than fit
# into memory can be a memory map, ``np.load("images.npy", mmap_mode="r")``.
#
# The clusters
# ------------
# Arrays (n, height, width) are read by a convolutional network, and slightly rotated
# and shifted in training. With fewer epochs than by default, so that the page is
# quickly built.

from deepdensity import DECSClustering

decs = DECSClustering(
    10, pretrain_epochs=20, max_iter=80, init="view-mixture", random_state=0
).fit(images)

# %%
# The most typical pictures of each cluster, and the most doubtful ones: the first thing
# to look at where there are no classes.

from deepdensity.inspection import ClusterImagesDisplay

ClusterImagesDisplay.from_estimator(decs, images)

# %%
# The files of a cluster
# ----------------------
# Labels are in the order of the files. These have digits in their names, which say how
# pure the clusters are, and what k-means makes of the same pixels:

from sklearn.cluster import KMeans

from deepdensity.metrics import clustering_accuracy

y = [f.stem[-1] for f in files]
kmeans = KMeans(10, n_init=20, random_state=0).fit(images.reshape(len(images), -1))
print(f"k-means {clustering_accuracy(y, kmeans.labels_):.3f}")
print(f"DECS    {clustering_accuracy(y, decs.labels_):.3f}")
print("cluster 0:", *[files[i].name for i in np.flatnonzero(decs.labels_ == 0)[:5]])
