"""What is set for a whole process while threads want it, and put back by the last."""

import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._openmp_helpers import _openmp_effective_n_threads
from threadpoolctl import threadpool_info, threadpool_limits

from deepdensity.starts import kmeans_start, scaled_kmeans_start, shared_contexts
from deepdensity.starts.shared_contexts import one_thread, quiet
from deepdensity.utils.user_warnings import warn

from .common import overlapping


def test_filters_are_as_before_whoever_leaves_last():
    before = list(warnings.filters)
    overlapping(quiet)
    assert list(warnings.filters) == before


def test_a_filter_does_not_come_back_with_the_context_of_another_thread():
    """One that begins while remarks are hidden, and ends after that."""
    before = list(warnings.filters)
    other = warnings.catch_warnings()
    with quiet:
        other.__enter__()
        hidden = list(warnings.filters)
    other.__exit__(None, None, None)
    after = list(warnings.filters)
    warnings.filters[:] = before  # whatever has come of it: other tests go on
    assert len(hidden) == len(before) + 2
    assert after == before


def test_blas_has_its_threads_again_after_two_that_wanted_one():
    def threads():
        return [
            pool["num_threads"]
            for pool in threadpool_info()
            if pool["user_api"] == "blas"
        ]

    at_a_time, most = [], []

    def work(_):
        with one_thread():
            at_a_time.append(1)
            most.append((len(at_a_time), threads()))
            time.sleep(0.05)
            at_a_time.pop()

    before = threads()
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, range(6)))
    assert most == [(1, [1] * len(before))] * 6
    assert threads() == before


def test_k_means_of_few_samples_takes_one_thread(monkeypatch):
    threads, fit = [], KMeans.fit

    def noted(self, *args):
        threads.append(_openmp_effective_n_threads())
        return fit(self, *args)

    monkeypatch.setattr(KMeans, "fit", noted)
    monkeypatch.setattr(KMeans, "fit_predict", lambda *args: noted(*args).labels_)
    Z = np.random.default_rng(0).normal(size=(60, 2))
    with threadpool_limits(3, user_api="openmp"):
        kmeans_start(Z, Z, 2, 1, 0)
        scaled_kmeans_start(Z, Z, 2, 1, 0)
        assert threads == [1] * 7
        monkeypatch.setattr(shared_contexts, "SMALL_WORK", 100)
        kmeans_start(Z, Z, 2, 1, 0)
        scaled_kmeans_start(Z, Z, 2, 1, 0)
        assert threads[7:] == [3] * 7
        assert _openmp_effective_n_threads() == 3


def test_remarks_of_scikit_learn_are_hidden_and_this_packages_warnings_are_not():
    with pytest.warns(ConvergenceWarning, match="a cluster") as caught, quiet:
        warnings.warn_explicit(
            "EM", ConvergenceWarning, "_base.py", 1, module="sklearn.mixture._base"
        )
        warn("a cluster was lost")
    assert len(caught) == 1
