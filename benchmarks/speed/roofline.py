"""A training step over its roofline floor: what the device could do at best."""

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from .steps import N_STEPS, settings, steps_on
from .timing import Ratio, interleaved

__all__ = ["floor", "step_over_roofline"]

ORDER = {"cpu": 2048, "cuda": 8192}  # of the matrices that the peak is taken from
N_VALUES = {"cpu": 2**26, "cuda": 2**30}  # float32, of the copy for the bandwidth
N_TRIES = 5
ADAM_BYTES = 28  # a parameter: it, gradient, two moments read, all but one written


def least_seconds(function, device):
    """The shortest of five calls, after one that warms up."""
    return interleaved([function], N_TRIES, device).min()


def peak_rate(device, bfloat16):
    """Operations a second of a large matrix product, in that precision."""
    n = ORDER[device.type]
    dtype = torch.bfloat16 if bfloat16 else torch.float32
    A = torch.ones(n, n, dtype=dtype, device=device)
    return 2 * n**3 / least_seconds(lambda: A @ A, device)


def bandwidth(device):
    """Bytes a second of a large copy, reads and writes counted."""
    source = torch.ones(N_VALUES[device.type], device=device)
    copy = torch.empty_like(source)
    return 2 * 4 * source.numel() / least_seconds(lambda: copy.copy_(source), device)


def operations(setting):
    """Operations of a step: those of its matrix products and convolutions."""
    with FlopCounterMode(display=False) as counter:
        setting.bare_loop(N_STEPS)
    return counter.get_total_flops() / N_STEPS


def floor(n_operations, n_parameters, rate, bytes_per_second):
    r"""Seconds that a step takes at least.

    .. math::
        t = \frac{\text{operations}}{\text{peak rate}}
            + \frac{28\,\text{bytes} \cdot \text{parameters}}{\text{bandwidth}}

    The optimiser needs the gradients, so that its traffic comes on top. What is left
    out (activations that leave the cache, augmentation, launches) makes it a floor.
    """
    return n_operations / rate + ADAM_BYTES * n_parameters / bytes_per_second


def step_over_roofline(device, n_rounds):
    """The package's step over its floor, for each network and loss."""
    copied = bandwidth(device)
    rates = {}  # of each precision
    for name, setting in settings(device):
        bfloat16 = setting.bfloat16
        if bfloat16 not in rates:
            rates[bfloat16] = peak_rate(device, bfloat16)
        n_parameters = sum(p.numel() for p in setting.module.parameters())
        least = floor(operations(setting), n_parameters, rates[bfloat16], copied)
        seconds = interleaved([setting.ours], n_rounds, device)[:, 0] / steps_on(device)
        ratios = list(seconds / least)
        yield Ratio(f"floor, {name}", float(np.median(seconds)), least, ratios, "")
