"""Values as JSON and tensors, and back: only known types, so that no code can run.

A list, a dict with names for keys, a string, a number and None are themselves in JSON;
what is not is an object with the key ``$type``. Arrays become references to tensors.
"""

from typing import Any

import numpy as np
import torch
from skorch.history import History

from ..curriculum import Curriculum
from ..samples.inputs import InputFormat
from ..samples.layout import Layout

__all__ = ["from_plain", "to_plain"]

TYPE = "$type"


def to_plain(value: Any, tensors: Any, name: str) -> Any:
    """What JSON can hold of a value; its arrays go into `tensors`.

    Parameters
    ----------
    value : object
    tensors : dict of str to tensor
        Filled with contiguous copies on the CPU.
    name : str
        Of the value, for the names of its tensors and for the error.

    Raises
    ------
    TypeError
        Where it, or something in it, is of no type that can be read again.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    kind = type(value)
    if kind is list:
        return [to_plain(item, tensors, f"{name}.{i}") for i, item in enumerate(value)]
    if kind is dict and TYPE not in value and all(type(key) is str for key in value):
        return {
            key: to_plain(item, tensors, f"{name}.{key}") for key, item in value.items()
        }
    if isinstance(value, (np.ndarray, torch.Tensor)):
        return array_to_plain(value, tensors, name)
    for type_name, (known, parts, _) in TYPES.items():
        if kind is known:
            return {
                TYPE: type_name,
                "of": to_plain(parts(value), tensors, f"{name}.{type_name}"),
            }
    raise TypeError(f"{name} is a {kind.__qualname__}, which cannot be stored.")


def array_to_plain(value: Any, tensors: Any, name: str) -> Any:
    """A reference to the tensor that the array becomes; strings are listed."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "OU":
            if not all(isinstance(item, str) for item in value.flat):
                raise TypeError(f"{name} is an array of objects, not all strings.")
            return {TYPE: "strings", "of": value.tolist()}
        native = value.dtype.newbyteorder("=")  # torch knows no other
        kind, value = "array", torch.from_numpy(np.array(value, native, order="C"))
    else:
        kind, value = "tensor", own_copy(value)
    key = f"{len(tensors)}:{name}"  # the number makes it unique
    tensors[key] = value
    return {TYPE: kind, "of": key}


def own_copy(value: torch.Tensor) -> torch.Tensor:
    """On the CPU and in memory of its own, as a file wants it."""
    return value.detach().cpu().clone(memory_format=torch.contiguous_format)


def from_plain(plain: Any, tensors: Any) -> Any:
    """The value that :func:`to_plain` was given.

    Raises
    ------
    ValueError
        Where the tensors lack one, or a type is not known.
    """
    if isinstance(plain, list):
        return [from_plain(item, tensors) for item in plain]
    if not isinstance(plain, dict):
        return plain
    if TYPE not in plain:
        return {key: from_plain(item, tensors) for key, item in plain.items()}
    kind, parts = plain[TYPE], plain["of"]
    if kind in ("array", "tensor"):
        if parts not in tensors:
            raise ValueError(f"the tensor {parts!r} is missing")
        return tensors[parts].numpy() if kind == "array" else tensors[parts]
    if kind == "strings":
        return np.array(parts, dtype=object)
    if kind not in TYPES:
        raise ValueError(f"a value of the unknown type {kind!r}")
    return TYPES[kind][2](from_plain(parts, tensors))


def curriculum_parts(curriculum: Any) -> Any:
    bits = np.array(curriculum._bits, dtype=np.uint8)
    return {
        "n_samples": curriculum.n_samples,
        "pacing_epochs": curriculum.pacing_epochs,
        "fractions": curriculum.fractions,
        "bits": bits.reshape(len(curriculum), -(-curriculum.n_samples // 8)),
    }


def curriculum_of(parts: Any) -> Any:
    curriculum = Curriculum(parts["n_samples"], parts["pacing_epochs"])
    curriculum.fractions = parts["fractions"]
    curriculum._bits = list(parts["bits"])
    return curriculum


def history_of(rows: Any) -> Any:
    history = History()
    history.extend(rows)
    return history


def random_state_of(state: Any) -> Any:
    random = np.random.RandomState()
    random.set_state(state)
    return random


TYPES: dict[
    str, tuple[Any, ...]
] = {  # name: type, what it is made of, and the way back
    "tuple": (tuple, list, tuple),
    "dict": (dict, lambda value: [list(item) for item in value.items()], dict),
    "device": (torch.device, str, torch.device),
    "Layout": (Layout, Layout._asdict, lambda parts: Layout(**parts)),
    "InputFormat": (
        InputFormat,
        InputFormat._asdict,
        lambda parts: InputFormat(**parts),
    ),
    "Curriculum": (Curriculum, curriculum_parts, curriculum_of),
    "History": (History, list, history_of),
    "RandomState": (
        np.random.RandomState,
        lambda random: random.get_state(legacy=False),
        random_state_of,
    ),
}
