"""DECSClustering: the algorithm and its fitted attributes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from . import reference
from .common import N_CLUSTERS, decs, digit_vectors


@pytest.fixture(scope="module")
def fitted():
    X, _ = digit_vectors()
    return X, decs(max_iter=25, refresh_interval=10, alpha=0.7, lambda_var=0.5).fit(X)


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
    q = reference.soft_assignment(squared, 0.7)
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
    "change", [{"alpha": 0.5}, {"lambda_var": 0.2}, {"determinacy": "linear"}]
)
def test_parameters_of_the_equations_reach_the_training(change):
    X, _ = digit_vectors(200)
    assert not np.allclose(decs().fit(X).embedding_, decs(**change).fit(X).embedding_)


def test_training_stops_once_the_labels_have_settled():
    X, _ = digit_vectors()
    model = decs(max_iter=2000, refresh_interval=20, tol=0.05).fit(X)
    assert 40 <= model.n_iter_ < 2000
    assert decs(max_iter=60, refresh_interval=20, tol=0).fit(X).n_iter_ == 60


def test_decoder_is_refitted_also_when_pretraining_was_done_elsewhere():
    X, _ = digit_vectors(200)
    module = decs(max_iter=0, pretrain_epochs=30).fit(X).module_
    model = decs(autoencoder=module, pretrain_epochs=0, max_iter=60, tol=0).fit(X)
    # 60 steps of 2 an epoch: a tenth of 30 epochs
    assert model.history_[:, "phase"].count("decoder") == 3


def test_decoder_is_refitted_after_the_encoder_has_moved(fitted):
    _, model = fitted
    assert model.history_[-1, "phase"] == "decoder"
