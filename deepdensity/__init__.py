"""Deep density clustering for scikit-learn users."""

from importlib import import_module
from typing import Any

from ._version import __version__
from .decs import DECSClustering
from .idcl import IDCLClustering
from .loading import load

__all__ = ["DECSClustering", "IDCLClustering", "__version__", "load"]

SUBMODULES = (
    "callbacks",
    "datasets",
    "inspection",
    "metrics",
    "model_selection",
    "onnx",
    "papers",
    "single_cell",
)


def __getattr__(name: str) -> Any:
    """``deepdensity.metrics`` and the like, imported when they are asked for."""
    if name in SUBMODULES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *SUBMODULES})
