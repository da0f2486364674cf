"""Where the arrays of a set come from: its npz file, else whatever makes one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sklearn.datasets import get_data_home

from .._typing import FilePath
from ..utils.user_warnings import warn
from ._npz import read_npz, write_npz
from ._record import Record

__all__ = ["load_arrays"]


def load_arrays(
    record: Record,
    make: Callable[..., Any] | None,
    data_home: FilePath | None,
    download_if_missing: bool,
    optional: Any = (),
    **more: Any,
) -> Any:
    """The arrays of a set: of its npz file, which is made where it is missing.

    Parameters
    ----------
    record : Record
    make : callable or None
        ``make(folder, download) -> dict`` gets the arrays from elsewhere; it raises
        OSError where it cannot, or may not download. None where there is no such way.
    data_home : str, path-like or None
        Folder of the npz file; None is scikit-learn's.
    download_if_missing : bool
    optional : sequence of str
        Arrays of the file beside X and y that it may have.
    **more
        For `read_npz`.

    Returns
    -------
    dict of str to array

    Raises
    ------
    OSError
        If the set is neither there nor to be had, or `data_home` is no folder.
    ImportError
        If its download needs a package that is not installed.
    """
    folder = data_folder(data_home, make is not None and download_if_missing)
    path = folder / record.file
    if path.exists():
        return read_npz(path, optional, **more)
    try:
        if make is None:
            raise FileNotFoundError(
                f"there is no {record.file} in {folder}, and no download of known "
                "checksum"
            )
        arrays = make(folder, download_if_missing)
    except (OSError, ImportError) as error:  # ImportError: of pooch
        kind = OSError if isinstance(error, OSError) else ImportError
        raise kind(
            f"{record.title}: {str(error).rstrip('.')}. Put {record.file} into "
            f"{folder}: an npz file of {record.layout}. The set's origin: "
            f"{record.source}"
        ) from error
    try:
        write_npz(path, arrays)
    except OSError as error:  # a folder that may only be read
        warn(
            f"{record.title} could not be kept as {path}, and will be converted again "
            f"next time: {error}",
            UserWarning,
        )
    return arrays


def data_folder(data_home: FilePath | None, may_write: bool) -> Path:
    """The folder `data_home`, or scikit-learn's; made only where it is to be filled.

    Raises
    ------
    NotADirectoryError
        If it is a file.
    """
    if data_home is None:
        return Path(get_data_home())
    folder = Path(data_home).expanduser()
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"data_home={str(data_home)!r} must be a folder.")
    if may_write:
        folder.mkdir(parents=True, exist_ok=True)
    return folder
