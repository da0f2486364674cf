"""Images of one channel from OpenML, by scikit-learn's own loader."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
from sklearn.datasets import fetch_openml

from .._typing import Array

__all__ = ["openml_samples"]

URL = "https://www.openml.org/d/"


def openml_samples(data_id: int, folder: Path, download: bool) -> tuple[Array, Array]:
    """Samples and labels of a set of OpenML, whose checksum scikit-learn verifies.

    Parameters
    ----------
    data_id : int
    folder : Path
        Data home, in which scikit-learn keeps the download.
    download : bool

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
    y : ndarray of int64 of shape (n_samples,)
        The labels as OpenML has them.

    Raises
    ------
    OSError
        If it may not or cannot be downloaded.
    """
    if not download:
        raise FileNotFoundError(
            f"its npz file is not in {folder}, and download_if_missing=False"
        )
    parser = "pandas" if find_spec("pandas") else "liac-arff"  # the slow one needs none
    try:
        X, y = fetch_openml(
            data_id=data_id,
            data_home=str(folder),
            as_frame=False,
            parser=parser,
            return_X_y=True,
        )
    except OSError as error:
        raise OSError(f"{URL}{data_id} could not be downloaded ({error})") from error
    return X, np.asarray(y).astype(np.int64)
