"""Memory that a step has freed, kept for the next one."""

import torch

__all__ = ["keep_freed_memory"]

LARGEST = 2**25 - 2**16  # bytes: glibc learns from blocks of up to 32 MiB with header


def keep_freed_memory() -> None:
    """Let glibc keep what is freed from now on, up to 64 MiB at the end of its heap.

    glibc gives freed memory back to Linux, and each page of a large tensor that is made
    anew then costs a page fault: up to a tenth of a training step. It gives back less
    the larger a block it has seen freed (``M_MMAP_THRESHOLD`` in ``mallopt(3)``), so
    one is made and freed here, which is never written to. Other allocators do not mind.
    """
    torch.empty(LARGEST, dtype=torch.uint8, device="cpu")
