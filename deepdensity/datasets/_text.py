"""REUTERS-10K: news as tf-idf vectors, drawn from scikit-learn's RCV1."""

from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.datasets import fetch_rcv1
from sklearn.preprocessing import normalize

from .._typing import FilePath
from ._bunch import make_bunch
from ._cache import load_arrays
from ._record import Record

__all__ = ["fetch_reuters10k"]

ROOTS = ("CCAT", "GCAT", "MCAT", "ECAT")  # in the order that the field numbers them
N_SAMPLES = 10_000
N_WORDS = 2_000

REUTERS = Record(
    title="REUTERS-10K, news of four root categories",
    file="reuters10k.npz",
    layout=(
        "X (n, d) or the arrays of scipy.sparse.save_npz, tf-idf, y (n,), int, 0 to 3 "
        "for CCAT, GCAT, MCAT, ECAT, and target_names, strings, which may be missing"
    ),
    values="tf-idf; of RCV1 as it is downloaded: float32, rows of length 1",
    source="RCV1-v2 by sklearn.datasets.fetch_rcv1",
    citation=(
        "D. D. Lewis, Y. Yang, T. G. Rose, F. Li: RCV1: A New Benchmark Collection for "
        "Text Categorization Research. Journal of Machine Learning Research 5, 2004."
    ),
    target_names=ROOTS,
)


def fetch_reuters10k(
    *,
    data_home: FilePath | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
) -> Any:
    """Load REUTERS-10K: 10000 news in 2000 words, 4 classes.

    Every paper draws 10000 documents of its own from the 685071 of RCV1-v2 that belong
    to exactly one of the root categories corporate/industrial (CCAT),
    government/social (GCAT), markets (MCAT) and economics (ECAT). Put the draw of a
    paper in the data home to have that (IDCL's is of 12000 words). Else one is made of
    scikit-learn's RCV1, always the same: 10000 such documents at random, the 2000 words
    that most of the 685071 have, rows scaled to length 1. It is as good as a paper's,
    but not the same.

    Parameters
    ----------
    data_home : str or path-like, default=None
        Folder with ``reuters10k.npz``, of arrays X and y or of
        `scipy.sparse.save_npz` with y beside, or to download RCV1 to (656 MB). None is
        scikit-learn's.
    download_if_missing : bool, default=True
        Fetch RCV1 where the file is not there.
    return_X_y : bool, default=False
        Return ``(data, target)`` alone.

    Returns
    -------
    Bunch, or (data, target)
        data : CSR (n, d) of float32; of the file's type where it has dense X.
        target : int64 (n,), index into target_names.
        target_names, DESCR; image_shape is None.

    Raises
    ------
    OSError
        If the set is neither there nor to be had.
    ValueError
        If the file is damaged, or holds something else.

    Examples
    --------
    >>> from deepdensity.datasets import fetch_reuters10k  # doctest: +SKIP
    >>> reuters = fetch_reuters10k()  # doctest: +SKIP
    >>> reuters.data.shape, list(reuters.target_names)  # doctest: +SKIP
    ((10000, 2000), ['CCAT', 'GCAT', 'MCAT', 'ECAT'])
    """
    arrays = load_arrays(
        REUTERS,
        reuters_arrays,
        data_home,
        download_if_missing,
        ["target_names"],
        sparse_too=True,
    )
    X = arrays["X"]
    return make_bunch(REUTERS, X, arrays, return_X_y, image_shape=None)


def reuters_arrays(folder: Path, download: bool) -> Any:
    """A draw from RCV1."""
    if not folder.is_dir():  # scikit-learn would make it to look there
        raise FileNotFoundError(
            f"there is no folder {folder}, and download_if_missing={download}"
        )
    try:
        rcv1 = fetch_rcv1(data_home=str(folder), download_if_missing=download)
    except OSError as error:
        raise OSError(
            f"scikit-learn's RCV1 is not in {folder}, and "
            f"download_if_missing={download} did not bring it ({error})"
        ) from error
    columns = [list(rcv1.target_names).index(root) for root in ROOTS]
    roots = sparse.csr_array(rcv1.target)[:, columns]
    single = np.flatnonzero(roots.sum(axis=1) == 1)
    X, roots = sparse.csr_array(rcv1.data)[single], roots[single]
    n_documents = np.bincount(X.indices, minlength=X.shape[1])  # that have the word
    words = np.sort(np.argsort(-n_documents, kind="stable")[:N_WORDS])
    rng = np.random.default_rng(0)  # the same draw for everybody
    drawn = rng.permutation(len(single))[:N_SAMPLES]
    X = normalize(X[drawn][:, words]).astype(np.float32)
    y = roots[drawn].toarray().argmax(axis=1)
    return {"X": X, "y": y.astype(np.int64)}
