"""The same random_state gives the same labels, and nobody's generator is touched."""

import pickle
import warnings

import joblib
import numpy as np
import pytest
import torch
from joblib import Parallel, delayed, parallel_config
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from deepdensity import (
    DECSClustering,
    IDCLClustering,
    first_clusters,
    recipe,
)

from .common import BOTH, digit_vectors, small_conv

X, _ = digit_vectors(200)
IMAGES = X.reshape(-1, 8, 8)


def labels_and_embedding(model):
    model.fit(IMAGES)
    return model.labels_, model.embedding_


@pytest.mark.parametrize("short", BOTH)
def test_twice_in_a_row(short):
    first, second = short().fit(X), short().fit(X)
    assert_array_equal(first.labels_, second.labels_)
    assert_array_equal(first.embedding_, second.embedding_)
    assert_array_equal(first.fit(X).embedding_, second.embedding_)
    other = short(random_state=1).fit(X)
    assert not np.array_equal(other.embedding_, second.embedding_)


@pytest.mark.parametrize("estimator", [DECSClustering, IDCLClustering])
@pytest.mark.parametrize("images", [False, True])
def test_the_defaults_twice_in_a_row_leave_the_global_generators_alone(
    estimator, images, monkeypatch
):
    # the recipe as it is, but for its length
    monkeypatch.setattr(recipe, "FEWEST_STEPS", (4, 4))
    monkeypatch.setattr(recipe, "MOST_STEPS", 8)
    monkeypatch.setattr(first_clusters, "TRIAL_STEPS", 2)
    monkeypatch.setattr(recipe, "IDCL_STEPS", (4, 8))
    monkeypatch.setattr(recipe, "VECTOR_STEPS", 20)
    monkeypatch.setattr(recipe, "DECS_STEPS", (4, 4))
    model = estimator(5, random_state=0)
    data = IMAGES[:120] if images else X[:120]
    numpy_state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()
    first = model.fit(data)
    second = clone(model).fit(data)
    assert_array_equal(first.labels_, second.labels_)
    assert_array_equal(first.embedding_, second.embedding_)
    assert first.start_scores_ == second.start_scores_
    assert len(first.start_scores_) > 1 if images else first.start_scores_ == {}
    assert_array_equal(np.random.get_state()[1], numpy_state)
    assert torch.equal(torch.get_rng_state(), torch_state)


@pytest.mark.parametrize("short", BOTH)
@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_in_parallel(short, backend):
    alone = labels_and_embedding(short(autoencoder=small_conv))
    jobs = (
        delayed(labels_and_embedding)(short(autoencoder=small_conv)) for _ in range(4)
    )
    # results are those of a number of threads; joblib gives its processes fewer
    threads = {"inner_max_num_threads": torch.get_num_threads()}
    with parallel_config(backend, **(threads if backend == "loky" else {})):
        results = Parallel(n_jobs=2)(jobs)
    for labels, embedding in results:
        assert_array_equal(labels, alone[0])
        assert_array_equal(embedding, alone[1])


@pytest.mark.parametrize("short", BOTH)
def test_after_pickle_and_joblib_dump(short, tmp_path):
    model = short().fit(X)
    joblib.dump(model, tmp_path / "model.joblib")
    torch.set_warn_always(True)  # torch warns once only of arrays that are read-only
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # of a model so short that clusters may stay empty
        warnings.simplefilter("ignore", ConvergenceWarning)
        assert_loaded_models_agree(model, tmp_path / "model.joblib")
    torch.set_warn_always(False)


def assert_loaded_models_agree(model, path):
    for copy in (
        pickle.loads(pickle.dumps(model)),
        joblib.load(path),
        joblib.load(path, mmap_mode="r"),
    ):
        assert_array_equal(copy.predict(X), model.labels_)
        assert_array_equal(copy.transform(X), model.embedding_)
        assert_array_equal(copy.score_samples(X), model.score_samples(X))
        assert_array_equal(copy.fit(X).labels_, model.labels_)


@pytest.mark.parametrize("short", BOTH)
@pytest.mark.parametrize("random_state", [0, None])
@pytest.mark.parametrize("init", ["k-means", "spectral", "view-mixture"])
def test_global_generators_and_threads_are_untouched(short, random_state, init):
    numpy_before, torch_before = np.random.get_state(), torch.get_rng_state()
    threads = torch.get_num_threads()
    model = short(random_state=random_state, autoencoder=small_conv, init=init)
    model.fit(IMAGES)
    model.predict(IMAGES)
    model.score_samples(IMAGES)
    numpy_after = np.random.get_state()
    assert numpy_before[0] == numpy_after[0]
    assert_array_equal(numpy_before[1], numpy_after[1])
    assert numpy_before[2:] == numpy_after[2:]
    assert torch.equal(torch.get_rng_state(), torch_before)
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("short", BOTH)
def test_a_random_state_instance_is_used_and_None_differs_each_time(short):
    by_number = short(random_state=3).fit(X)
    by_instance = short(random_state=np.random.RandomState(3)).fit(X)
    assert_array_equal(by_number.embedding_, by_instance.embedding_)
    fresh = [short(random_state=None).fit(X).embedding_ for _ in range(2)]
    assert not np.array_equal(*fresh)
