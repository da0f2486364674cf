"""IDCLClustering: the algorithm, its ablations, its fitted attributes."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import entropy
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import Callback

from deepdensity.curriculum import PACINGS, exponential_pacing
from deepdensity.papers import IDCL_ABLATIONS
from deepdensity.training.batches import TrainingSet
from deepdensity.training.inference import embed

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


def test_curriculum_is_the_published_pace_per_cluster(fitted):
    X, model = fitted
    expected = [min(exponential_pacing(t, 6, 0.6), 0.95) for t in range(12)]
    assert_allclose(model.curriculum_.fractions, expected, rtol=1e-12)
    sizes = [len(model.curriculum_[t]) for t in range(12)]
    assert sizes[0] < sizes[3] < sizes[11]
    for fraction, size in zip(expected, sizes, strict=True):
        assert fraction * len(X) <= size <= fraction * len(X) + N_CLUSTERS


@pytest.fixture
def trained_on(monkeypatch):
    """Rows and targets of each epoch of clustering: a list of (rows, P)."""
    seen = []

    def spy(source, rows, P):
        seen.append((rows, P))
        return TrainingSet(source, rows, P)

    monkeypatch.setattr("deepdensity.idcl.TrainingSet", spy)
    return seen


def test_the_easiest_samples_are_trained_on_towards_sharpened_targets(trained_on):
    X, _ = digit_vectors()
    model = idcl(max_epochs=1, lr=1e-12, core_fraction=None, lambda_0=0.5).fit(X)
    [(rows, P)] = trained_on
    easiest = reference.select_easiest(model.difficulty_, model.labels_, 0.5)
    assert_array_equal(rows, easiest)
    assert_array_equal(model.curriculum_[0], easiest)
    Q = model.predict_proba(X)[rows]  # of those alone
    assert_allclose(P, reference.target_distribution(Q), atol=1e-4)


class Embeddings(Callback):
    """Notes the embedding of all samples before each epoch of clustering."""

    def initialize(self):
        self.seen = getattr(self, "seen", [])
        return self

    def on_epoch_begin(self, net, dataset_train=None, **kwargs):
        if net.phase == "cluster":
            Z = embed(net.module_, dataset_train.source, torch.float32)
            self.seen.append(Z.astype(np.float64))


@pytest.mark.parametrize("apart", [1, 2])
def test_every_epoch_is_that_of_the_algorithms_of_the_paper(apart, trained_on):
    """They run here in plain loops beside the fit, on its embeddings."""
    X, embeddings = digit_vectors(120)[0], Embeddings()
    steps = {"batch_size": 60, "refresh_interval": 2 * apart, "max_epochs": 4}
    more = {"core_fraction": 0.2, "cutoff_quantile": 0.1, "lr": 5e-3, "tol": 0}
    model = idcl(callbacks=[embeddings], **steps, **more, **HEAD, **PACE).fit(X)
    labels, changes = model.pretrain_labels_, []
    for t, Z in enumerate(embeddings.seen):
        if t % apart == 0:
            before = labels
            difficulty, Q = reference.idcl_refresh(Z, before, 0.2, 0.1, 0.6)
            labels = reference.likeliest_clusters(Q)
            changes.append(np.mean(labels != before))
        share = reference.exponential_pacing(t, 2, 0.6)
        share = reference.capped_fraction(share, 0.95)
        rows, P = trained_on[t]
        easiest = reference.select_easiest(difficulty, labels, share)
        assert_array_equal(rows, easiest)
        assert_array_equal(model.curriculum_[t], easiest)
        assert_allclose(P, reference.target_distribution(Q[easiest]), atol=1e-6)
    assert t == 3 and min(changes) > 0
    noted = [row["label_change"] for row in model.history_ if "label_change" in row]
    assert noted == changes
    _, Q = reference.idcl_refresh(model.embedding_, labels, 0.2, 0.1, 0.6)
    assert_allclose(model.predict_proba(X), Q, rtol=1e-6)


def test_the_score_of_the_end_is_that_of_its_own_cores():
    X, _ = digit_vectors(150)
    model = idcl(augment=False, lr=1e-2, tol=0).fit(X)
    assert model.history_[-1, "label_change"] > 0
    # all views are the sample itself, and share all of its cluster
    assert_allclose(model.information_, entropy(np.bincount(model.labels_)))


class SpoilLast(Callback):
    """Spoils the network after the last of so many epochs of clustering."""

    def __init__(self, n_epochs):
        self.n_epochs = n_epochs

    def on_epoch_end(self, net, **kwargs):
        if net.phase == "cluster" and len(net.history) == self.n_epochs:
            for parameter in net.module_.parameters():
                parameter.data.fill_(float("nan"))


def test_what_the_last_epoch_breaks_is_taken_back():
    X, embeddings = digit_vectors(150)[0], Embeddings()
    model = idcl(augment=False, guard=True, callbacks=[embeddings, SpoilLast(4)])
    with pytest.warns(ConvergenceWarning, match="diverged 1 time, and went back"):
        model.fit(X)
    assert model.history_[:, "phase"].count("cluster") == 4
    assert model.history_[-1, "rollback"] == "diverged"
    assert_allclose(model.embedding_, embeddings.seen[3], atol=1e-5)


def test_epochs_train_on_the_curriculum_alone(monkeypatch):
    from deepdensity.samples.inputs import Source

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
    # the first call only shows, before anything is trained, that it can be called
    assert seen[1:] == [(t, 2, 0.9) for t in range(4)]


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


def test_the_loss_has_the_weight_and_the_unit_that_are_asked_for():
    nets = Nets()
    idcl(gamma=0, kernel_scale=0.3, callbacks=[nets]).fit(digit_vectors(150)[0])
    loss = nets.seen["cluster"].criterion_
    assert (loss.gamma, loss.scale) == (0, 0.3)


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
    # epochs 3 and 4 look at the labels with the whole curriculum in view, and end there
    assert idcl(max_epochs=9, pacing_epochs=3, tol=1.1).fit(X).n_iter_ == 4


def test_refreshes_are_whole_epochs_apart_rounded_up():
    X, _ = digit_vectors()  # 3 steps an epoch
    rows = idcl(max_epochs=4, refresh_interval=4, tol=0).fit(X).history_
    refreshed = ["label_change" in row for row in rows if row["phase"] == "cluster"]
    assert refreshed == [True, False] * 2


def test_empty_clusters_come_last_with_all_that_is_theirs():
    X, _ = digit_vectors()
    model = idcl().fit(X)
    labels = np.where(model.labels_ == 0, 1, model.labels_)
    model.core_means_[0] += 1e3  # where no sample is
    with pytest.warns(ConvergenceWarning, match="distinct clusters"):
        model._set_head(labels)
    assert_array_equal(model._core_counts > 0, np.arange(10) < 9)
    core = model.core_sample_indices_
    for j in range(9):
        own = model.embedding_[core[labels[core] == j + 1]]
        assert len(own) == model._core_counts[j]
        assert_allclose(model.core_means_[j], own.mean(0), atol=1e-6)
        assert_allclose(model.core_spreads_[j], own.var(0).sum(), atol=1e-6)


def test_gamma_auto_is_twice_the_mean_variance_of_the_input():
    images, nets = digit_images(200)[0], Nets()
    idcl(autoencoder=small_conv, callbacks=[nets]).fit(images)
    expected = 2 * (images / 16).var(0).mean()
    assert_allclose(nets.seen["cluster"].criterion_.gamma, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("steps", "n_epochs"), [((1, 99), 7), ((24, 99), 8), ((1, 9), 3)]
)
def test_max_epochs_auto_keeps_to_a_number_of_steps(steps, n_epochs, monkeypatch):
    monkeypatch.setattr("deepdensity.recipe.IDCL_EPOCHS", 7)
    monkeypatch.setattr("deepdensity.recipe.IDCL_STEPS", steps)
    images, _ = digit_images(300)  # 3 steps an epoch
    model = idcl(autoencoder=small_conv, max_epochs="auto", tol=0, **PACE)
    assert model.fit(images).n_iter_ == n_epochs
    half = -(-n_epochs // 2)  # where the curriculum is complete
    expected = [min(exponential_pacing(t, half, 0.6), 0.95) for t in range(n_epochs)]
    assert_allclose(model.curriculum_.fractions, expected, rtol=1e-12)


def test_max_epochs_auto_is_a_number_of_steps_for_vectors(monkeypatch):
    monkeypatch.setattr("deepdensity.recipe.VECTOR_STEPS", 10)
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
