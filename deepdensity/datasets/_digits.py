"""Handwritten digits and articles of fashion: grey images from OpenML."""

import functools
from pathlib import Path
from typing import Any

import numpy as np

from .._typing import FilePath
from ._bunch import as_bytes, image_bunch
from ._cache import load_arrays
from ._openml import openml_samples
from ._record import Record

__all__ = ["fetch_fashion_mnist", "fetch_mnist", "fetch_usps"]

DIGITS = tuple("0123456789")
USPS_SCALE = 2000  # the file's whole numbers stand for 0, 1/2000, ..., 1
BYTES_28 = "X (n, 28, 28) or (n, 784), uint8, and y (n,), int"

USPS = Record(
    title="USPS handwritten digits",
    file="usps.npz",
    layout=(
        "X (n, 16, 16) or (n, 256), unsigned integers up to `scale` (2000 where there "
        "is no array of that name) or floats in [0, 1], and y (n,), int"
    ),
    values="float32, ink in [0, 1] in steps of 1/2000; 0 is the background",
    source="https://www.openml.org/d/41082 (7291 training, then 2007 test images)",
    citation=(
        "J. J. Hull: A Database for Handwritten Text Recognition Research. IEEE "
        "Transactions on Pattern Analysis and Machine Intelligence 16 (5), 1994."
    ),
    target_names=DIGITS,
    image_shape=(16, 16),
)
MNIST = Record(
    title="MNIST handwritten digits",
    file="mnist.npz",
    layout=BYTES_28,
    values="uint8, ink from 0 (background) to 255",
    source="https://www.openml.org/d/554 (60000 training, then 10000 test images)",
    citation=(
        "Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-Based Learning Applied "
        "to Document Recognition. Proceedings of the IEEE 86 (11), 1998."
    ),
    target_names=DIGITS,
    image_shape=(28, 28),
)
FASHION_MNIST = Record(
    title="Fashion-MNIST, articles of clothing",
    file="fashion_mnist.npz",
    layout=BYTES_28,
    values="uint8, brightness of the article from 0 (background) to 255",
    source="https://www.openml.org/d/40996 (60000 training, then 10000 test images)",
    citation=(
        "H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST: a Novel Image Dataset for "
        "Benchmarking Machine Learning Algorithms. arXiv:1708.07747, 2017."
    ),
    target_names=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    image_shape=(28, 28),
)


def fetch_usps(
    *,
    data_home: FilePath | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
    as_frame: bool = False,
) -> Any:
    """Load USPS: 9298 handwritten digits of 16 x 16 pixels, 10 classes.

    Parameters
    ----------
    data_home : str or path-like, default=None
        Folder with ``usps.npz``, or to download to. None is scikit-learn's. The file
        holds X (n, 16, 16) or (n, 256), of floats in [0, 1] or of whole numbers up to
        ``scale``, which is 2000 where the file does not tell it, and y (n,), int.
    download_if_missing : bool, default=True
        Fetch the set from OpenML (data set 41082) where the file is not there.
    return_X_y : bool, default=False
        Return ``(data, target)`` alone.
    as_frame : bool, default=False
        `data` as a pandas data frame, `target` as a series, `frame` as both.

    Returns
    -------
    Bunch, or (data, target)
        data : float32 (n, 256) in [0, 1], 0 is the background.
        target : int64 (n,), the digit.
        target_names, image_shape (16, 16), images (n, 16, 16), feature_names, frame,
        DESCR.

    Raises
    ------
    OSError
        If the set is neither there nor to be had.
    ImportError
        If `as_frame` asks for pandas, which is not installed.
    ValueError
        If the file is damaged, or holds something else.

    Examples
    --------
    >>> from deepdensity.datasets import fetch_usps  # doctest: +SKIP
    >>> usps = fetch_usps()  # doctest: +SKIP
    >>> usps.data.shape, usps.image_shape  # doctest: +SKIP
    ((9298, 256), (16, 16))
    """
    arrays = load_arrays(USPS, usps_arrays, data_home, download_if_missing, ["scale"])
    X = arrays["X"]
    if X.dtype == np.uint8 and "scale" not in arrays:
        raise ValueError(
            f"X in {USPS.file} is uint8, and `scale` is missing: the number that "
            f"stands for 1, 255 perhaps. The file must hold {USPS.layout}."
        )
    if X.dtype.kind in "ui":
        X = X / np.float32(arrays.get("scale", USPS_SCALE))
    if X.dtype.kind != "f" or not ((X >= 0) & (X <= 1)).all():
        raise ValueError(
            f"X in {USPS.file} has dtype {arrays['X'].dtype} and values outside the "
            f"range. The file must hold {USPS.layout}."
        )
    arrays["X"] = X.astype(np.float32, copy=False)
    return image_bunch(USPS, arrays, return_X_y=return_X_y, as_frame=as_frame)


def usps_arrays(folder: Path, download: bool) -> Any:
    """Of OpenML, where the values are in [-1, 1] and the labels are digit + 1."""
    X, y = openml_samples(41082, folder, download)
    X = np.rint((X + 1) * (USPS_SCALE / 2))
    if X.min() < 0 or X.max() > USPS_SCALE or not 1 <= y.min() <= y.max() <= 10:
        raise ValueError(
            "USPS on OpenML has values outside [-1, 1] or labels other than 1 to 10."
        )
    return {"X": X.astype(np.uint16), "y": y - 1, "scale": np.int64(USPS_SCALE)}


def fetch_mnist(
    *,
    data_home: FilePath | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
    as_frame: bool = False,
) -> Any:
    """Load MNIST: 70000 handwritten digits of 28 x 28 pixels, 10 classes.

    The last 10000 are the papers' "MNIST-test".

    Parameters
    ----------
    data_home : str or path-like, default=None
        Folder with ``mnist.npz``, or to download to. None is scikit-learn's. The file
        holds X (n, 28, 28) or (n, 784), uint8, and y (n,), int.
    download_if_missing : bool, default=True
        Fetch the set from OpenML (data set 554) where the file is not there.
    return_X_y : bool, default=False
        Return ``(data, target)`` alone.
    as_frame : bool, default=False
        `data` as a pandas data frame, `target` as a series, `frame` as both.

    Returns
    -------
    Bunch, or (data, target)
        data : uint8 (n, 784), 0 is the background.
        target : int64 (n,), the digit.
        target_names, image_shape (28, 28), images (n, 28, 28), feature_names, frame,
        DESCR.

    Raises
    ------
    OSError
        If the set is neither there nor to be had.
    ImportError
        If `as_frame` asks for pandas, which is not installed.
    ValueError
        If the file is damaged, or holds something else.

    Examples
    --------
    >>> from deepdensity.datasets import fetch_mnist  # doctest: +SKIP
    >>> mnist = fetch_mnist()  # doctest: +SKIP
    >>> mnist.data.shape, mnist.image_shape  # doctest: +SKIP
    ((70000, 784), (28, 28))
    """
    return byte_images(MNIST, 554, data_home, download_if_missing, return_X_y, as_frame)


def fetch_fashion_mnist(
    *,
    data_home: FilePath | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
    as_frame: bool = False,
) -> Any:
    """Load Fashion-MNIST: 70000 articles of clothing, 28 x 28 pixels, 10 classes.

    Parameters
    ----------
    data_home : str or path-like, default=None
        Folder with ``fashion_mnist.npz``, or to download to. None is scikit-learn's.
        The file holds X (n, 28, 28) or (n, 784), uint8, and y (n,), int.
    download_if_missing : bool, default=True
        Fetch the set from OpenML (data set 40996) where the file is not there.
    return_X_y : bool, default=False
        Return ``(data, target)`` alone.
    as_frame : bool, default=False
        `data` as a pandas data frame, `target` as a series, `frame` as both.

    Returns
    -------
    Bunch, or (data, target)
        data : uint8 (n, 784), 0 is the background.
        target : int64 (n,), index into target_names.
        target_names, image_shape (28, 28), images (n, 28, 28), feature_names, frame,
        DESCR.

    Raises
    ------
    OSError
        If the set is neither there nor to be had.
    ImportError
        If `as_frame` asks for pandas, which is not installed.
    ValueError
        If the file is damaged, or holds something else.

    Examples
    --------
    >>> from deepdensity.datasets import fetch_fashion_mnist  # doctest: +SKIP
    >>> fashion = fetch_fashion_mnist()  # doctest: +SKIP
    >>> fashion.data.shape, fashion.image_shape  # doctest: +SKIP
    ((70000, 784), (28, 28))
    """
    return byte_images(
        FASHION_MNIST, 40996, data_home, download_if_missing, return_X_y, as_frame
    )


def byte_images(
    record: Record,
    data_id: int,
    data_home: FilePath | None,
    download_if_missing: bool,
    return_X_y: bool,
    as_frame: bool,
) -> Any:
    """The return value of a loader of grey uint8 images, by their id on OpenML."""
    make = functools.partial(byte_arrays, record, data_id)
    arrays = load_arrays(record, make, data_home, download_if_missing)
    arrays["X"] = as_bytes(record, arrays["X"])
    return image_bunch(record, arrays, return_X_y=return_X_y, as_frame=as_frame)


def byte_arrays(record: Record, data_id: int, folder: Path, download: bool) -> Any:
    """Of OpenML, whose labels are the classes."""
    X, y = openml_samples(data_id, folder, download)
    shape = record.image_shape or ()
    return {"X": as_bytes(record, X).reshape(-1, *shape), "y": y}
