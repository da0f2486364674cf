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
# Where X is a dense array that takes at most half of the device's free memory, a fit
# copies it there once, as it is stored. A larger or a sparse one stays in the memory of
# the host, or on the disk, and goes to the device a few batches at a time: the network,
# these batches and the embedding have to fit.
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
# - The 70,000 images of MNIST took ``DECSClustering`` 30 seconds on an NVIDIA H200, by
#   its defaults (:doc:`/speed`).
# - On CUDA a training step is recorded, after three steps of its batch size, and
#   replayed as one graph: Python is not called again for it. A network of your own
#   whose ``forward`` keeps count of something, or draws from Python's random generator,
#   would repeat what it did then. One that asks for a value, as ``if x.mean() > 0``
#   does, cannot be recorded, and is called at every step as elsewhere.
# - Several GPUs: ``device="cuda:1"`` takes the second, so that the candidates of a
#   search can be given one each. A single fit uses one.
# - The same ``random_state`` gave the same bits in two fits of these digits. Larger
#   images are enlarged again at the end of the network, by a kernel of torch's that
#   adds in any order, and training magnifies what that rounds; likewise what a GPU
#   rounds otherwise than a CPU: convolutions of float32 to TF32, unless
#   ``torch.backends.cudnn`` is told not to. Expect the same quality, not the same
#   labels.
# - ``device="mps"`` is Apple's. A device that is not there is an error that says so,
#   not a silent fall back to the CPU.

try:
    DECSClustering(10, device="cuda:99").fit(images)
except ValueError as error:
    print(error)
