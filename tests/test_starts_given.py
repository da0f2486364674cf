"""Clusters of the user's own as a start: what is made of them, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import GridSearchCV

import deepdensity
from deepdensity import first_clusters
from deepdensity.model_selection import InSampleSplit
from deepdensity.starts import given_labels

from .common import BOTH, decs, digit_images, digit_vectors, idcl, small_conv

X, Y = digit_vectors(300)
WIDE = {idcl: {"core_fraction": None}, decs: {}}  # few samples make no core


@pytest.fixture(params=BOTH, ids=["idcl", "decs"])
def short(request):
    return request.param


def named(y):
    """As scanpy has clusters: categories of text; in their order 0 to 9."""
    return pd.Series(pd.Categorical(y.astype(str)))


KINDS = [np.asarray, list, pd.Series, np.uint8, np.float64, named, lambda y: 3 * y + 1]


@pytest.mark.parametrize("kind", KINDS)
def test_a_fit_starts_from_them(short, kind):
    model = untrained(short, kind(Y)).fit(X)
    assert_starts_from(Y, model)
    # not they, but what k-means made of the embedding, to compare with
    plain = untrained(short, "k-means").fit(X)
    assert_array_equal(model.pretrain_labels_, plain.pretrain_labels_)


def untrained(short, init, **more):
    """Without a clustering phase."""
    length = {idcl: {"max_epochs": 0}, decs: {"max_iter": 0}}
    return short(init=init, **length[short], **WIDE[short], **more)


def assert_starts_from(y, model):
    means = [model.embedding_[y == k].mean(0) for k in range(10)]
    attribute = "core_means_" if hasattr(model, "core_means_") else "cluster_centers_"
    assert_allclose(getattr(model, attribute), means, rtol=1e-4, atol=1e-5)
    assert model.start_scores_ == {}


def test_training_goes_on_from_them(short):
    """Threes and fives as one, and two clusters of zeros: the fit ends nearer to it."""
    other = np.where(Y == 5, 3, Y)
    other[np.flatnonzero(Y == 0)[::2]] = 5
    for start, elsewhere in [(Y, other), (other, Y)]:
        model = short(init=start, pretrain_epochs=80, **WIDE[short]).fit(X)
        near, far = (adjusted_rand_score(y, model.labels_) for y in (start, elsewhere))
        assert near > far + 0.02


def test_images_start_from_them_without_trials(short):
    images, y = digit_images(300)
    assert_starts_from(y, untrained(short, y, autoencoder=small_conv).fit(images))


def test_of_many_samples_all_keep_their_labels(short, monkeypatch):
    monkeypatch.setattr(first_clusters, "STARTING", 100)
    monkeypatch.setattr(first_clusters, "STARTING_PER_CLUSTER", 1)
    assert_starts_from(Y, untrained(short, Y).fit(X))


def test_they_are_cloned_searched_remembered_and_stored(short, tmp_path):
    memory = str(tmp_path / "memory")
    model = short(init=Y, memory=memory, autoencoder="auto")
    assert_array_equal(clone(model).init, Y)
    search = GridSearchCV(model, {"lr": [1e-3, 2e-3]}, cv=InSampleSplit()).fit(X)
    best = search.best_estimator_
    again = clone(best).fit(X)  # from memory
    assert_array_equal(again.labels_, best.labels_)
    other = clone(best).set_params(init=(Y + 1) % 10).fit(X)
    assert not np.array_equal(other.labels_, best.labels_)
    best.save(tmp_path / "model.safetensors")
    loaded = deepdensity.load(tmp_path / "model.safetensors")
    assert_array_equal(loaded.init, Y)
    assert_array_equal(loaded.predict(X), best.labels_)


def test_a_warm_start_and_a_stream_keep_the_clusters_that_they_have(short):
    model = short(init=Y, warm_start=True).fit(X)
    model.fit(X[:200])  # of another size than the labels
    model.partial_fit(X[:50])
    assert model.labels_.shape == (50,)


@pytest.mark.parametrize(
    ("init", "n_clusters", "message"),
    [
        (Y[:9], 10, r"each of the 300 samples.*int64 of the shape \(9,\)"),
        (["a"] * 300, 10, r"as n_clusters=10; it holds 1: 'a'\."),
        (Y, 11, r"as n_clusters=11; it holds 10: 0, 1, 2, 3, 4, \.\.\.\."),
        (np.where(Y == 3, -1, Y), 10, "the label -1, as that of HDBSCAN's noise"),
        (np.where(Y == 3, np.nan, Y), 10, r"missing labels \(NaN\)"),
        (np.where(Y == 3, "3", Y.astype(object)), 10, "no order"),
        (pd.Series(Y, dtype="Int64").mask(Y == 3), 10, "none missing|missing labels"),
        (Y, "auto", "n_clusters must be their number"),
    ],
)
def test_what_is_no_start(short, init, n_clusters, message):
    model = short(init=init).set_params(n_clusters=n_clusters)
    with pytest.raises(ValueError, match=message):
        model.fit(X)
    with pytest.raises(ValueError, match=message):
        given_labels(init, 300, n_clusters)
