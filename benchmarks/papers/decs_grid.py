"""DECS for a grid of alpha and lambda (Fig. 4 of its paper).

python -m benchmarks.papers.decs_grid --data-home FOLDER

The paper has USPS, MNIST and Fashion; the values on its axes are not in its text, so
that these are ours. The cells of a set and seed share one pretrained autoencoder.
"""

import functools
import tempfile
from pathlib import Path

import torch

from deepdensity import DECSClustering

from .methods import METHODS
from .runner import Table, main
from .scores import FIELDS, measure

ALPHAS = (0.25, 0.5, 1.0, 2.0, 4.0)
LAMBDAS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


def cell(alpha, weight):
    """The name of a cell of the grid."""
    return f"alpha={alpha}, lambda={weight}"


def measure_cell(folder, method, samples, y, seed):
    """The row of one cell, from the autoencoder that all cells start from."""
    module = pretrained(folder, samples, seed, method.settings)
    settings = {**method.settings, "autoencoder": module, "pretrain_epochs": 0}
    return measure(method._replace(settings=settings), samples, y, seed)


def pretrained(folder, samples, seed, settings):
    """The autoencoder for a set and seed, trained by the first cell that needs it."""
    path = Path(folder) / f"{samples.name}-{seed}.pt"
    if not path.exists():
        shared = {**settings, "max_iter": 0, "image_shape": samples.image_shape}
        model = DECSClustering(samples.n_clusters, random_state=seed, **shared)
        torch.save(model.fit(samples.X).module_.cpu(), path)
    return torch.load(path, weights_only=False)


TABLE = Table(
    "decs_grid",
    "DECS by alpha and lambda (Fig. 4 of its paper).",
    {
        cell(alpha, weight): METHODS["DECS"].variant(alpha=alpha, lambda_var=weight)
        for alpha in ALPHAS
        for weight in LAMBDAS
    },
    None,  # needs a folder
    FIELDS,
    data=("usps", "mnist", "fashion"),
    most_seeds=1,
)

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(TABLE._replace(measure=functools.partial(measure_cell, folder)))
