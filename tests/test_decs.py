"""DECSClustering: the algorithm and its fitted attributes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import Callback

from . import reference
from .common import (
    N_CLUSTERS,
    BatchSizes,
    Nets,
    decs,
    digit_images,
    digit_vectors,
    small_conv,
)


@pytest.fixture(scope="module")
def fitted():
    X, _ = digit_vectors()
    more = {"alpha": 0.7, "lambda_var": 0.5, "kernel_scale": 0.6}
    return X, decs(max_iter=25, refresh_interval=10, **more).fit(X)


def test_fitted_attributes(fitted):
    X, model = fitted
    assert model.labels_.shape == model.stability_.shape == (len(X),)
    assert model.cluster_centers_.shape == (N_CLUSTERS, 10)
    assert 0 < model.threshold_ < 1
    assert model.n_iter_ == 25  # two rounds of 10 and one of 5
    rounds = [row for row in model.history_ if row["phase"] == "cluster"]
    assert [row["train_batch_count"] for row in rounds] == [10, 10, 5]
    assert all(0 <= row["label_change"] <= 1 for row in rounds)


def test_head_is_the_equations_of_the_paper(fitted):
    X, model = fitted
    squared = ((model.embedding_[:, None] - model.cluster_centers_) ** 2).sum(2)
    q = reference.soft_assignment(squared / 0.6, 0.7)
    assert_allclose(model.predict_proba(X), q, rtol=1e-9)
    assert_array_equal(q.argmax(1), model.labels_)
    assert_allclose(model.threshold_, reference.otsu_threshold(q), atol=1e-6)
    fq = reference.determinacy(q, model.threshold_, "quadratic")
    stability = reference.sample_stability(fq, 0.5)
    assert_allclose(model.stability_, stability, rtol=1e-6)
    assert_allclose(model.score_samples(X), model.stability_, rtol=1e-12)
    assert_allclose(model.score(X), stability.mean(), rtol=1e-6)


def test_training_raises_stability():
    X, _ = digit_vectors()
    start, end = decs(max_iter=0).fit(X), decs(max_iter=200, tol=0).fit(X)
    assert end.score(X) > start.score(X) + 0.05


def test_centres_are_learnt_beside_the_encoder():
    X, _ = digit_vectors()
    start, end = decs(max_iter=0).fit(X), decs(max_iter=40).fit(X)
    assert not np.allclose(start.cluster_centers_, end.cluster_centers_)
    assert not np.allclose(start.embedding_, end.embedding_)


@pytest.mark.parametrize(
    "change",
    [
        {"alpha": 0.5},
        {"lambda_var": 0.2},
        {"determinacy": "linear"},
        {"balance": 0.3},
        {"reconstruction_weight": 1.0},
        {"kernel_scale": 0.1},
    ],
)
def test_parameters_of_the_equations_reach_the_training(change):
    X, _ = digit_vectors(200)
    assert not np.allclose(decs().fit(X).embedding_, decs(**change).fit(X).embedding_)


def test_training_stops_once_the_labels_have_settled():
    X, _ = digit_vectors()
    model = decs(max_iter=2000, refresh_interval=20, tol=0.05).fit(X)
    assert 40 <= model.n_iter_ < 2000
    assert decs(max_iter=60, refresh_interval=20, tol=0).fit(X).n_iter_ == 60


class Centres(Callback):
    """Notes the centres before each round of clustering."""

    def initialize(self):
        self.seen = getattr(self, "seen", [])
        return self

    def on_epoch_begin(self, net, **kwargs):
        if net.phase == "cluster":
            self.seen.append(net.criterion_.centres.detach().numpy().copy())


def test_labels_are_watched_by_the_centres_as_they_are():
    """The network is frozen: where labels change the centres have moved."""
    X, centres = digit_vectors(150)[0], Centres()
    module = decs(max_iter=0).fit(X).module_.requires_grad_(False)
    more = {"pretrain_epochs": 0, "lr": 0.1, "schedule": "constant", "balance": 1.0}
    model = decs(autoencoder=module, callbacks=[centres], tol=0, **more).fit(X)
    labels = []
    for of_round in [*centres.seen, model.cluster_centers_]:
        squared = reference.squared_distances_to(model.embedding_, of_round)
        labels.append(squared.argmin(1))
    changes = [np.mean(old != new) for old, new in zip(labels, labels[1:])]
    assert len(changes) == 3 and min(changes) > 0
    assert model.history_[:, "label_change"] == changes


def test_decoder_is_refitted_also_when_pretraining_was_done_elsewhere():
    X, _ = digit_vectors(200)
    module = decs(max_iter=0, pretrain_epochs=30).fit(X).module_
    model = decs(
        autoencoder=module,
        pretrain_epochs=0,
        max_iter=60,
        tol=0,
    ).fit(X)
    # 60 steps of 2 an epoch: a tenth of 30 epochs
    assert model.history_[:, "phase"].count("decoder") == 3


@pytest.mark.parametrize(("weight", "last"), [(0, "decoder"), (0.1, "cluster")])
@pytest.mark.parametrize("image_shape", [None, (8, 8)])
def test_decoder_is_refitted_where_the_encoder_has_moved_without_it(
    weight, last, image_shape
):
    model = decs(
        autoencoder=small_conv if image_shape else "mlp",
        image_shape=image_shape,
        reconstruction_weight=weight,
    ).fit(digit_vectors(200)[0])
    assert model.history_[-1, "phase"] == last


@pytest.mark.parametrize(
    ("augment", "balance"), [("auto", 0), (False, 0), (lambda x, g: 0.9 * x, 0.5)]
)
def test_the_loss_depends_on_whether_samples_are_augmented(augment, balance):
    X, nets = digit_vectors(200)[0], Nets()
    decs(augment=augment, callbacks=[nets]).fit(X)
    loss = nets.seen["cluster"].criterion_
    assert (loss.balance, loss.reconstruction) == (balance, 0)
    more = {"balance": 0.1, "reconstruction_weight": 0.2}
    decs(augment=augment, callbacks=[nets], **more).fit(X)
    loss = nets.seen["cluster"].criterion_
    assert (loss.balance, loss.reconstruction) == (0.1, 0.2)


def test_max_iter_depends_on_whether_samples_are_augmented(monkeypatch):
    monkeypatch.setattr("deepdensity.recipe.DECS_STEPS", (9, 9))
    monkeypatch.setattr("deepdensity.recipe.VECTOR_STEPS", 6)
    X, _ = digit_vectors(200)
    model = decs(max_iter="auto", tol=0)
    assert model.fit(X).n_iter_ == 6
    model.set_params(autoencoder=small_conv, image_shape=(8, 8))
    assert model.fit(X).n_iter_ == 9


def test_balance_keeps_the_clusters_more_even():
    X, _ = digit_vectors()
    entropies = []
    for balance in (0.0, 3.0):
        model = decs(max_iter=150, tol=0, balance=balance, guard=False).fit(X)
        share = model.predict_proba(X).mean(0)
        entropies.append(-(share * np.log(share)).sum())
    assert entropies[0] < entropies[1]


def test_batches_of_the_clustering_phase_hold_256_by_default(monkeypatch):
    monkeypatch.setattr("deepdensity.first_clusters.TRIAL_STEPS", 2)
    images = digit_images(300)[0]
    sizes = BatchSizes()
    more = {"autoencoder": small_conv, "batch_size": "auto", "callbacks": [sizes]}
    decs(max_iter=2, init="auto", **more).fit(images)
    assert sizes.seen["pretrain"] == {30}  # ten even batches of at most 32
    assert sizes.seen["cluster"] == {150}  # two of at most 256
    assert sizes.seen["decoder"] == {150}


def test_rounds_that_are_rolled_back_do_not_count_as_settled():
    model = decs(pretrain_epochs=0, max_iter=60, tol=1.0, lr=1e30, guard=True)
    with pytest.warns(ConvergenceWarning, match="at last it ended there"):
        model.fit(digit_vectors(200)[0])
    assert model.n_iter_ == 12  # three rounds, and not two
    assert model.history_[:3, "rollback"] == ["diverged"] * 3
