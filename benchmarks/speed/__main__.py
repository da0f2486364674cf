"""Prints the ratios of speed, each measured side by side in this one run.

python -m benchmarks.speed
python -m benchmarks.speed --device cuda --only steps refresh
python -m benchmarks.speed --only clustpy --data-home FOLDER

The parts "compile" (with a C++ compiler, on a GPU Triton), "products" (on a CPU),
"reduced" (images), "search" (a quarter of an hour; of the texts of R8, with FOLDER),
"selection" (mnist.npz in FOLDER) and "clustpy" (ClustPy 0.0.3, and usps.npz in FOLDER)
run only if asked.
"""

import argparse
import itertools

import torch

from .refresh import ESTIMATORS, refresh_shares
from .roofline import step_over_roofline
from .steps import (
    compiled_step,
    reduced_step,
    step_by_products,
    step_over_bare_loop,
    step_over_few_clusters,
)
from .throughput import transform_over_forward
from .timing import machine, table

PARTS = {
    "steps": step_over_bare_loop,
    "clusters": step_over_few_clusters,
    "throughput": transform_over_forward,
    "roofline": step_over_roofline,
    "compile": compiled_step,
    "products": step_by_products,
    "reduced": reduced_step,
}
OTHERS = ("refresh", "search", "selection", "clustpy")
DEFAULT = ("steps", "clusters", "throughput", "roofline", "refresh")


def main():
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--device", default="cpu", type=torch.device)
    parser.add_argument("--only", nargs="+", choices=[*PARTS, *OTHERS])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--sizes", type=int, nargs="+", default=[2000, 10_000, 50_000])
    parser.add_argument("--data-home", metavar="FOLDER", help="of the data")
    parser.add_argument("--samples", type=int, default=2000, help="for clustpy")
    parser.add_argument(
        "--epochs", type=int, default=10, help="of a phase, for clustpy"
    )
    options = parser.parse_args()
    only = options.only or DEFAULT
    print(machine(options.device), flush=True)
    rows = [
        row
        for name, part in PARTS.items()
        if name in only
        for row in part(options.device, options.rounds)
    ]
    if "search" in only:
        from .search import search_with_memory

        rows += search_with_memory(options.device, options.rounds, options.data_home)
    if "clustpy" in only:
        from .whole_fits import fit_over_clustpy

        rows += fit_over_clustpy(
            options.device,
            options.rounds,
            options.data_home,
            options.samples,
            options.epochs,
        )
    if rows:
        print(table(rows))
    if "selection" in only:
        from .selection import agreement

        for fraction, shares in agreement(options.device, options.data_home):
            print(
                f"sampled and exact density agree on {min(shares):.1%} to "
                f"{max(shares):.1%} of samples, {fraction:.0%} admitted (goal >= 97 %)",
                flush=True,
            )
    if "refresh" in only:
        networks = (("mlp", (784,)), ("conv", (16, 16)))
        for estimator, of in itertools.product(ESTIMATORS, networks):
            network, name = of[0], estimator.__name__
            for share in refresh_shares(estimator, options.device, *of, options.sizes):
                print(
                    f"refreshes, {name}, {network}, n = {share.n_samples:,}: "
                    f"{share.of_training:.1%} of training (goal <= 10 %), "
                    f"{share.of_clustering:.1%} of the clustering phase; "
                    f"{share.refresh:.2f} s each, {share.step * 1e3:.0f} ms a step",
                    flush=True,
                )


if __name__ == "__main__":
    main()
