"""Where the time of a fit goes, as a table: the seconds that each part takes itself.

The parts are functions of the package, timed where they are called, what they call of
one another taken off: no sampling, no guessing.

python -m benchmarks.speed.profile --data-home FOLDER --data usps
python -m benchmarks.speed.profile --data digits --set pretrain_epochs=5 max_iter=200
"""

import argparse
import contextlib
import functools
import time
from collections import Counter
from unittest import mock

import torch

from benchmarks.papers.data import DATA, load
from benchmarks.papers.runner import setting
from deepdensity import DECSClustering, IDCLClustering, base, first_clusters
from deepdensity.core_head import DensityCoreHead
from deepdensity.fitted import FittedDeepClustering
from deepdensity.memory import kept_steps
from deepdensity.starts import best_trial
from deepdensity.training.phase_net import AutoencoderNet
from deepdensity.training.trainer import Trainer

from .timing import machine

__all__ = ["PARTS", "Stopwatch", "profiled"]

PARTS = {  # what is shown -> the object that holds it and its name there
    "validation": (FittedDeepClustering, "_validate"),
    "scale of the input": (base, "input_format"),
    "neighbours of vectors": (kept_steps, "nearest_neighbours"),
    "pretraining": (Trainer, "pretrain"),
    "steps": (AutoencoderNet, "fit_loop"),
    "k-means": (first_clusters, "kmeans_start"),
    "other starts": (first_clusters, "several_starts"),
    "trials": (best_trial, "try_start"),
    "repairs": (best_trial, "split_and_merge"),
    "trained start": (first_clusters, "settled"),  # of vectors
    "embedding": (Trainer, "embed"),
    "embedding of views": (Trainer, "embed_view"),
    "densities": (DensityCoreHead, "_take_densities"),
    "density cores": (DensityCoreHead, "_new_cores"),
    "refit of the decoder": (base, "refit_decoder"),
    "reconstruction error": (base, "reconstruction_error"),
}
WITHIN = {"steps", "embedding", "embedding of views"}  # named by what asks for them
ESTIMATORS = {"IDCL": IDCLClustering, "DECS": DECSClustering}


class Stopwatch:
    """Seconds of each part, without those of the parts inside it.

    Attributes
    ----------
    seconds : Counter
    """

    def __init__(self):
        self.seconds = Counter()
        self._open = []  # [name, seconds of parts inside], outermost first

    def timed(self, name, function):
        """The function, with its seconds on this watch."""

        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            inside = name in WITHIN and self._open and self._open[-1][0] != "fit"
            part = [f"{self._open[-1][0]}: {name}" if inside else name, 0.0]
            self._open.append(part)
            start = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                seconds = time.perf_counter() - start
                self._open.pop()
                self.seconds[part[0]] += seconds - part[1]
                if self._open:
                    self._open[-1][1] += seconds

        return wrapper


def profiled(model, X):
    """Seconds of each part of ``model.fit(X)``, as a Counter; "fit" is what is left."""
    watch = Stopwatch()
    with contextlib.ExitStack() as stack:
        for part, (owner, name) in PARTS.items():
            timed = watch.timed(part, getattr(owner, name))
            stack.enter_context(mock.patch.object(owner, name, timed))
        watch.timed("fit", model.fit)(X)
    return watch.seconds


def table(seconds):
    """The parts as text, a line each, the longest first."""
    total = sum(seconds.values())
    lines = [
        f"{part:40} {value:9.2f} s {value / total:7.1%}"
        for part, value in seconds.most_common()
    ]
    return "\n".join([*lines, f"{'total':40} {total:9.2f} s"])


def main():
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed.profile",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", choices=DATA, default="usps")
    parser.add_argument("--data-home", metavar="FOLDER")
    parser.add_argument("--rows", type=int, help="only the first of the data")
    parser.add_argument("--estimator", choices=ESTIMATORS, default="DECS")
    parser.add_argument(
        "--set", nargs="+", default=[], metavar="NAME=VALUE", type=setting
    )
    parser.add_argument("--device", default="cpu", type=torch.device)
    options = parser.parse_args()
    samples, _ = load(options.data, options.data_home)
    model = ESTIMATORS[options.estimator](
        samples.n_clusters,
        image_shape=samples.image_shape,
        device=options.device,
        random_state=0,
    )
    model.set_params(**dict(options.set))
    X = samples.X[: options.rows]
    print(machine(options.device))
    print(f"{options.data}, n = {X.shape[0]:,}: {model}", flush=True)
    print(table(profiled(model, X)))


if __name__ == "__main__":
    main()
