"""An array in chunks, unpacked once: training reads each of its samples many times."""

import shutil
import tempfile

import numpy as np
from sklearn.utils import gen_batches

from .._typing import Samples
from ..utils.user_warnings import warn
from .rows import BLOCK, Rows

__all__ = ["unpacked"]

SHARE = 1 / 2  # of the free disk, that the values may take


def unpacked(X: Samples) -> Samples:
    """X, or in the place of an array of zarr, HDF5 and the like a memory map of it.

    A sample of such an array is read with all of its chunk, whether that lies on a
    disk, packed, or has yet to be computed, and batches are random. The memory map has
    the values as they are stored, and its file, in the folder of temporary files
    (``TMPDIR``), no name: it is gone with the fit. Where there is not twice the room
    for it, X stays as it is, with a warning.

    Parameters
    ----------
    X : array, CSR matrix or Rows of shape (n, d)

    Returns
    -------
    array, CSR matrix or Rows of shape (n, d)
    """
    if not isinstance(X, Rows) or isinstance(X.array, np.ndarray):
        return X
    folder = tempfile.gettempdir()
    n_bytes = X.shape[0] * X.shape[1] * X.array.dtype.itemsize
    free = shutil.disk_usage(folder).free
    if n_bytes > SHARE * free:
        warn(
            f"X stays in its chunks, which makes a fit slow: unpacked it takes "
            f"{n_bytes:,} bytes, and {folder} has {free:,} left, of which "
            f"{SHARE:.0%} may be used. Set TMPDIR to a folder with more.",
            UserWarning,
        )
        return X
    with tempfile.TemporaryFile(dir=folder) as file:
        values = np.memmap(file, X.array.dtype, mode="w+", shape=X.shape)
    for rows in gen_batches(len(X), BLOCK):
        values[rows] = X.stored(rows)
    return Rows(values)
