"""The data sets: how each is read, and what is known of it before clustering."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.ndimage import gaussian_filter
from sklearn.datasets import load_digits

__all__ = ["DATA", "DataSet", "NotThere", "Samples", "load"]


class NotThere(Exception):
    """The file of a set is not in the data home."""


class Samples(NamedTuple):
    """What a method gets to see: no labels."""

    name: str
    X: np.ndarray | sparse.csr_array  # (n, d), images as flat rows
    n_clusters: int
    image_shape: tuple | None


class DataSet(NamedTuple):
    """A set that can be loaded."""

    title: str
    file: str | None  # in the data home; None where it comes with scikit-learn
    read: Callable  # path -> X, y
    n_clusters: int | None  # None: as many as there are classes
    image_shape: tuple | None = None  # of flat rows; else the shape of X tells
    n_seeds: int = 5
    optional: bool = False  # not to be had everywhere


def load(name, data_home):
    """Samples and labels of a set; raises NotThere without its file."""
    record = DATA[name]
    path = None
    if record.file is not None:
        path = Path(data_home or ".") / record.file
        if not path.exists():
            raise NotThere(f"{record.title} is not there: put {record.file} in FOLDER.")
    X, y = record.read(path)
    shape = X.shape[1:] if X.ndim > 2 else record.image_shape
    n_clusters = record.n_clusters or len(np.unique(y))
    if X.ndim > 2:
        X = X.reshape(len(X), -1)
    return Samples(name, X, n_clusters, shape), y


def read_digits(path):
    """scikit-learn's digits, 8 x 8, scaled to [0, 1]."""
    digits = load_digits()
    return digits.images.astype(np.float32) / 16, digits.target


def read_arrays(path):
    """X and y of an npz file; bytes are scaled to [0, 1]."""
    with np.load(path) as file:
        X, y = file["X"], file["y"]
    scale = 255 if X.dtype == np.uint8 else 1
    return X.astype(np.float32) / np.float32(scale), y


def read_usps(path):
    """USPS keeps its values in [0, 1] as whole numbers up to 2000."""
    X, y = read_arrays(path)
    return X / np.float32(2000), y


def read_mnist_test(path):
    """The last 10,000 of MNIST."""
    X, y = read_arrays(path)
    return X[60_000:], y[60_000:]


def read_signs(path):
    """Traffic signs: grey, of normalised contrast; their brightness says little."""
    X, y = read_arrays(path)
    return normalise_contrast(X.mean(axis=3)), y


def normalise_contrast(images):
    """Grey images (n, h, w) of which every neighbourhood has the same contrast.

    Each pixel loses the mean of its neighbourhood and is divided by its deviation. The
    neighbourhood is a Gaussian window with a width of an eighth of the image's side.
    Three deviations either way become [0, 1]. Every image goes by itself.
    """
    width = (0, images.shape[1] / 8, images.shape[2] / 8)
    centred = images - gaussian_filter(images, width)
    deviation = np.sqrt(gaussian_filter(centred**2, width))
    scaled = centred / (deviation + 0.03)  # 0.03: where nothing is, noise stays small
    return (scaled.clip(-3, 3) / 6 + 0.5).astype(np.float32)


def read_text(path):
    """Texts as `deepdensity.datasets.fetch_reuters10k` takes them: sparse or dense."""
    with np.load(path) as file:
        dense = "X" in file
    return read_arrays(path) if dense else read_sparse(path)


def read_sparse(path):
    """A CSR matrix saved by SciPy, with y beside it."""
    with np.load(path) as file:
        y = file["y"]
    return sparse.csr_array(sparse.load_npz(path)).astype(np.float32), y


def read_counts(path):
    """Counts of genes in cells, as logarithms of what the median cell would have."""
    counts, y = read_sparse(path)
    return log_counts(counts), y


def log_counts(counts):
    """log(1 + x), each row x scaled to the median total: the field's standard."""
    totals = counts.sum(axis=1)
    scales = np.median(totals) / np.maximum(totals, 1)
    X = sparse.csr_array(sparse.diags_array(scales) @ counts).astype(np.float32)
    X.data = np.log1p(X.data)
    return X


DATA = {
    "digits": DataSet("Digits", None, read_digits, 10),
    "usps": DataSet("USPS", "usps.npz", read_usps, 10),
    "mnist_test": DataSet("MNIST-test", "mnist.npz", read_mnist_test, 10),
    "mnist": DataSet("MNIST", "mnist.npz", read_arrays, 10, n_seeds=2),
    "fashion": DataSet("Fashion", "fashion_mnist.npz", read_arrays, 10, n_seeds=2),
    "letters_aj": DataSet(
        "Letters A-J", "emnist_letters_aj.npz", read_arrays, 10, n_seeds=2
    ),
    "gtsrb5": DataSet("GTSRB, 5 classes", "gtsrb5.npz", read_signs, 5),
    "r8": DataSet("Reuters R8", "reuters21578_r8_tfidf.npz", read_sparse, 8),
    "pbmc": DataSet("PBMC", "sc_10x_pbmc.npz", read_counts, 8),
    "kidney": DataSet("Kidney", "sc_human_kidney.npz", read_counts, 11),
    "reuters10k": DataSet("REUTERS-10K", "reuters10k.npz", read_text, 4, optional=True),
    "ytf": DataSet(
        "YTF", "ytf.npz", read_arrays, None, (64, 64, 3), n_seeds=2, optional=True
    ),
    "stl10": DataSet(
        "STL-10", "stl10.npz", read_arrays, 10, (96, 96, 3), n_seeds=2, optional=True
    ),
    "cifar10": DataSet(
        "CIFAR-10", "cifar10.npz", read_arrays, 10, (32, 32, 3), 2, optional=True
    ),
}
