"""Faces of the YouTube Faces data base, from a file of one's own."""

from typing import Any

from .._typing import FilePath
from ._bunch import image_bunch
from ._cache import load_arrays
from ._record import Record

__all__ = ["fetch_ytf"]

YTF = Record(
    title="YouTube Faces (YTF), a subset",
    file="ytf.npz",
    layout=(
        "X (n, height, width, 3), or flat rows of square images in colour, y (n,), "
        "int, and target_names, strings, which may be missing"
    ),
    values="as in the file",
    source="https://www.cs.tau.ac.il/~wolf/ytfaces (on request)",
    citation=(
        "L. Wolf, T. Hassner, I. Maoz: Face Recognition in Unconstrained Videos with "
        "Matched Background Similarity. IEEE Conference on Computer Vision and Pattern "
        "Recognition, 2011."
    ),
    target_names=None,
)


def fetch_ytf(
    *,
    data_home: FilePath | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
) -> Any:
    """Load faces of YouTube Faces from a local file; there is no download.

    The data base is given out on request, and there is no checksum for the subsets that
    the literature on clustering uses: commonly 10000 frames of the first 41 people in
    the order of the alphabet. The paper of DECS has 12183 of 55 x 55 pixels, of 41
    people, that of IDCL 20000 of 64 x 64, of 80.

    Parameters
    ----------
    data_home : str or path-like, default=None
        Folder with ``ytf.npz``: arrays X (n, height, width, 3), or flat rows of square
        images in colour, y (n,) of int, and, at will, ``target_names``. None is
        scikit-learn's.
    download_if_missing : bool, default=True
        Without effect: the file must be there.
    return_X_y : bool, default=False
        Return ``(data, target)`` alone.

    Returns
    -------
    Bunch, or (data, target)
        data : (n, height * width * 3), values and type as in the file.
        target : int64 (n,), index into target_names.
        target_names : those of the file, else "0", "1", ...
        image_shape (height, width, 3), images (n, height, width, 3), DESCR.

    Raises
    ------
    OSError
        If the file is not there.
    ValueError
        If it is damaged, or holds something else.

    Examples
    --------
    >>> from deepdensity import IDCLClustering  # doctest: +SKIP
    >>> from deepdensity.datasets import fetch_ytf  # doctest: +SKIP
    >>> faces = fetch_ytf(data_home="my_data")  # doctest: +SKIP
    >>> idcl = IDCLClustering(41, image_shape=faces.image_shape)  # doctest: +SKIP
    >>> idcl.fit(faces.data)  # doctest: +SKIP
    """
    arrays = load_arrays(YTF, None, data_home, download_if_missing, ["target_names"])
    return image_bunch(YTF, arrays, return_X_y=return_X_y)
