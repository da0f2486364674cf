"""
On a GPU
========

Nothing has to be changed: ``device="auto"`` takes CUDA where there is one, and the CPU
elsewhere. This page ran on whatever machine has built it, and says on which.
"""

# %%
# The device
# ----------

import torch

cuda = torch.cuda.is_available()
print(
    torch.cuda.get_device_name() if cuda else f"CPU, {torch.get_num_threads()} threads"
)

# %%
# X stays where it is, in the memory of the host, and goes to the device a batch at a
# time. So X may be larger than the memory of the GPU; the network, a batch and the
# embedding have to fit.
#
# A fit
# -----
# With ``precision="auto"`` the network is trained in bfloat16 where the device computes
# in it by itself, as GPUs from Ampere on do and some processors. The embedding is
# always computed in float32 or float64.

from time import perf_counter

from sklearn.datasets import load_digits

from deepdensity import DECSClustering
from deepdensity.metrics import clustering_accuracy

digits = load_digits()
images, y = digits.images[:600], digits.target[:600]
decs = DECSClustering(
    10,
    device="auto",
    precision="auto",
    pretrain_epochs=10,
    max_iter=60,
    init="k-means",
    random_state=0,
)
start = perf_counter()
labels = decs.fit_predict(images)
print(f"{perf_counter() - start:.1f} s, accuracy {clustering_accuracy(y, labels):.3f}")

# %%
# What comes out is on the host again: ``labels_`` and ``embedding_`` are NumPy arrays.
# The module is on the device it was trained on:

print(type(decs.embedding_).__name__, next(decs.module_.parameters()).device)

# %%
# What to expect
# --------------
# - Digits are too small a set for a GPU to be worth it. It gains with the size of the
#   pictures, of the network and of the batches: where the memory allows, a larger
#   ``batch_size`` keeps it busy.
# - Several GPUs: ``device="cuda:1"`` takes the second, so that the candidates of a
#   search can be given one each. A single fit uses one.
# - The same ``random_state`` gives the same result on the same machine; a GPU rounds
#   differently from a CPU, and training magnifies it. Expect the same quality, not the
#   same labels.
# - ``device="mps"`` is Apple's. A device that is not there is an error that says so,
#   not a silent fall back to the CPU.

try:
    DECSClustering(10, device="cuda:99").fit(images)
except ValueError as error:
    print(error)
