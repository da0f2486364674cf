"""The device that a fit runs on, how data gets there, and what it is quick in."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor

from .shared_context import SharedContext

__all__ = [
    "device_or_cpu",
    "has_bfloat16",
    "reproducible",
    "resolve_device",
    "to_device",
]


def resolve_device(device: str | torch.device) -> torch.device:
    """The torch device for "auto" (CUDA if there, else the CPU), a name or a device.

    Raises a ValueError that names the parameter where there is no such device.
    """
    if isinstance(device, str) and device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
    except RuntimeError:
        raise ValueError(
            f"device={device!r} is not known to torch; it must be 'auto', 'cpu', "
            "'cuda', 'cuda:1', 'mps' or the like."
        ) from None
    try:
        torch.empty(1, device=resolved).cpu()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"device={device!r} is not there ({reason}); device='auto' takes what is."
        ) from None
    return resolved


def device_or_cpu(device: str | torch.device) -> torch.device:
    """The device where it is there, else the CPU: for a model from another machine."""
    try:
        return resolve_device(device)
    except ValueError:
        return torch.device("cpu")


def to_device(values: Tensor, device: torch.device) -> Tensor:
    """Values of the CPU on a device. CUDA's queue of kernels goes on meanwhile."""
    if device.type == "cuda" and values.device.type == "cpu":
        return values.pin_memory().to(device, non_blocking=True)
    return values.to(device)


@contextmanager
def deterministic() -> Iterator[None]:
    """CUDA's convolutions add up in the same order every time."""
    before = torch.backends.cudnn.deterministic
    torch.backends.cudnn.deterministic = True
    try:
        yield
    finally:
        torch.backends.cudnn.deterministic = before


in_order = SharedContext(deterministic)


def reproducible(device: torch.device) -> AbstractContextManager[None]:
    """On CUDA only convolutions that add up in the same order every time."""
    return in_order if device.type == "cuda" else nullcontext()


def has_bfloat16(device: torch.device) -> bool:
    """Whether a device computes in bfloat16 by itself, and so faster than in float32.

    Of a processor whose abilities an older torch does not tell: no.
    """
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type != "cpu" or not hasattr(torch.cpu, "get_capabilities"):
        return False
    abilities = torch.cpu.get_capabilities()
    return bool(abilities.get("amx_bf16") or abilities.get("avx512_bf16"))
