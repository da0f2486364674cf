"""A file is written as a whole, or not at all."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .._typing import FilePath

__all__ = ["refuse_folder", "replacing"]


@contextmanager
def replacing(path: FilePath) -> Iterator[Any]:
    """A path to write to in the block; at its end the file takes the place of `path`.

    Where the block fails, what was at `path` is as before.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        Before the block, of a folder that is not there, or in the file's place.
    """
    path = Path(path)
    refuse_folder(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path.parent} is no folder to write {path.name} to.")
    own = f"{os.getpid()}-{threading.get_ident()}"  # others may write there as well
    beside = path.with_name(f"{path.name}.{own}.part")
    try:
        yield beside
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def refuse_folder(path: Path) -> None:
    """Raise IsADirectoryError where a file is meant and a folder is there."""
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: give the path of a file in it.")
