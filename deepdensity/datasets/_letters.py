"""EMNIST letters, from the archive of the NIST."""

import functools
import gzip
import string
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from .._typing import Array, FilePath
from ._archive import Archive, damaged
from ._bunch import as_bytes, image_bunch
from ._cache import load_arrays
from ._record import Record

__all__ = ["fetch_emnist_letters"]

ARCHIVE = Archive(
    file="emnist_gzip.zip",
    url="https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip",
    checksum="sha256:fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e",
)
DAMAGES = (KeyError, ValueError, EOFError, OSError, zipfile.BadZipFile, zlib.error)
MEMBER = "gzip/emnist-letters-{part}-{kind}-ubyte.gz"
ALL_LETTERS = Record(
    title="EMNIST letters A-Z",
    file="emnist_letters.npz",
    layout="X (n, 28, 28) or (n, 784), uint8, upright, and y (n,), int, 0 for A",
    values="uint8, ink from 0 (background) to 255",
    source=f"{ARCHIVE.url} (4800 training and 800 test images of each letter)",
    citation=(
        "G. Cohen, S. Afshar, J. Tapson, A. van Schaik: EMNIST: an Extension of MNIST "
        "to Handwritten Letters. International Joint Conference on Neural Networks, "
        "2017."
    ),
    target_names=tuple(string.ascii_uppercase),
    image_shape=(28, 28),
)
RECORDS = {
    "A-J": ALL_LETTERS._replace(
        title="EMNIST letters A-J",
        file="emnist_letters_aj.npz",
        target_names=tuple("ABCDEFGHIJ"),
    ),
    "A-Z": ALL_LETTERS,
}


def fetch_emnist_letters(
    *,
    letters: str = "A-J",
    data_home: FilePath | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
    as_frame: bool = False,
) -> Any:
    """Load EMNIST letters: 5600 images of 28 x 28 pixels for each letter.

    Capital and small forms of a letter are one class. The images are upright; EMNIST's
    own files have them transposed.

    Parameters
    ----------
    letters : {"A-J", "A-Z"}, default="A-J"
        The first ten letters, as in the IDCL paper, or all 26.
    data_home : str or path-like, default=None
        Folder with ``emnist_letters_aj.npz`` ("A-J") or ``emnist_letters.npz`` ("A-Z"),
        or with NIST's archive as ``emnist_gzip.zip``, or to download it to (560 MB).
        None is scikit-learn's. The npz file holds X (n, 28, 28) or (n, 784), uint8,
        upright, and y (n,), int, 0 for A.
    download_if_missing : bool, default=True
        Fetch the archive from the NIST where nothing of this is there.
    return_X_y : bool, default=False
        Return ``(data, target)`` alone.
    as_frame : bool, default=False
        `data` as a pandas data frame, `target` as a series, `frame` as both.

    Returns
    -------
    Bunch, or (data, target)
        data : uint8 (n, 784), 0 is the background.
        target : int64 (n,), index into target_names: 0 is A.
        target_names, image_shape (28, 28), images (n, 28, 28), feature_names, frame,
        DESCR.

    Raises
    ------
    OSError
        If the set is neither there nor to be had.
    ImportError
        If it has to be downloaded and pooch is not installed, or if `as_frame` asks
        for pandas, which is not.
    ValueError
        If a file is damaged or holds something else, or `letters` is neither.

    Examples
    --------
    >>> from deepdensity.datasets import fetch_emnist_letters  # doctest: +SKIP
    >>> letters = fetch_emnist_letters()  # doctest: +SKIP
    >>> letters.data.shape, letters.image_shape  # doctest: +SKIP
    ((56000, 784), (28, 28))
    """
    if letters not in RECORDS:
        raise ValueError(f"letters={letters!r} should be one of {list(RECORDS)}.")
    record = RECORDS[letters]
    make = functools.partial(letter_arrays, len(record.target_names or ()))
    arrays = load_arrays(record, make, data_home, download_if_missing)
    arrays["X"] = as_bytes(record, arrays["X"])
    return image_bunch(record, arrays, return_X_y=return_X_y, as_frame=as_frame)


def letter_arrays(n_letters: Any, folder: Path, download: bool) -> Any:
    """The first letters of the archive: its training images, then its test images."""
    path = ARCHIVE.locate(folder, download)
    images, labels = [], []
    try:
        with zipfile.ZipFile(path) as archive:
            for part in ("train", "test"):
                images.append(read_idx(archive, part, "images-idx3"))
                labels.append(read_idx(archive, part, "labels-idx1"))
    except DAMAGES as error:
        raise damaged(path, error) from error
    X, y = np.concatenate(images), np.concatenate(labels).astype(np.int64)
    if y.shape != X.shape[:1] or y.min(initial=1) < 1:
        raise damaged(path, f"{y.size} labels for {len(X)} images, or a label below 1")
    chosen = y <= n_letters  # the labels begin with 1
    return {"X": X[chosen].transpose(0, 2, 1), "y": y[chosen] - 1}


def read_idx(archive: Any, part: Any, kind: Any) -> Array:
    """Array of unsigned bytes from a gzipped idx file of a zip file.

    An idx file begins with two zero bytes, the type (8 is unsigned bytes), the number
    of axes and, for each, its length in four bytes, the highest first.
    """
    name = MEMBER.format(part=part, kind=kind)
    content = gzip.decompress(archive.read(name))
    n_axes = int(kind[-1])
    start = 4 + 4 * n_axes
    shape = tuple(np.frombuffer(content[4:start], ">i4"))
    n_values = int(np.prod(shape, dtype=np.int64))
    if content[:4] != bytes([0, 0, 8, n_axes]) or len(content) != start + n_values:
        raise OSError(f"{name} is no idx file of bytes with {n_axes} axes")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)
