"""The passes through a network in training: as they are, or compiled by torch."""

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..utils.user_warnings import warn

__all__ = ["can_compile", "network_passes"]


def encode(module: Any, x: Tensor) -> Tensor:
    """Samples (b, *shape) -> embedding (b, latent)."""
    embedding: Tensor = module.encode(x)
    return embedding


def decode(module: Any, z: Tensor) -> Tensor:
    """Embedding (b, latent) -> samples (b, *shape)."""
    reconstruction: Tensor = module.decode(z)
    return reconstruction


def network_passes(compiled: bool = False) -> tuple[Callable[..., Any], ...]:
    """The functions ``encode(module, x)`` and ``decode(module, z)``.

    Compiled they are the same functions for all modules, so that copies of a network,
    as the trials of starts make them, are not compiled again.
    """
    return compiled_passes() if compiled else (encode, decode)


@functools.cache
def compiled_passes() -> tuple[Callable[..., Any], ...]:
    return torch.compile(encode), torch.compile(decode)


def can_compile(device: torch.device) -> bool:
    """Whether torch.compile works on a device; a RuntimeWarning where it does not."""
    problem = compile_problem(device.type)
    if problem:
        warn(
            "compile=True is without effect: torch.compile does not work here "
            f"({problem}). On a CPU it needs a C++ compiler, on a GPU Triton.",
            RuntimeWarning,
        )
    return not problem


@functools.cache
def compile_problem(device_type: str) -> str:
    """Why torch cannot compile for a kind of device: "" if it can. Tried once."""

    def twice(x: Tensor) -> Tensor:
        return 2 * x

    try:
        torch.compile(twice)(torch.ones(4, device=device_type))
    except Exception as error:
        return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    return ""
