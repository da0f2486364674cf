"""A hash of what a computation depends on: data, networks and the code they run."""

import hashlib
import sys
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any

import numpy as np
import torch
from joblib.hashing import NumpyHasher
from scipy import sparse
from sklearn.utils import gen_batches

from ..samples.rows import BLOCK, Rows

__all__ = ["fingerprint"]

# what these hold is told by its name: their versions say the rest
LIBRARIES = {"deepdensity", "joblib", "numpy", "scipy", "sklearn", "skorch", "torch"}
LIBRARIES |= set(sys.stdlib_module_names)

COMPRESSED = (sparse.csr_array, sparse.csr_matrix, sparse.csc_array, sparse.csc_matrix)


def fingerprint(value: Any) -> str:
    """A hash of a value and of all that it holds.

    joblib's hash of Python objects and arrays, which knows a function and a class by
    name alone, and tensors not at all. Here tensors count by their values, and the
    functions and classes of a user's own by their compiled code and what they enclose;
    not looked into are the global names that this code uses.

    Parameters
    ----------
    value : object

    Returns
    -------
    str
        Equal for equal values, in another process too.

    Raises
    ------
    Exception
        Of any kind, as objects that cannot be pickled raise it.
    """
    return str(Fingerprint("sha1", coerce_mmap=True).hash(value))


class Fingerprint(NumpyHasher):
    """joblib's hasher, with plain stand-ins for what it cannot tell apart."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # id -> number and object, so that no id is given twice
        self._met: dict[int, Any] = {}

    def save(self, obj: Any) -> None:
        super().save(self._stand_in(obj))

    def _stand_in(self, obj: Any) -> Any:
        for kind, describe in BY_VALUE.items():
            if isinstance(obj, kind):
                return describe(obj)
        for kind, describe in BY_IDENTITY.items():
            if isinstance(obj, kind):
                if id(obj) in self._met:  # a class is among its own methods' cells
                    return ("met before", self._met[id(obj)][0])
                self._met[id(obj)] = len(self._met), obj
                return describe(obj)
        return obj


def describe_tensor(tensor: Any) -> Any:
    values = tensor.detach().cpu().reshape(-1).view(torch.uint8).numpy()
    kind = (tensor.dtype, tensor.device, tuple(tensor.shape), tensor.requires_grad)
    return ("tensor", *kind, values)


def describe_array(array: Any) -> Any:
    """By its values, however they lie in memory; the same for Rows of these."""
    if array.dtype.hasobject or isinstance(array, np.ma.MaskedArray):
        return array  # for joblib, which refuses masks
    digest = hashlib.sha1()
    if not array.shape:
        digest.update(array.tobytes())
    else:
        for rows in gen_batches(max(1, len(array)), BLOCK):
            digest.update(np.ascontiguousarray(array[rows]).tobytes())
    return ("array", tuple(array.shape), str(array.dtype), digest.hexdigest())


def describe_sparse(matrix: Any) -> Any:
    """By what it holds, whatever it has found out about that, as sorted indices."""
    parts = [matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64)]
    return ("sparse", matrix.format, tuple(matrix.shape), *parts, matrix.data)


def describe_function(function: Callable[..., Any]) -> Any:
    name = ("function", function.__module__, function.__qualname__)
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    if is_library(function.__module__):
        return (*name, cells)
    defaults = (function.__defaults__, function.__kwdefaults__)
    return (*name, function.__code__, *defaults, cells)


def describe_code(code: Any) -> Any:
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    return ("code", code.co_code, code.co_consts, *names)


def describe_class(kind: Any) -> Any:
    name = ("class", kind.__module__, kind.__qualname__)
    if is_library(kind.__module__):
        return name
    members = {
        key: unwrapped(value)
        for key, value in vars(kind).items()
        if not (is_bookkeeping(key) and not callable(value))
    }
    return (*name, kind.__bases__, members)


def unwrapped(value: Any) -> Any:
    """The function of a static or class method or of a property; else the value."""
    return getattr(value, "__func__", getattr(value, "fget", value))


def is_bookkeeping(name: str) -> bool:
    """Whether Python keeps what a class holds by this name: its doc, its slots."""
    return name.startswith("__") or name == "_abc_impl"


def is_library(module: Any) -> bool:
    return str(module).partition(".")[0] in LIBRARIES


BY_VALUE: dict[
    Any, Callable[..., Any]
] = {  # whether two of them are one object is chance
    CodeType: describe_code,
    (np.ndarray, Rows): describe_array,
    COMPRESSED: describe_sparse,
    frozenset: lambda values: ("frozenset", sorted(map(repr, values))),
    torch.dtype: lambda value: ("dtype", str(value)),
    torch.device: lambda value: ("device", str(value)),
}
BY_IDENTITY: dict[Any, Callable[..., Any]] = {  # tied weights are one tensor
    torch.Tensor: describe_tensor,
    FunctionType: describe_function,
    type: describe_class,
}
