"""Fit time and peak memory against the number of samples, and the slope of the time.

Each fit runs in a process of its own, with a network of 784-32-10, an epoch of
pretraining, an epoch of clustering and otherwise the defaults but for n_init=3, on
MNIST's images (mnist.npz of --data-home), slightly turned until there are enough.
Seconds are the processor's. Memory is the process's own (RssAnon) at its peak, over
that of the interpreter with the libraries loaded; a CSR matrix counts, a file does not.

python -m benchmarks.scale --data-home FOLDER
python -m benchmarks.scale --data-home FOLDER --layouts csr --sizes 10000 1000000
python -m benchmarks.scale --data-home FOLDER --sizes 100000 --clusters 1000
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.scale.samples import LAYOUTS, write
from benchmarks.speed.timing import machine

SIZES = [10_000, 30_000, 100_000, 300_000, 1_000_000]
ESTIMATORS = ["IDCL", "DECS"]
GOAL_SLOPE, GOAL_MEMORY = 1.05, 1536  # MiB


def main():
    import torch

    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scale",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data-home", required=True, metavar="FOLDER")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--layouts", nargs="+", choices=LAYOUTS, default=[*LAYOUTS])
    parser.add_argument(
        "--estimators", nargs="+", choices=ESTIMATORS, default=ESTIMATORS
    )
    parser.add_argument("--clusters", type=int, default=10, metavar="N")
    parser.add_argument("--folder", help="where the images are kept; else they are not")
    options = parser.parse_args()
    print(machine(torch.device("cpu")), flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or temporary
        Path(folder).mkdir(parents=True, exist_ok=True)
        for layout in options.layouts:
            for estimator in options.estimators:
                curve(estimator, layout, folder, options)


def curve(estimator, layout, folder, options):
    """Print a line for each size, and the slope."""
    rows = []
    for n_samples in options.sizes:
        write(folder, options.data_home, n_samples)
        rows.append(in_process(estimator, layout, folder, n_samples, options.clusters))
        print(line(rows[-1]), flush=True)
    if len(rows) > 1:
        print(f"{estimator}, {layout}: slope {slope(rows):.3f} (<= {GOAL_SLOPE})")


def in_process(*arguments):
    """The figures of a fit in a fresh interpreter."""
    command = [sys.executable, "-m", "benchmarks.scale.fits", *map(str, arguments)]
    output = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(output.stdout.splitlines()[-1])


def slope(rows):
    """Of the seconds of fits over the samples, both as logarithms: least squares."""
    n_samples, seconds = (
        np.log([row[name] for row in rows]) for name in ("n_samples", "seconds")
    )
    return float(np.polyfit(n_samples, seconds, 1)[0])


def line(row):
    return (
        f"{row['estimator']}, {row['layout']}, n = {row['n_samples']:>9,}, "
        f"{row['n_found']} of {row['n_clusters']} clusters: fit "
        f"{row['seconds']:7.1f} s, predict {row['predict_seconds']:6.1f} s, peak "
        f"{row['mebibytes']:6.0f} MiB (<= {GOAL_MEMORY})"
    )


if __name__ == "__main__":
    main()
