"""A fit under options of scikit-learn that it does not know what to do with."""

import pytest
import torch
from numpy.testing import assert_array_equal
from sklearn import config_context, get_config
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from deepdensity import first_clusters
from deepdensity.utils.plain_sklearn import plain_sklearn

from .common import BOTH, decs, digit_images, digit_vectors, small_conv

X, _ = digit_vectors(150)
OPTIONS = {"array_api_dispatch": True, "sparse_interface": "sparray"}


@pytest.fixture
def options(monkeypatch):
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")  # scikit-learn asks for it
    with config_context(**OPTIONS):
        yield


def test_options_are_as_before_and_others_as_they_are(options):
    with config_context(assume_finite=True):
        before = get_config()
        with plain_sklearn():
            inside = get_config()
        assert get_config() == before
    assert before.items() - inside.items() == OPTIONS.items()


@pytest.mark.parametrize("init", ["spectral", "merged-mixture", "k-means"])
def test_starts_are_those_without_options(monkeypatch, init):
    model = decs(init=init)
    expected = clone(model).fit(X)
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")
    with config_context(**OPTIONS):
        model.fit(X)
    assert_array_equal(model.embedding_, expected.embedding_)
    assert_array_equal(model.labels_, expected.labels_)


def test_images_and_their_trials(options, monkeypatch):
    monkeypatch.setattr(first_clusters, "TRIAL_STEPS", 4)
    model = decs(init="auto", autoencoder=small_conv).set_params(n_clusters=4)
    model.fit(digit_images(100)[0])
    assert any(name.startswith("repair") for name in model.start_scores_)


@pytest.mark.parametrize("short", BOTH)
def test_tensors_are_taken_as_arrays(options, short):
    tensor = torch.from_numpy(X)
    model, expected = short().fit(tensor), short().fit(X)
    assert_array_equal(model.labels_, expected.labels_)
    assert_array_equal(model.predict(tensor), expected.predict(X))
    assert_array_equal(model.transform(tensor), expected.transform(X))
    assert_array_equal(model.predict_proba(tensor), expected.predict_proba(X))
    Z = torch.from_numpy(expected.embedding_)
    assert_array_equal(model.inverse_transform(Z), expected.inverse_transform(Z))
    again = model.partial_fit(tensor).labels_
    assert_array_equal(again, expected.partial_fit(X).labels_)


def test_tensors_that_a_scaler_has_made_of_tensors(options):
    pipeline = make_pipeline(StandardScaler(), decs())
    assert pipeline.fit_predict(torch.from_numpy(X)).shape == (150,)
