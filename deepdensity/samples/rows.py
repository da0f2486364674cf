"""Rows that are read when they are asked for: of arrays on disk, of some samples.

Both classes have what of an array (n, d) the rest of the package uses: ``shape``,
``dtype`` and a read of rows by a slice or by an index array.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.utils import _safe_indexing, gen_batches

from .._typing import Array, Samples

__all__ = ["Rows", "SomeRows", "is_read_by_slices", "some_rows", "take_rows"]

BLOCK = 1024  # rows that are read at a time
KEPT = (np.dtype("f8"), np.dtype("f4"), np.dtype("u1"))  # dtypes that stay as they are


def is_read_by_slices(X: Samples) -> bool:
    """Whether X is an array that is no ndarray: of zarr, HDF5, dask and the like.

    Or a memory map of numbers that would have to be converted as a whole.
    """
    if isinstance(X, np.memmap):
        return X.ndim > 1 and X.dtype not in KEPT and X.dtype.kind in "biuf"
    return (
        isinstance(getattr(X, "dtype", None), np.dtype)
        and hasattr(X, "__getitem__")
        and len(getattr(X, "shape", ())) > 1
        and not isinstance(X, np.ndarray)
        and not hasattr(X, "tocsr")  # a sparse matrix
    )


def some_rows(n_samples: int, at_most: int, random: np.random.RandomState) -> Array:
    """Sorted indices of all samples, or of a random `at_most` of them."""
    if n_samples <= at_most:
        return np.arange(n_samples)
    return np.sort(random.choice(n_samples, at_most, replace=False))


def take_rows(X: Samples, rows: Array) -> Samples:
    """Rows of X by their numbers, whatever kind of table, matrix or array it is."""
    if is_read_by_slices(X):  # ascending and each once, as HDF5 wants them
        rows, back = np.unique(rows, return_inverse=True)
        return np.asarray(X[rows])[back]
    return X[rows] if isinstance(X, np.ndarray) else _safe_indexing(X, rows)


class Rows:
    """Samples (n, ...) of any array that slices, as rows (n, d).

    Parameters
    ----------
    array : array-like with ``shape``, ``dtype`` and ``array[rows]``
        Rows are asked for by a slice or by ascending indices without repetition.
    """

    def __init__(self, array: Samples) -> None:
        self.array = array
        self.shape = (array.shape[0], math.prod(array.shape[1:]))
        self.dtype = array.dtype if array.dtype in KEPT else np.dtype("f8")

    def __len__(self) -> int:
        return int(self.shape[0])

    def stored(self, rows: Any) -> Array:
        """Rows by a slice or by numbers, as they are stored: an array (b, d)."""
        slices = isinstance(rows, slice)
        block = self.array[rows] if slices else take_rows(self.array, rows)
        block = np.asarray(block)
        return block.reshape(len(block), self.shape[1])

    def __getitem__(self, rows: Any) -> Any:
        return self.stored(rows).astype(self.dtype)

    def blocks(self) -> Iterator[Array]:
        """All rows in order, some at a time, as they are stored."""
        return (self.stored(rows) for rows in gen_batches(len(self), BLOCK))

    def min(self) -> Any:
        return min(block.min() for block in self._converted())

    def max(self) -> Any:
        return max(block.max() for block in self._converted())

    def _converted(self) -> Iterator[Array]:
        return (block.astype(self.dtype, copy=False) for block in self.blocks())


class SomeRows:
    """Some rows of X (n, d), as if they were all.

    Parameters
    ----------
    X : array, CSR matrix or Rows of shape (n, d)
    rows : int array of shape (m,)
    """

    def __init__(self, X: Samples, rows: Array) -> None:
        self.X = X
        self.rows = rows
        self.shape = (len(rows), X.shape[1])
        self.dtype = X.dtype

    def __getitem__(self, rows: Any) -> Samples:
        return self.X[self.rows[rows]]
