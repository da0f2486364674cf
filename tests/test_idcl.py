"""IDCLClustering: the algorithm, its ablations, its fitted attributes."""

import copy

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning

from deepdensity.assignment import squared_distances_to
from deepdensity.curriculum import PACINGS, exponential_pacing
from deepdensity.density import cutoff_distance, density_error, sampled_density
from deepdensity.papers import IDCL_ABLATIONS

from . import reference
from .common import (
    N_CLUSTERS,
    BatchSizes,
    Nets,
    digit_images,
    digit_vectors,
    idcl,
    small_conv,
)

HEAD = {"kernel_scale": 0.6}
PACE = {"lambda_0": 0.6, "lambda_max": 0.95}  # the paper's


@pytest.fixture(scope="module")
def fitted():
    X, _ = digit_vectors()
    return X, idcl(max_epochs=12, refresh_interval=6, **HEAD, **PACE).fit(X)


def test_fitted_attributes(fitted):
    X, model = fitted
    n = len(X)
    assert (
        model.labels_.shape == model.density_.shape == model.difficulty_.shape == (n,)
    )
    assert model.embedding_.shape == (n, 10)
    assert model.core_means_.shape == (N_CLUSTERS, 10)
    assert model.core_spreads_.shape == (N_CLUSTERS,)
    assert model.n_iter_ == len(model.curriculum_) == 12
    assert model.difficulty_.min() == 0 and model.difficulty_.max() == 1
    assert_array_equal(np.argsort(model.density_), np.argsort(model.difficulty_))
    cluster_rows = [row for row in model.history_ if row["phase"] == "cluster"]
    assert [row["fraction"] for row in cluster_rows] == model.curriculum_.fractions
    # 3 steps an epoch: a refresh every second epoch
    assert ["label_change" in row for row in cluster_rows] == [True, False] * 6


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


def test_curriculum_is_the_published_pace_per_cluster(fitted):
    X, model = fitted
    expected = [min(exponential_pacing(t, 6, 0.6), 0.95) for t in range(12)]
    assert_allclose(model.curriculum_.fractions, expected, rtol=1e-12)
    sizes = [len(model.curriculum_[t]) for t in range(12)]
    assert sizes[0] < sizes[3] < sizes[11]
    for fraction, size in zip(expected, sizes, strict=True):
        assert fraction * len(X) <= size <= fraction * len(X) + N_CLUSTERS
    assert model.curriculum_[0].max() < len(X)


def test_epochs_train_on_the_curriculum_alone(monkeypatch):
    from deepdensity.inputs import Source

    X, _ = digit_vectors()
    asked = []
    read = Source.read

    def spy(self, rows, dtype=torch.float32):
        if not isinstance(rows, slice):  # slices are whole passes for the embedding
            asked.append(rows)
        return read(self, rows, dtype)

    monkeypatch.setattr(Source, "read", spy)
    # views of vectors read their neighbours, too
    model = idcl(pretrain_epochs=0, max_epochs=1, augment=False, guard=False, **PACE)
    model.fit(X)
    assert_array_equal(np.sort(np.concatenate(asked)), model.curriculum_[0])


@pytest.mark.parametrize("pacing", sorted(PACINGS))
def test_every_pacing(pacing):
    X, _ = digit_vectors(200)
    model = idcl(pacing=pacing, max_epochs=6, pacing_epochs=4, tol=0, **PACE).fit(X)
    fractions = model.curriculum_.fractions
    assert fractions == sorted(fractions)
    assert fractions[0] == (1.0 if pacing == "none" else 0.6)
    assert fractions[-1] == (1.0 if pacing == "none" else 0.95)
    assert len(model.curriculum_[5]) >= fractions[-1] * len(X)


def test_pacing_by_a_function_of_the_user():
    seen = []

    def half_then_all(epoch, n_epochs, lambda_0):
        seen.append((epoch, n_epochs, lambda_0))
        return 0.5 if epoch < n_epochs else 1.0

    model = idcl(pacing=half_then_all, pacing_epochs=2, lambda_max=0.9).fit(
        digit_vectors(200)[0]
    )
    assert model.curriculum_.fractions == [0.5, 0.5, 0.9, 0.9]
    assert seen == [(t, 2, 0.9) for t in range(4)]


@pytest.mark.parametrize("share", [0, -0.5, 1.5, float("nan")])
def test_pacing_outside_0_to_1_is_an_error(share):
    with pytest.raises(ValueError, match="pacing=.*epoch 0.*share in"):
        idcl(pacing=lambda *args: share).fit(digit_vectors(200)[0])


@pytest.mark.parametrize("name", IDCL_ABLATIONS)
def test_each_ablation_of_the_paper_is_a_parameter(name):
    X, _ = digit_vectors(200)
    images = X.reshape(-1, 8, 8)
    usual = idcl(autoencoder=small_conv).fit(images)
    ablated = idcl(autoencoder=small_conv).set_params(**IDCL_ABLATIONS[name])
    assert not np.array_equal(ablated.fit(images).embedding_, usual.embedding_)


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
    apart = np.abs(found - model.density_ / 399)
    assert 120 <= np.sum(apart < 1e-4) <= 390  # not so those that meet themselves
    assert apart.max() < 1 / 150 + 1e-4
    assert_array_equal(model.score_samples(X), found)


def test_score_samples_is_the_density_also_of_new_samples(fitted):
    X, model = fitted
    assert_allclose(model.score_samples(X), (model.density_ + 1) / len(X), rtol=1e-9)
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


@pytest.mark.parametrize("quantile", [0.01, 0.2])
def test_the_cutoff_is_at_the_quantile_that_is_asked_for(quantile):
    X, _ = digit_vectors(120)
    model = idcl(cutoff_quantile=quantile).fit(X)
    Z = torch.from_numpy(model.embedding_)
    cutoff = cutoff_distance(Z, quantile)
    expected = reference.local_density(model.embedding_, cutoff, "gaussian")
    assert_allclose(model.density_, expected, rtol=1e-9)


def test_score_is_a_silhouette_that_rises_with_training():
    X, _ = digit_vectors()
    longer = {"pretrain_epochs": 20, "refresh_interval": 50}
    start, end = (idcl(max_epochs=n, **longer).fit(X) for n in (0, 60))
    assert 0 <= start.score(X) < end.score(X) <= 1


def test_gamma_0_leaves_the_reconstruction_alone():
    X, _ = digit_vectors(200)
    rows = idcl(gamma=0).fit(X).history_
    weighted = idcl(gamma=10).fit(X).history_
    assert rows[-1, "train_loss"] < weighted[-1, "train_loss"]


def test_training_stops_once_the_labels_have_settled():
    X, _ = digit_vectors()
    model = idcl(max_epochs=200, pacing_epochs=3, tol=0.05).fit(X)
    assert 3 < model.n_iter_ < 200
    unsettled = idcl(max_epochs=8, pacing_epochs=8, tol=1.0).fit(X)
    assert unsettled.n_iter_ == 8  # not before the curriculum is complete
    assert idcl(max_epochs=12, pacing_epochs=1, tol=0).fit(X).n_iter_ == 12


def test_gamma_auto_is_twice_the_mean_variance_of_the_input():
    images, nets = digit_images(200)[0], Nets()
    idcl(autoencoder=small_conv, callbacks=[nets]).fit(images)
    expected = 2 * (images / 16).var(0).mean()
    assert_allclose(nets.seen["cluster"].criterion_.gamma, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("steps", "n_epochs"), [((1, 99), 7), ((24, 99), 8), ((1, 9), 3)]
)
def test_max_epochs_auto_keeps_to_a_number_of_steps(steps, n_epochs, monkeypatch):
    monkeypatch.setattr("deepdensity.idcl.EPOCHS", 7)
    monkeypatch.setattr("deepdensity.idcl.EPOCH_STEPS", steps)
    images, _ = digit_images(300)  # 3 steps an epoch
    model = idcl(autoencoder=small_conv, max_epochs="auto", tol=0, **PACE)
    assert model.fit(images).n_iter_ == n_epochs
    half = -(-n_epochs // 2)  # where the curriculum is complete
    expected = [min(exponential_pacing(t, half, 0.6), 0.95) for t in range(n_epochs)]
    assert_allclose(model.curriculum_.fractions, expected, rtol=1e-12)


def test_max_epochs_auto_is_a_number_of_steps_for_vectors(monkeypatch):
    monkeypatch.setattr("deepdensity.idcl.VECTOR_STEPS", 10)
    X, _ = digit_vectors()  # 3 steps an epoch
    assert idcl(max_epochs="auto", tol=0).fit(X).n_iter_ == 4


def test_batches_of_the_clustering_phase_hold_256_by_default(monkeypatch):
    monkeypatch.setattr("deepdensity.first_clusters.TRIAL_STEPS", 2)
    images = digit_images(300)[0]
    sizes = BatchSizes()
    more = {"autoencoder": small_conv, "batch_size": "auto", "callbacks": [sizes]}
    idcl(max_epochs=1, pacing="none", init="auto", **more).fit(images)
    assert sizes.seen["pretrain"] == {30}  # ten even batches of at most 32
    assert sizes.seen["cluster"] == {150}  # two of at most 256


def test_refreshes_that_are_rolled_back_do_not_count_as_settled():
    more = {"pretrain_epochs": 0, "pacing": "none", "tol": 1.0, "lr": 1e30}
    with pytest.warns(ConvergenceWarning, match="at last it ended there"):
        model = idcl(max_epochs=20, guard=True, **more).fit(digit_vectors(200)[0])
    # a refresh before each epoch, the first of which has nothing to look at yet
    assert model.n_iter_ == 3
    assert model.history_[:, "rollback"] == ["diverged"] * 3
