"""Traffic signs, from the archive of the German benchmark."""

import functools
import re
import zipfile
import zlib
from collections import Counter
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np

from .._typing import FilePath
from ._archive import Archive, damaged
from ._bunch import as_bytes, image_bunch
from ._cache import load_arrays
from ._ppm import read_ppm, resize
from ._record import Record

__all__ = ["fetch_gtsrb"]

ARCHIVE = Archive(
    file="GTSRB_Final_Training_Images.zip",
    url=(
        "https://sid.erda.dk/public/archives/daaeac0d7ce1152aea9b61d9f1e19370/"
        "GTSRB_Final_Training_Images.zip"
    ),
    checksum="md5:f33fd80ac59bff73c82d25ab499e03a3",
)
MEMBER = re.compile(r"GTSRB/Final_Training/Images/(\d{5})/(\d{5})_(\d{5})\.ppm")
SIDE = 32
SIGNS = (
    "speed limit 20 km/h",
    "speed limit 30 km/h",
    "speed limit 50 km/h",
    "speed limit 60 km/h",
    "speed limit 70 km/h",
    "speed limit 80 km/h",
    "end of speed limit 80 km/h",
    "speed limit 100 km/h",
    "speed limit 120 km/h",
    "no passing",
    "no passing for lorries",
    "right of way at next crossing",
    "priority road",
    "give way",
    "stop",
    "no vehicles",
    "no lorries",
    "no entry",
    "danger",
    "bend to the left",
    "bend to the right",
    "double bend",
    "uneven road",
    "slippery road",
    "road narrows on the right",
    "road works",
    "traffic lights",
    "pedestrians",
    "children",
    "bicycles",
    "snow or ice",
    "wild animals",
    "end of all restrictions",
    "turn right",
    "turn left",
    "straight ahead",
    "straight ahead or right",
    "straight ahead or left",
    "keep right",
    "keep left",
    "roundabout",
    "end of no passing",
    "end of no passing for lorries",
)


def fetch_gtsrb(
    *,
    n_classes: int = 5,
    data_home: FilePath | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
) -> Any:
    """Load the most frequent classes of the German traffic signs (GTSRB), 32 x 32 x 3.

    The images are those of "Final Training", 39209 in 43 classes, resized. They come in
    tracks of 30 frames of one sign, which differ little. The five most frequent classes
    are 10800 images; the IDCL paper has 8790, of what it calls the five largest, too.

    Parameters
    ----------
    n_classes : int, default=5
        How many of the most frequent classes, of the 43.
    data_home : str or path-like, default=None
        Folder with ``gtsrb5.npz`` (``gtsrb43.npz`` for 43 classes), or with the
        benchmark's ``GTSRB_Final_Training_Images.zip``, or to download that to
        (276 MB). None is scikit-learn's. ``gtsrb5.npz`` holds X (n, 32, 32, 3) or
        (n, 3072), uint8, y (n,), int, ``classes`` (n_classes,), the benchmark's numbers
        of them, and, at will, ``track`` (n,), int.
    download_if_missing : bool, default=True
        Fetch the archive from the benchmark's site where nothing of this is there.
    return_X_y : bool, default=False
        Return ``(data, target)`` alone.

    Returns
    -------
    Bunch, or (data, target)
        data : uint8 (n, 3072), red, green and blue of each pixel from 0 to 255.
        target : int64 (n,), index into target_names.
        target_names, image_shape (32, 32, 3), images (n, 32, 32, 3), DESCR.
        class_ids : int64 (n_classes,), numbers of the classes in the benchmark.
        track : int64 (n,), number of the track within the class, where the file has it.

    Raises
    ------
    OSError
        If the set is neither there nor to be had.
    ImportError
        If it has to be downloaded and pooch is not installed.
    ValueError
        If a file is damaged or holds something else, or `n_classes` is not in 1 to 43.

    Examples
    --------
    >>> from deepdensity.datasets import fetch_gtsrb  # doctest: +SKIP
    >>> signs = fetch_gtsrb()  # doctest: +SKIP
    >>> signs.data.shape, signs.image_shape  # doctest: +SKIP
    ((10800, 3072), (32, 32, 3))
    """
    if not isinstance(n_classes, Integral) or not 1 <= n_classes <= len(SIGNS):
        raise ValueError(f"n_classes={n_classes!r} should be an int from 1 to 43.")
    record = Record(
        title=f"GTSRB, the {n_classes} most frequent classes",
        file=f"gtsrb{n_classes}.npz",
        layout=(
            "X (n, 32, 32, 3) or (n, 3072), uint8, y (n,), int, classes (n_classes,), "
            "int, the benchmark's numbers of the classes, and track (n,), int, which "
            "may be missing"
        ),
        values="uint8, red, green and blue from 0 to 255",
        source=ARCHIVE.url,
        citation=(
            "J. Stallkamp, M. Schlipsing, J. Salmen, C. Igel: Man vs. Computer: "
            "Benchmarking Machine Learning Algorithms for Traffic Sign Recognition. "
            "Neural Networks 32, 2012."
        ),
        target_names=None,
        image_shape=(SIDE, SIDE, 3),
    )
    make = functools.partial(sign_arrays, n_classes)
    optional = ["classes", "track"]
    arrays = load_arrays(record, make, data_home, download_if_missing, optional)
    ids = arrays.get("classes", np.empty(0))
    if ids.shape != (n_classes,) or not np.isin(ids, np.arange(len(SIGNS))).all():
        raise ValueError(
            f"{record.file} must have an array `classes` of {n_classes} numbers from 0 "
            f"to 42; found {ids.tolist()}."
        )
    record = record._replace(target_names=tuple(SIGNS[k] for k in ids))
    arrays["X"] = as_bytes(record, arrays["X"])
    more = {"class_ids": ids}
    if "track" in arrays:
        more["track"] = arrays["track"]
    return image_bunch(record, arrays, return_X_y=return_X_y, **more)


def sign_arrays(n_classes: int, folder: Path, download: bool) -> Any:
    """The most frequent classes of the archive, in the order of their numbers."""
    path = ARCHIVE.locate(folder, download)
    try:
        with zipfile.ZipFile(path) as archive:
            found = [MEMBER.fullmatch(name) for name in sorted(archive.namelist())]
            members = [member for member in found if member]
            counts = Counter(int(member[1]) for member in members)
            if len(counts) < n_classes:
                raise ValueError(f"it has images of {len(counts)} classes")
            by_count = sorted(counts, key=lambda k: (-counts[k], k))
            classes = np.sort(np.array(by_count[:n_classes], dtype=np.int64))
            members = [member for member in members if int(member[1]) in classes]
            images = [
                resize(read_ppm(archive.read(member.string)), SIDE, SIDE)
                for member in members
            ]
    except (ValueError, OSError, zipfile.BadZipFile, zlib.error) as error:
        raise damaged(path, error) from error
    ids, tracks = np.array([[int(m[1]), int(m[2])] for m in members]).T
    y = np.searchsorted(classes, ids)
    return {"X": np.stack(images), "y": y, "classes": classes, "track": tracks}
