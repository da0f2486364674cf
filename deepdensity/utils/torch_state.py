"""Torch's global state, as a fit needs it, whatever the caller has made of it."""

import functools
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch

from .shared_context import SharedContext

__all__ = ["float32_by_default", "no_autocast", "own_draws", "plain_torch", "seeding"]

seeding = threading.RLock()  # held while global generators are seeded or put back


@contextmanager
def plain_torch() -> Iterator[None]:
    """Gradients are kept, and tensors that name no device are on the CPU.

    Outside there may be a `torch.inference_mode`, another default device or a
    `torch.autocast`.
    """
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        for device in ("cpu", "cuda"):
            stack.enter_context(no_autocast(device))
        # by a tensor: get_default_device() of torch 2.6 fails once None has been set
        if torch.empty(0).device.type != "cpu":  # it slows every call of torch
            stack.enter_context(torch.device("cpu"))
        yield


def no_autocast(device: torch.device | str) -> torch.autocast:
    """Computes on the device in the precision of what is given.

    Outside there may be a `torch.autocast`.
    """
    return torch.autocast(torch.device(device).type, enabled=False)


@contextmanager
def float32_by_default() -> Iterator[None]:
    """New floating-point tensors are in float32."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@contextmanager
def own_draws(seed: int, device: torch.device) -> Iterator[None]:
    """What torch's global generators give inside is by `seed`; then they are as before.

    For modules that draw from them, as dropout does. Threads inside at a time share
    the generators: what each draws is by chance then, and the last one puts them back.
    A thread that holds `seeding` meanwhile has them seeded by no other.
    """
    with forked(device):
        with seeding:
            torch.default_generator.manual_seed(seed)
            if device.type == "cuda":
                with torch.cuda.device(device):
                    torch.cuda.manual_seed(seed)
        yield


@functools.cache
def forked(device: torch.device) -> SharedContext:
    """The generators of the CPU, and of a GPU, are put back as they were."""
    devices = [device] if device.type == "cuda" else []
    return SharedContext(lambda: torch.random.fork_rng(devices), seeding)
