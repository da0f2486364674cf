"""The tables' CSV files as one page.

python -m benchmarks.papers.render [--results FOLDER] [--page doc/papers.rst]

Where matplotlib is installed, pictures of the curves are drawn beside the CSV files.
"""

import argparse
import os
from pathlib import Path, PurePath

from . import (
    accuracy,
    curves,
    decs_grid,
    idcl_ablation,
    idcl_convergence_time,
    number_of_clusters,
    page_courses,
    page_numbers,
    page_tables,
    page_targets,
    recipe_ablation,
    store,
)
from .pictures import draw
from .runner import RESULTS
from .summary import summarise

__all__ = ["page"]

TOP = """\
The papers' tables, measured
============================

Written by ``python -m benchmarks.papers.render`` from the CSV files in
``benchmarks/papers/results``; ``benchmarks/papers/README.rst`` tells how to measure
them. ACC, NMI and ARI are x 100, at the end of training, as mean ± standard deviation
over the seeds. No method sees class labels. The defaults, however, were chosen in the
course of the work by ACC and NMI on sets of these, Digits, USPS, MNIST-test, Letters,
Fashion, GTSRB, R8, PBMC and kidney above all: on them the figures of IDCL and DECS are
not held out. An epoch is one pass over all samples. ``FOLDER`` holds the data.

Rows of IDCL and DECS with nothing in brackets are of the present recipe, but for those
of MNIST, Fashion and Letters. There the mixtures of a start drew their samples in
another order, and IDCL's cores were a fifth of a cluster, for a twentieth now. On
Digits, USPS and vectors that changed nothing from the same starts (``doc/recipe.rst``);
on GTSRB IDCL had 82.6 / 81.7 before and has 83.7 / 81.2, DECS 84.4 / 81.9 and has 84.3
/ 81.7, on other machines.

Among all methods, rows of IDCL and DECS on MNIST, Fashion and Letters, and of DECS on
USPS with nothing in brackets, were run on a GPU (NVIDIA H200, up to 16 fits beside each
other, convolutions of ``float32`` rounded to TF32, as torch has it). So were those with
``device``, ``init``, ``max_iter`` or ``pretrain_epochs`` in brackets. All other rows,
and those of the ablations, of convergence, the grid, the curves and the numbers of
clusters, were run on a CPU. Another machine, or other random numbers of the mixtures,
is worth a tenth or two in the mean of five seeds of images: MNIST-test had DECS at 98.9
/ 97.0 with both and at 98.9 / 96.9 on the GPU. Rows of convolutional networks are older
than the products by which a CPU trains their last convolution now, which round in
another way: DECS on USPS, seed 0, has 98.8 / 96.7 with them. A single seed of a small
or uncertain set may move by more: rows of this page that differ for the same method and
seed are of different machines. IDCL on R8, seed 1, has 57.0 / 62.4 among all methods
and 73.6 / 67.8 in the ablation, DECS on kidney, seed 0, 88.3 / 83.4 and 83.5 / 79.8.
The rows without a trained start, and those without the shallow network, are of a
machine where IDCL's defaults had 53.5 / 61.5 (R8), 82.2 / 78.1 (PBMC) and 83.3 / 81.1
(kidney) in the same seeds, DECS's 56.4 / 60.5, 82.4 / 78.0 and 83.5 / 81.4.

ClustPy's fits ran beside one or two others on two cores: their seconds say little. Of
those that went on from a network that was pretrained once for several, by ``--memory``,
only the time of the epochs is given. Rows of MNIST-test and GTSRB with ``autoencoder``
in brackets are of the recipe before components of mixtures were merged for a start,
trials had a balance of weight 1, DECS took more than 2,000 steps of large sets and IDCL
clustered in batches of 256 (``doc/trials_images.rst``): these are to be measured
anew."""


def page(results, pictures=()):
    """The lines of the page for a folder of CSV files, and pictures' paths from it."""

    def rows(module):
        return store.read(results / f"{module.TABLE.name}.csv")

    main = summarise(accuracy.TABLE, rows(accuracy))
    ablation = summarise(idcl_ablation.TABLE, rows(idcl_ablation))
    grid = summarise(decs_grid.TABLE, rows(decs_grid))
    recipe = summarise(recipe_ablation.TABLE, rows(recipe_ablation))
    return [
        *TOP.split("\n"),
        *page_targets.targets(main),
        *page_targets.published(main),
        *page_targets.every_set(main),
        *page_tables.accuracy(main),
        *page_tables.variants(recipe_ablation.TABLE, recipe),
        *page_numbers.numbers(rows(number_of_clusters)),
        *page_tables.variants(idcl_ablation.TABLE, ablation),
        *page_courses.convergence(rows(idcl_convergence_time)),
        *page_tables.grid(grid),
        *page_courses.curves(rows(curves), pictures),
    ]


def main(argv=None):
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.papers.render", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FOLDER")
    parser.add_argument("--page", type=Path, default=Path("doc/papers.rst"))
    options = parser.parse_args(argv)
    pictures = draw(store.read(options.results / "curves.csv"), options.results)
    folder = options.page.parent
    paths = [relative(path, folder) for path in pictures]
    text = "\n".join(page(options.results, paths)).strip() + "\n"
    options.page.write_text(text, encoding="utf-8")
    print("Written:", *map(str, [options.page, *pictures]))


def relative(path, folder):
    """The path as seen from the folder, with / on every system."""
    return PurePath(os.path.relpath(path, folder)).as_posix()


if __name__ == "__main__":
    main()
