"""One file for a state of JSON and tensors: safetensors with a format and a checksum.

Nothing in it is ever run. It is written beside its place first, so that what stood
there stays if writing fails.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import torch

from .._typing import FilePath
from .._version import __version__
from ..utils.files import refuse_folder, replacing

__all__ = ["FORMAT", "read_state", "write_state"]

FORMAT = 1  # of the file; a reader knows its own and all before it


def write_state(path: FilePath, content: dict[str, Any], tensors: Any) -> None:
    """Write what JSON can hold, and tensors by name, to a file.

    Parameters
    ----------
    path : str or path-like
    content : dict
    tensors : dict of str to tensor
        Contiguous, on the CPU.
    """
    safetensors = import_safetensors()
    text = json.dumps(content)
    metadata = {
        "deepdensity_format": str(FORMAT),
        "deepdensity_version": __version__,
        "content": text,
        "sha256": checksum(text, tensors),
    }
    with replacing(path) as beside:
        # its save_file would keep others from reading the file
        beside.write_bytes(safetensors.torch.save(tensors, metadata))


def read_state(path: FilePath) -> Any:
    """Content and tensors of a file that :func:`write_state` has written.

    Raises
    ------
    ValueError
        Of a file that is something else, damaged, or of a later format.
    """
    safetensors = import_safetensors()
    refuse_folder(Path(path))
    try:
        with safetensors.safe_open(path, framework="pt", device="cpu") as file:
            metadata = file.metadata() or {}
            # copies: the file may change while they are used
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}
    except safetensors.SafetensorError as error:
        raise ValueError(
            f"{path} is damaged or no file that save() has written: {error}"
        ) from error
    number = metadata.get("deepdensity_format", "")
    if not number.isdecimal():
        raise ValueError(
            f"{path} is a safetensors file, but none that save() has written."
        )
    if int(number) > FORMAT:
        raise ValueError(
            f"{path} is of format {number}, written by deepdensity "
            f"{metadata.get('deepdensity_version', '?')}; this is deepdensity "
            f"{__version__}, which reads formats up to {FORMAT}: upgrade it."
        )
    text = metadata.get("content", "")
    if metadata.get("sha256") != checksum(text, tensors):
        raise ValueError(f"{path} is damaged: its checksum is not that of its content.")
    return json.loads(text), tensors


def checksum(text: Any, tensors: Any) -> Any:
    """SHA-256 of the text and of the tensors with their names, types and shapes."""
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(repr((name, tensor.dtype, tuple(tensor.shape))).encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def import_safetensors() -> Any:
    try:
        import safetensors
        import safetensors.torch
    except ImportError as error:
        raise ImportError(
            "save and load need safetensors: pip install safetensors"
        ) from error
    return safetensors
