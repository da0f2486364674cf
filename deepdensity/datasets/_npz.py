"""Arrays in npz files: read with errors that name the file, written all or nothing."""

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from ..utils.files import replacing

__all__ = ["read_npz", "write_npz"]

CSR_KEYS = {"data", "indices", "indptr", "shape", "format"}


def read_npz(path: Path, optional: Any = (), sparse_too: bool = False) -> Any:
    """X, y and what there is of the optional arrays.

    Parameters
    ----------
    path : Path
        File of `numpy.savez` with X and y, or of `scipy.sparse.save_npz` with y beside.
    optional : sequence of str
        Names of further arrays.
    sparse_too : bool
        Whether the file may be SciPy's.

    Returns
    -------
    dict of str to array
        ``X`` is a CSR array where the file is SciPy's.

    Raises
    ------
    ValueError
        If an array is missing, or the file is damaged or needs unpickling.
    """
    path.open("rb").close()  # is_zipfile hides why a file cannot be read
    if not zipfile.is_zipfile(path):
        raise ValueError(
            f"{path} is no npz file, or a truncated one. Delete it, or put a whole one "
            "in its place."
        )
    try:
        with np.load(path, allow_pickle=False) as file:
            keys = set(file.files)
            is_csr = sparse_too and "X" not in keys and keys >= CSR_KEYS
            needed = ["y"] if is_csr else ["X", "y"]
            for key in needed:
                if key not in keys:
                    raise KeyError(key)
            wanted = needed + [key for key in optional if key in keys]
            arrays = {key: file[key] for key in wanted}
        if is_csr:
            arrays["X"] = sparse.csr_array(sparse.load_npz(path))
    except KeyError as error:
        raise ValueError(
            f"{path} has no array {error}; it has {sorted(keys)}, and must have X and "
            "y."
        ) from None
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path} cannot be read as an npz file: {error}") from error
    return arrays


def write_npz(path: Path, arrays: Any) -> None:
    """Write arrays to an npz file that is either there and whole, or not there.

    Parameters
    ----------
    path : Path
    arrays : dict of str to array
        A sparse ``X`` is written as `scipy.sparse.save_npz` does.
    """
    if sparse.issparse(arrays["X"]):
        X = arrays["X"].tocsr()
        parts = {key: getattr(X, key) for key in ("data", "indices", "indptr", "shape")}
        arrays = {**parts, "format": b"csr", **arrays}
        del arrays["X"]
    with replacing(path) as beside, beside.open("wb") as file:
        np.savez_compressed(file, **arrays)
