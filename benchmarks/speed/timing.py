"""Times taken in turns, so that a machine's noise falls on all alike."""

import platform
import time
from typing import NamedTuple

import numpy as np
import torch

__all__ = ["Ratio", "device_name", "interleaved", "machine", "table"]


class Ratio(NamedTuple):
    """A line of the result: a time over another one."""

    what: str
    time: float  # seconds, median
    over: float  # seconds, median
    ratios: list  # one a round
    goal: str

    @property
    def median(self):
        return float(np.median(self.ratios))


def interleaved(functions, n_rounds, device):
    """Seconds of each function, called in turns: array (n_rounds, n_functions).

    A first round warms up and is not counted. The order turns from round to round.
    """
    seconds = np.zeros((n_rounds + 1, len(functions)))
    for i in range(n_rounds + 1):
        order = np.roll(np.arange(len(functions)), i)
        for j in order:
            start = time.perf_counter()
            functions[j]()
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            seconds[i, j] = time.perf_counter() - start
    return seconds[1:]


def ratio(what, ours, other, n_rounds, device, goal="", n_calls=1):
    """The time of `ours` over that of `other`, each of `n_calls` calls."""
    seconds = interleaved([ours, other], n_rounds, device)
    medians = np.median(seconds, axis=0) / n_calls
    return Ratio(what, *medians, list(seconds[:, 0] / seconds[:, 1]), goal)


def device_name(device):
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{platform.machine()}, {torch.backends.cpu.get_cpu_capability()}"


def machine(device):
    """What the figures depend on, in a line."""
    return (
        f"{device_name(device)}; {torch.get_num_threads()} threads; Python "
        f"{platform.python_version()}, torch {torch.__version__}, "
        f"numpy {np.__version__}"
    )


def table(ratios):
    """The ratios as text, a line each: medians, and the range over the rounds."""
    lines = [f"{'':46} {'ms':>9} {'over ms':>9} {'ratio':>7}  {'of rounds':15} goal"]
    for row in ratios:
        spread = f"{min(row.ratios):.2f} to {max(row.ratios):.2f}"
        lines.append(
            f"{row.what:46} {row.time * 1e3:9.2f} {row.over * 1e3:9.2f} "
            f"{row.median:7.3f}  {spread:15} {row.goal}"
        )
    return "\n".join(lines)
