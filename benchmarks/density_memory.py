"""Time and peak memory of the cut-off distance and the local density.

An n x n matrix of distances is never held; this prints what is. The data are random
points in 10 dimensions, in float64, on the CPU.

    python benchmarks/density_memory.py --n 70000

Needs the module `resource`, hence Linux or macOS. Where a large process starts this
one, Linux lets the peak begin at that process's own: start it from a shell.
"""

import argparse
import resource
import sys
import time

import torch

from deepdensity.density import KERNELS, cutoff_distance, local_density


def peak_memory():
    """Peak of this process so far, in MiB."""
    unit = 2**20 if sys.platform == "darwin" else 2**10  # bytes there, KiB elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def measure(function):
    """What `function` returns, its seconds, and the growth of the peak in MiB."""
    memory, start = peak_memory(), time.perf_counter()
    result = function()
    return result, time.perf_counter() - start, peak_memory() - memory


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--n", type=int, default=70_000, help="number of samples")
    parser.add_argument("--dimensions", type=int, default=10)
    parser.add_argument("--kernel", choices=sorted(KERNELS), default="gaussian")
    options = parser.parse_args()

    generator = torch.Generator().manual_seed(0)
    shape = (options.n, options.dimensions)
    Z = torch.randn(shape, dtype=torch.float64, generator=generator)
    local_density(Z[:100], cutoff_distance(Z[:100]))  # threads and libraries start

    start = peak_memory()
    cutoff, seconds, memory = measure(lambda: cutoff_distance(Z, generator=generator))
    print(f"n = {options.n}, {options.dimensions} dimensions, {options.kernel} kernel")
    print(f"cut-off distance {seconds:8.2f} s  {memory:8.1f} MiB  d_c = {cutoff:.4f}")
    rho, seconds, memory = measure(lambda: local_density(Z, cutoff, options.kernel))
    print(
        f"local density    {seconds:8.2f} s  {memory:8.1f} MiB  mean {rho.mean():.1f}"
    )
    print(f"peak memory growth of both {peak_memory() - start:.1f} MiB")


if __name__ == "__main__":
    main()
