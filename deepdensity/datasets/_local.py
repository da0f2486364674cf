"""A data set in an npz file of one's own."""

from pathlib import Path
from typing import Any

from .._typing import FilePath
from ._bunch import image_bunch, make_bunch
from ._npz import read_npz
from ._record import Record

__all__ = ["load_npz"]

LAYOUT = (
    "X (n, d), images (n, height, width) or (n, height, width, channels), or the "
    "arrays of scipy.sparse.save_npz, of numbers, and y (n,), int"
)


def load_npz(path: FilePath, *, return_X_y: bool = False) -> Any:
    """Load samples and classes from any npz file, as the other loaders return them.

    Nothing in the file is unpickled, so that it may come from anywhere.

    Parameters
    ----------
    path : str or path-like
        File of `numpy.savez` with arrays X and y, or of `scipy.sparse.save_npz` with an
        array y beside. X holds rows (n, d) or images (n, height, width) or
        (n, height, width, channels), y (n,) a class number of at least 0 for each. An
        array ``target_names`` or ``class_names`` may name the classes.
    return_X_y : bool, default=False
        Return ``(data, target)`` alone.

    Returns
    -------
    Bunch, or (data, target)
        data : (n, d), values and type as in the file; CSR where that is SciPy's.
        target : int64 (n,), index into target_names.
        target_names : those of the file, else "0", "1", ...
        image_shape, images : of images; image_shape is None for rows.
        DESCR.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it has no X or y, is damaged, or holds something else.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from deepdensity.datasets import load_npz
    >>> digits = load_digits()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(f"{folder}/digits.npz", X=digits.images, y=digits.target)
    ...     bunch = load_npz(f"{folder}/digits.npz")
    >>> bunch.data.shape, bunch.image_shape
    ((1797, 64), (8, 8))
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no file {path}; it should be an npz file of {LAYOUT}."
        )
    arrays = read_npz(path, ["target_names", "class_names"], sparse_too=True)
    names = arrays.pop("class_names", None)
    record = Record(
        title=path.stem,
        file=str(path),
        layout=LAYOUT,
        values=f"{arrays['X'].dtype}, as in the file",
        source=str(path),
        citation="not known",
        target_names=names,
    )
    X = arrays["X"]
    if X.ndim in (3, 4):
        record = record._replace(image_shape=X.shape[1:])
        return image_bunch(record, arrays, return_X_y=return_X_y)
    return make_bunch(record, X, arrays, return_X_y, image_shape=None)
