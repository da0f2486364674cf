"""As many 28 x 28 images as one asks for, as files: MNIST's, slightly turned."""

import shutil
from pathlib import Path

import numpy as np
import torch
from scipy import sparse
from sklearn.utils import gen_batches

from deepdensity.augmentation import random_affine

__all__ = ["LAYOUTS", "read", "write"]

BLOCK = 10_000  # images at a time
INK = 32  # grey values below are 0 in the sparse rows, as in a scan of few bits
CHUNK = 16  # images in a chunk of zarr


def write(folder, data_home, n_samples):
    """Write `n_samples` images as an npy file, and what is made of it; once."""
    path = Path(folder) / f"{n_samples}.npy"
    if path.exists():
        return
    with np.load(Path(data_home) / "mnist.npz") as file:
        X = file["X"]
    generator = torch.Generator().manual_seed(0)
    shape = (n_samples, 28, 28)
    part = Path(f"{path}.part")  # an interrupted file is not to be taken for whole
    images = np.lib.format.open_memmap(part, "w+", np.uint8, shape)
    for rows in gen_batches(n_samples, BLOCK):
        drawn = torch.randint(len(X), (rows.stop - rows.start,), generator=generator)
        x = torch.from_numpy(X[drawn.numpy()]).float()[:, None]
        images[rows] = random_affine(x, generator)[:, 0].round().byte().numpy()
    images.flush()
    part.rename(path)


def memmap(path):
    """Images (n, 28, 28) on the disk."""
    return np.load(path, mmap_mode="r")


def flat_memmap(path):
    """The same as flat rows: vectors to the estimators."""
    images = memmap(path)
    return images.reshape(len(images), -1)


def csr(path):
    """The same as a sparse matrix in memory: 5 bytes a dot of ink.

    Its arrays are filled in place, so that no second copy of them swells the memory.
    """
    images = flat_memmap(path)
    inked = np.zeros(len(images) + 1, dtype=np.int64)
    batches = list(gen_batches(len(images), BLOCK))
    for rows in batches:
        inked[rows.start + 1 : rows.stop + 1] = (images[rows] >= INK).sum(1)
    indptr = inked.cumsum()
    data = np.empty(indptr[-1], dtype=np.uint8)
    indices = np.empty(indptr[-1], dtype=np.int32)
    for rows in batches:
        dots = slice(indptr[rows.start], indptr[rows.stop])
        ink = images[rows] >= INK
        indices[dots] = np.nonzero(ink)[1]
        data[dots] = images[rows][ink]
    parts = (data, indices, indptr.astype(np.int32))
    return sparse.csr_array(parts, shape=images.shape)


def zarr_array(path):
    """The same as an array of zarr, in chunks of 16 images."""
    import zarr

    images, store = memmap(path), Path(f"{path}.zarr")
    if not store.exists():
        shape = images.shape
        array = zarr.create_array(
            f"{store}.part",
            shape=shape,
            chunks=(CHUNK, *shape[1:]),
            shards=(CHUNK * 256, *shape[1:]),
            dtype=images.dtype,
        )
        for rows in gen_batches(len(images), CHUNK * 256):
            array[rows] = images[rows]
        shutil.move(f"{store}.part", store)
    return zarr.open_array(store, mode="r")


LAYOUTS = {
    "memmap": memmap,
    "flat memmap": flat_memmap,
    "csr": csr,
    "zarr": zarr_array,
}


def read(layout, folder, n_samples):
    """X in one of the LAYOUTS."""
    return LAYOUTS[layout](Path(folder) / f"{n_samples}.npy")
