"""Archives of a known checksum: found in the data home or downloaded into it."""

import hashlib
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Archive", "damaged"]


class Archive(NamedTuple):
    """A file of the web.

    Attributes
    ----------
    file : str
        Its name in the data home.
    url : str
    checksum : str
        "sha256:..." or, where the publishers give no other, "md5:...".
    """

    file: str
    url: str
    checksum: str

    def locate(self, folder: Path, download: bool) -> Any:
        """Path of the archive, after its checksum has been verified.

        Parameters
        ----------
        folder : Path
            Where it is looked for, and downloaded to.
        download : bool

        Returns
        -------
        Path

        Raises
        ------
        OSError
            If it is not there and is not, or cannot be, downloaded.
        ImportError
            If it has to be downloaded and pooch is not installed.
        ValueError
            If its checksum is wrong.
        """
        path = folder / self.file
        if path.exists():
            self._verify(path)
            return path
        if not download:
            raise FileNotFoundError(
                f"neither its npz file nor {self.file} is in {folder}, and "
                "download_if_missing=False"
            )
        return self._download(path)

    def _verify(self, path: Path) -> None:
        algorithm, _, expected = self.checksum.partition(":")
        with path.open("rb") as file:
            found = hashlib.file_digest(file, algorithm).hexdigest()
        if found != expected:
            raise ValueError(
                f"{path} has the {algorithm} checksum {found}, but that of {self.url} "
                f"is {expected}: the file is truncated, damaged or another one. "
                "Delete it to have it downloaded again."
            )

    def _download(self, path: Path) -> Any:
        try:
            import pooch
        except ImportError:
            raise ImportError(
                f"Downloading {self.url} needs pooch: pip install pooch. Or put the "
                f"file yourself at {path}"
            ) from None
        try:
            pooch.retrieve(
                self.url, known_hash=self.checksum, fname=path.name, path=path.parent
            )
        except OSError as error:  # requests' errors are OSErrors
            raise OSError(
                f"{self.url} could not be downloaded ({error}); it may also be put by "
                f"hand where it belongs, {path}"
            ) from error
        except ValueError as error:
            raise ValueError(
                f"What {self.url} gave has not the checksum {self.checksum}, and was "
                f"not kept: {error}"
            ) from error
        return path


def damaged(path: Path, what: Any) -> Any:
    """The error for an archive that does not hold what it should."""
    return ValueError(f"{path} is not the expected archive: {what}.")
