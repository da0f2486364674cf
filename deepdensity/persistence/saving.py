"""A fitted estimator to a file and back, without pickle."""

import inspect
from typing import Any

import numpy as np
import sklearn
import skorch
import torch
from sklearn.utils.validation import check_is_fitted

from .._typing import Estimator, FilePath
from .._version import __version__
from ..networks.build import AUTOENCODERS, build_autoencoder
from ..utils.devices import device_or_cpu, resolve_device
from ..utils.user_warnings import warn
from .plain import from_plain, own_copy, to_plain
from .state_file import read_state, write_state

__all__ = ["load_estimator", "save_estimator"]

NOT_STORED = "not stored"
KNOWN = (np.ndarray, np.generic, torch.Tensor)  # are stored as they are
WEIGHTS = "module_."  # how the names of the network's tensors begin


def save_estimator(estimator: Estimator, path: FilePath) -> None:
    """Write a fitted estimator to one file; see :func:`load_estimator`."""
    check_is_fitted(estimator)
    tensors: dict[str, Any] = {}
    parameters = {
        name: parameter_to_plain(value, tensors, name)
        for name, value in estimator.get_params(deep=False).items()
    }
    fitted = {
        name: to_plain(value, tensors, name)
        for name, value in vars(estimator).items()
        if name not in parameters and name != "module_"
    }
    for name, value in estimator.module_.state_dict().items():
        if not isinstance(value, torch.Tensor):  # get_extra_state gives anything
            raise TypeError(
                f"the state of module_ holds {name!r}, a {type(value).__qualname__}; "
                "only tensors can be stored."
            )
        tensors[WEIGHTS + name] = own_copy(value)
    content = {
        "class": type(estimator).__name__,
        "versions": {
            "deepdensity": __version__,
            "numpy": np.__version__,
            "scikit-learn": sklearn.__version__,
            "skorch": skorch.__version__,
            "torch": torch.__version__,
        },
        "parameters": parameters,
        "module": describe(estimator.module_),
        "fitted": fitted,
    }
    write_state(path, content, tensors)


def parameter_to_plain(value: Any, tensors: Any, name: str) -> Any:
    """A parameter for JSON; of one that cannot be stored what it was."""
    stored: dict[str, Any] = {}
    if not isinstance(value, KNOWN) and hasattr(value, "__array__"):
        value = np.asarray(value)  # `init` may be a column of a table
    try:
        plain = to_plain(value, stored, f"parameter {name}")
    except TypeError:
        return {NOT_STORED: describe(value)}
    tensors.update(stored)
    return plain


def describe(value: Any) -> Any:
    """The name of a class or function, or of the class of an object."""
    return getattr(value, "__qualname__", type(value).__qualname__)


def load_estimator(
    path: FilePath,
    classes: Any,
    device: str | torch.device = "auto",
    **parameters: Any,
) -> Any:
    """The fitted estimator that a file holds.

    Parameters
    ----------
    path : str or path-like
    classes : dict of str to class
        The estimators that it may hold.
    device : str or torch.device, default="auto"
        "auto" is the device of the fit where there is one, else the CPU.
    **parameters
        Values of parameters that the file does not hold: objects and functions of a
        user's own.

    Returns
    -------
    estimator
    """
    content, tensors = read_state(path)
    try:
        kind = content["class"]
        if kind not in classes:
            raise ValueError(
                f"it holds a {kind}, not {' or '.join(classes)}: use {kind}.load"
            )
        estimator = classes[kind](
            **read_parameters(content["parameters"], tensors, classes[kind], parameters)
        )
        fitted = from_plain(content["fitted"], tensors)
        for name in fitted:
            if hasattr(classes[kind], name):
                raise ValueError(f"{name!r} is no fitted attribute of a {kind}")
        vars(estimator).update(fitted)
        check_shapes(estimator)
        estimator.module_ = read_module(
            estimator, content["module"], tensors, parameters.get("autoencoder")
        )
    except ValueError as error:
        raise ValueError(f"{path} cannot be loaded: {error}.") from error
    except (AttributeError, KeyError, RuntimeError, TypeError) as error:
        raise ValueError(f"{path} is incomplete or malformed: {error!r}") from error
    if isinstance(device, str) and device == "auto":
        estimator._device = device_or_cpu(estimator._device)
    else:
        estimator._device = resolve_device(device)
    estimator.module_.to(estimator._device)
    return estimator


def read_parameters(plain: Any, tensors: Any, kind: Any, given: Any) -> Any:
    """All parameters: those stored, those given, and defaults for what is neither."""
    signature = inspect.signature(kind).parameters
    unknown = sorted(set(plain) - set(signature))
    if unknown:
        raise ValueError(
            f"{kind.__name__} of deepdensity {__version__} has no parameter "
            f"{', '.join(unknown)}; a later version has written it"
        )
    missing = {
        name: value[NOT_STORED]
        for name, value in plain.items()
        if isinstance(value, dict) and NOT_STORED in value
    }
    for name in given:
        if name not in missing and name != "autoencoder":
            raise ValueError(
                f"{name} is not among the parameters to give, which are those of your "
                f"own ({', '.join(missing) or 'none here'}); set_params changes the "
                "others after loading"
            )
    for name in missing.keys() - given.keys() - {"autoencoder"}:
        warn(
            f"{name}={missing[name]} is not in the file: {name}="
            f"{signature[name].default!r} stands in its place. Give it as "
            f"load(path, {name}=...).",
            UserWarning,
        )
    stored = {
        name: from_plain(value, tensors)
        for name, value in plain.items()
        if name not in missing
    }
    return stored | {name: given[name] for name in missing.keys() & given.keys()}


def read_module(
    estimator: Estimator, description: Any, tensors: Any, given: Any
) -> Any:
    """The network, built anew, with the weights of the file."""
    name, layout = estimator._network, estimator._format.layout
    called = given if isinstance(given, str) else describe(given)
    if name is not None and given is not None:
        raise ValueError(
            f"autoencoder={called} is given, and its network is {name!r}, "
            "which needs none"
        )
    if name is None and given is None:
        raise ValueError(
            f"its network is of your own, a {description}: give that class, function "
            f"or module, load(path, autoencoder={description})"
        )
    if name is not None and name not in AUTOENCODERS:
        raise ValueError(f"it has the unknown network {name!r}")
    module = build_autoencoder(
        name or given, layout.shape, estimator._n_features_out, seed=0
    )
    weights = {
        key.removeprefix(WEIGHTS): value
        for key, value in tensors.items()
        if key.startswith(WEIGHTS)
    }
    try:
        module.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(
            f"the weights in it are not those of {name or called}: {error}"
        ) from error
    return module


def check_shapes(estimator: Estimator) -> None:
    """Raise a ValueError where arrays are not of the shapes that they must have."""
    sides = {
        "n_samples": len(estimator.labels_),
        "n_components": estimator._n_features_out,
        "n_clusters": estimator.n_clusters_,
    }
    for name, shape in estimator._fitted_shapes.items():
        expected = tuple(sides[side] for side in shape)
        found = np.shape(getattr(estimator, name))
        if found != expected:
            raise ValueError(f"{name} has the shape {found}; it must be {expected}")
