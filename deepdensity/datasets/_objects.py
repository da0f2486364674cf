"""STL-10 and CIFAR-10, from the binary archives of their authors."""

import tarfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from .._typing import FilePath
from ._archive import Archive, damaged
from ._bunch import as_bytes, image_bunch
from ._cache import load_arrays
from ._record import Record

__all__ = ["fetch_cifar10", "fetch_stl10"]

STL10_ARCHIVE = Archive(
    file="stl10_binary.tar.gz",
    url="https://cs.stanford.edu/~acoates/stl10/stl10_binary.tar.gz",
    checksum="sha256:f31fd99273a1acb8609c8db427cebb1de3f71de77758cdc0e22956e1289b9866",
)
STL10 = Record(
    title="STL-10, training and test images",
    file="stl10.npz",
    layout="X (n, 96, 96, 3) or (n, 27648), uint8, and y (n,), int",
    values="uint8, red, green and blue from 0 to 255",
    source=f"{STL10_ARCHIVE.url} (5000 training, then 8000 test images)",
    citation=(
        "A. Coates, H. Lee, A. Y. Ng: An Analysis of Single-Layer Networks in "
        "Unsupervised Feature Learning. International Conference on Artificial "
        "Intelligence and Statistics, 2011."
    ),
    target_names=(
        "airplane",
        "bird",
        "car",
        "cat",
        "deer",
        "dog",
        "horse",
        "monkey",
        "ship",
        "truck",
    ),
    image_shape=(96, 96, 3),
)
CIFAR10_ARCHIVE = Archive(
    file="cifar-10-binary.tar.gz",
    url="https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    checksum="sha256:c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
)
CIFAR10_FILES = [f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"]
CIFAR10 = Record(
    title="CIFAR-10, tiny images",
    file="cifar10.npz",
    layout="X (n, 32, 32, 3) or (n, 3072), uint8, and y (n,), int",
    values="uint8, red, green and blue from 0 to 255",
    source=f"{CIFAR10_ARCHIVE.url} (50000 training, then 10000 test images)",
    citation=(
        "A. Krizhevsky: Learning Multiple Layers of Features from Tiny Images. "
        "University of Toronto, 2009."
    ),
    target_names=(
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    ),
    image_shape=(32, 32, 3),
)


def fetch_stl10(
    *,
    data_home: FilePath | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
) -> Any:
    """Load STL-10: 13000 photographs of 96 x 96 pixels in colour, 10 classes.

    These are the labelled images, the 5000 for training and the 8000 for testing.

    Parameters
    ----------
    data_home : str or path-like, default=None
        Folder with ``stl10.npz``, or with the authors' ``stl10_binary.tar.gz``, or to
        download that to (2.6 GB). None is scikit-learn's. ``stl10.npz`` holds
        X (n, 96, 96, 3) or (n, 27648), uint8, and y (n,), int.
    download_if_missing : bool, default=True
        Fetch the archive from its authors' site where nothing of this is there.
    return_X_y : bool, default=False
        Return ``(data, target)`` alone.

    Returns
    -------
    Bunch, or (data, target)
        data : uint8 (n, 27648), red, green and blue of each pixel from 0 to 255.
        target : int64 (n,), index into target_names.
        target_names, image_shape (96, 96, 3), images (n, 96, 96, 3), DESCR.

    Raises
    ------
    OSError
        If the set is neither there nor to be had.
    ImportError
        If it has to be downloaded and pooch is not installed.
    ValueError
        If a file is damaged, or holds something else.

    Examples
    --------
    >>> from deepdensity.datasets import fetch_stl10  # doctest: +SKIP
    >>> stl10 = fetch_stl10()  # doctest: +SKIP
    >>> stl10.data.shape, stl10.image_shape  # doctest: +SKIP
    ((13000, 27648), (96, 96, 3))
    """
    return objects(STL10, stl10_arrays, data_home, download_if_missing, return_X_y)


def fetch_cifar10(
    *,
    data_home: FilePath | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
) -> Any:
    """Load CIFAR-10: 60000 photographs of 32 x 32 pixels in colour, 10 classes.

    Read from the authors' binary version, the same bytes as in their Python version and
    nothing to unpickle.

    Parameters
    ----------
    data_home : str or path-like, default=None
        Folder with ``cifar10.npz``, or with the authors' ``cifar-10-binary.tar.gz``, or
        to download that to (170 MB). None is scikit-learn's. ``cifar10.npz`` holds
        X (n, 32, 32, 3) or (n, 3072), uint8, and y (n,), int.
    download_if_missing : bool, default=True
        Fetch the archive from its author's site where nothing of this is there.
    return_X_y : bool, default=False
        Return ``(data, target)`` alone.

    Returns
    -------
    Bunch, or (data, target)
        data : uint8 (n, 3072), red, green and blue of each pixel from 0 to 255.
        target : int64 (n,), index into target_names.
        target_names, image_shape (32, 32, 3), images (n, 32, 32, 3), DESCR.

    Raises
    ------
    OSError
        If the set is neither there nor to be had.
    ImportError
        If it has to be downloaded and pooch is not installed.
    ValueError
        If a file is damaged, or holds something else.

    Examples
    --------
    >>> from deepdensity.datasets import fetch_cifar10  # doctest: +SKIP
    >>> cifar10 = fetch_cifar10()  # doctest: +SKIP
    >>> cifar10.data.shape, cifar10.image_shape  # doctest: +SKIP
    ((60000, 3072), (32, 32, 3))
    """
    return objects(CIFAR10, cifar10_arrays, data_home, download_if_missing, return_X_y)


def objects(
    record: Record,
    make: Any,
    data_home: FilePath | None,
    download_if_missing: bool,
    return_X_y: bool,
) -> Any:
    """The return value of a loader of uint8 images in colour."""
    arrays = load_arrays(record, make, data_home, download_if_missing)
    arrays["X"] = as_bytes(record, arrays["X"])
    return image_bunch(record, arrays, return_X_y=return_X_y)


def stl10_arrays(folder: Path, download: bool) -> Any:
    """Images channel by channel and column by column; labels from 1."""
    path = STL10_ARCHIVE.locate(folder, download)
    names = [f"{part}_{kind}.bin" for part in ("train", "test") for kind in "Xy"]
    files = tar_bytes(path, names)
    pixels = np.concatenate([files[name] for name in names[0::2]])
    y = np.concatenate([files[name] for name in names[1::2]])
    if pixels.size != y.size * 3 * 96 * 96 or not is_within(y, 1, 10):
        raise damaged(path, f"{pixels.size} bytes of pixels for {y.size} labels")
    X = pixels.reshape(-1, 3, 96, 96).transpose(0, 3, 2, 1)
    return {"X": np.ascontiguousarray(X), "y": y.astype(np.int64) - 1}


def cifar10_arrays(folder: Path, download: bool) -> Any:
    """For each image a byte of label, then channel by channel, row by row."""
    path = CIFAR10_ARCHIVE.locate(folder, download)
    files = tar_bytes(path, CIFAR10_FILES)
    records = np.concatenate([files[name] for name in CIFAR10_FILES])
    if records.size % 3073:
        raise damaged(path, f"{records.size} bytes are no multiple of 3073")
    records = records.reshape(-1, 3073)
    y = records[:, 0].astype(np.int64)
    if not is_within(y, 0, 9):
        raise damaged(path, "a label is above 9")
    X = records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return {"X": np.ascontiguousarray(X), "y": y}


def is_within(y: Any, lowest: Any, highest: Any) -> Any:
    """Whether there are labels, and all of them within the bounds."""
    return y.size > 0 and lowest <= y.min() and y.max() <= highest


def tar_bytes(path: Path, names: Any) -> Any:
    """Contents of files in a gzipped tar archive, whatever folder they are in there.

    Nothing is unpacked to the disk. Reading stops after the last of the files, because
    STL-10's unlabelled images, most of the archive, are not needed.

    Returns
    -------
    dict of str to ndarray of uint8
    """
    files = {}
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                name = member.name.rpartition("/")[2]
                if member.isfile() and name in names:
                    file = archive.extractfile(member)
                    content = b"" if file is None else file.read()
                    files[name] = np.frombuffer(content, np.uint8)
                if len(files) == len(names):
                    return files
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise damaged(path, error) from error
    missing = [name for name in names if name not in files]
    raise damaged(path, f"it lacks {missing}")
