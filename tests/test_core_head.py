"""IDCL's head: densities and cores of the final embedding, and scores by them."""

import copy

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from deepdensity.density import cutoff_distance, density_error, sampled_density
from deepdensity.distances import squared_distances_to

from . import reference
from .common import N_CLUSTERS, digit_vectors, idcl


@pytest.fixture(scope="module")
def fitted():
    X, _ = digit_vectors()
    more = {"lambda_0": 0.6, "lambda_max": 0.95, "kernel_scale": 0.6}
    return X, idcl(max_epochs=12, refresh_interval=6, **more).fit(X)


def test_density_is_that_of_the_final_embedding(fitted):
    _, model = fitted
    Z = torch.from_numpy(model.embedding_)
    expected = reference.local_density(model.embedding_, cutoff_distance(Z), "gaussian")
    assert_allclose(model.density_, expected, rtol=1e-9)


def test_head_is_the_cores_of_the_final_embedding(fitted):
    X, model = fitted
    Z, core = model.embedding_, model.core_sample_indices_
    assert_array_equal(core, np.unique(core))
    assert N_CLUSTERS <= len(core) <= 0.05 * len(X) + N_CLUSTERS
    similarity = ((Z[:, None] - model.core_means_) ** 2).sum(2) + model.core_spreads_
    assert_array_equal(similarity.argmin(1), model.labels_)
    q = reference.soft_assignment(similarity / 0.6, 1.0)
    assert_allclose(model.predict_proba(X), q, rtol=1e-9)


def test_without_a_core_the_head_is_the_centres():
    X, _ = digit_vectors(200)
    model = idcl(core_fraction=None).fit(X)
    assert_array_equal(model.core_spreads_, 0)
    Z = torch.from_numpy(model.embedding_)
    nearest = squared_distances_to(Z, torch.from_numpy(model.core_means_)).argmin(1)
    assert_array_equal(nearest, model.labels_)


def test_kernels_differ():
    X, _ = digit_vectors(200)
    cutoff = idcl(density_kernel="cutoff").fit(X)
    assert_array_equal(cutoff.density_, np.round(cutoff.density_))  # counts
    assert not np.array_equal(cutoff.density_, idcl().fit(X).density_)


@pytest.mark.parametrize("quantile", [0.01, 0.2])
def test_the_cutoff_is_at_the_quantile_that_is_asked_for(quantile):
    X, _ = digit_vectors(120)
    model = idcl(cutoff_quantile=quantile).fit(X)
    Z = torch.from_numpy(model.embedding_)
    cutoff = cutoff_distance(Z, quantile)
    expected = reference.local_density(model.embedding_, cutoff, "gaussian")
    assert_allclose(model.density_, expected, rtol=1e-9)


@pytest.fixture
def small_reference(monkeypatch):
    monkeypatch.setattr("deepdensity.core_head.N_REFERENCE", 150)


def test_a_sampled_density_stands_for_the_exact_one(small_reference):
    X, _ = digit_vectors(400)
    exact, sampled = (
        idcl(density=density, max_epochs=0).fit(X) for density in ("exact", "sampled")
    )
    assert exact.density_error_ == 0
    assert sampled.density_error_ == density_error(400, 150)
    assert not np.array_equal(sampled.density_, exact.density_)
    error = np.abs(sampled.density_ - exact.density_).max()
    assert error < sampled.density_error_
    assert np.corrcoef(sampled.density_, exact.density_)[0, 1] > 0.8


def test_sampled_densities_of_narrow_clusters_are_in_double_precision(small_reference):
    """Ten clusters whose width is a few roundings of their distance."""
    random = np.random.default_rng(0)
    Z = 10 * random.normal(size=(10, 4))[np.arange(400) % 10]
    Z += 1e-4 * random.normal(size=Z.shape)
    model = idcl(density="sampled")
    model._density_seed = 0
    model._take_densities(Z)
    centred = torch.from_numpy(Z - Z.mean(0))
    expected = sampled_density(centred, model._cutoff, "gaussian", model._reference)
    assert model._cutoff < 1e-3 and len(model._reference) == 150
    assert_allclose(model.density_, expected, rtol=1e-4)
    coarse = sampled_density(
        torch.from_numpy(Z).float(), model._cutoff, "gaussian", model._reference
    )
    assert np.abs(coarse.numpy() - model.density_).max() > 1  # what float32 makes of it


def test_sampled_densities_do_not_depend_on_where_the_embedding_lies(small_reference):
    Z = np.random.default_rng(0).normal(size=(400, 4))
    model = idcl(density="sampled")
    model._density_seed = 0
    found = []
    for offset in (0, 2**20):
        model._take_densities(Z.round(6) + offset)
        found.append(model.density_)
    assert_allclose(*found, rtol=1e-5)


def test_another_seed_draws_other_samples_for_the_sum(small_reference):
    Z = np.random.default_rng(0).normal(size=(400, 4))
    model, drawn = idcl(density="sampled"), []
    for seed in (0, 1, 0):
        model._density_seed = seed
        model._take_densities(Z)
        drawn.append(model._reference)
    assert torch.equal(drawn[0], drawn[2]) and not torch.equal(drawn[0], drawn[1])


@pytest.mark.parametrize("pairs", [400**2 // 2, 400**2 // 2 - 1])
def test_auto_is_exact_up_to_a_budget_of_pairs(small_reference, monkeypatch, pairs):
    monkeypatch.setattr("deepdensity.core_head.EXACT_PAIRS", pairs)
    X, _ = digit_vectors(400)
    model = idcl(max_epochs=1).fit(X)
    assert (model.density_error_ == 0) == (pairs == 400**2 // 2)
    few = idcl(max_epochs=0, density="sampled").fit(X[:150])  # no more than the sample
    assert few.density_error_ == 0


def test_new_samples_meet_those_that_a_sampled_density_takes(small_reference):
    X, _ = digit_vectors(400)
    model = idcl(density="sampled", max_epochs=0).fit(X)
    found = model.score_samples(X)
    apart = np.abs(np.exp(found) - model.density_ / 399)
    assert 120 <= np.sum(apart < 1e-4) <= 390  # not so those that meet themselves
    assert apart.max() < 1 / 150 + 1e-4
    assert_array_equal(model.score_samples(X), found)


def test_score_samples_is_the_log_density_also_of_new_samples(fitted):
    X, model = fitted
    expected = np.log((model.density_ + 1) / len(X))
    assert_allclose(model.score_samples(X), expected, rtol=1e-9)
    rng = np.random.default_rng(0)
    strange = rng.uniform(size=X.shape)  # noise in place of digits
    assert np.median(model.score_samples(strange)) < np.median(model.score_samples(X))


def test_score_is_the_mean_silhouette_by_the_cores(fitted):
    X, model = fitted
    distances = [
        [reference.squared_distance(z, mean) for mean in model.core_means_]
        for z in model.embedding_
    ]
    expected = reference.core_silhouette(np.array(distances) + model.core_spreads_)
    assert_allclose(model.score(X), expected.mean(), rtol=1e-6)


@pytest.mark.filterwarnings("ignore:.*distinct clusters")
def test_clusters_without_samples_do_not_raise_the_score():
    """Their cores are at no distance of anything where all has become one point."""
    X = np.ones((150, 4))
    assert idcl().fit(X).score(X) == 0
    X, _ = digit_vectors(150)
    model = idcl().fit(X)
    before = model.score(X)
    with_empty = copy.deepcopy(model)
    with_empty.core_means_ = np.vstack([model.core_means_, model.core_means_[:1]])
    with_empty.core_spreads_ = np.append(model.core_spreads_, model.core_spreads_[0])
    with_empty._core_counts = np.append(model._core_counts, 0)
    assert with_empty.score(X) == before > 0


def test_score_is_a_silhouette_that_rises_with_training():
    X, _ = digit_vectors()
    longer = {"pretrain_epochs": 20, "refresh_interval": 50}
    start, end = (idcl(max_epochs=n, **longer).fit(X) for n in (0, 60))
    assert 0 <= start.score(X) < end.score(X) <= 1
