"""A search with `memory` over the same search without: one pretraining for all."""

import tempfile
import time

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

from benchmarks.papers.data import load
from deepdensity import DECSClustering, IDCLClustering
from deepdensity.model_selection import InSampleSplit

from .timing import Ratio

__all__ = ["search_with_memory"]

SEARCHES = {
    "IDCL, pacing x lambda_0": (
        IDCLClustering,
        {"pacing": ["exponential", "linear", "none"], "lambda_0": [0.4, 0.6, 0.8]},
    ),
    "DECS, alpha x lambda_var": (
        DECSClustering,
        {"alpha": [0.5, 1.0, 2.0], "lambda_var": [0.4, 0.8, 1.2]},
    ),
}


def search_with_memory(device, n_rounds, data_home=None):
    """Nine candidates each, with all else at its default.

    On the texts of Reuters R8 where there is a folder with them, else on Digits as
    vectors.
    """
    X, n_clusters = load_digits().data, 10
    if data_home is not None:
        samples, _ = load("r8", data_home)
        X, n_clusters = samples.X, samples.n_clusters
    for name, (kind, grid) in SEARCHES.items():
        warm_up = kind(n_clusters, pretrain_epochs=1, device=device, random_state=0)
        warm_up.fit(X)
        seconds = np.array(
            [times(kind, grid, X, n_clusters, device) for _ in range(n_rounds)]
        )
        without, kept = seconds.T
        what = f"search without memory over one with, {name}"
        yield Ratio(
            what, np.median(without), np.median(kept), list(without / kept), ">= 3"
        )


def times(kind, grid, X, n_clusters, device):
    """Seconds without and with memory; the scores must be the same.

    Of the processor, as a search takes too long to be timed in turns, and other work
    may come and go meanwhile; on a GPU of the clock. What the process waits for its
    disk is not in them.
    """
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    seconds, scores = [], []
    with tempfile.TemporaryDirectory() as folder:
        for memory in (None, folder):
            model = kind(n_clusters, memory=memory, device=device, random_state=0)
            start = clock()
            search = GridSearchCV(model, grid, cv=InSampleSplit()).fit(X)
            seconds.append(clock() - start)
            scores.append(search.cv_results_["mean_test_score"])
    np.testing.assert_array_equal(*scores)
    return seconds
