"""Pipelines and searches of scikit-learn around the estimators, on real data."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from .common import BOTH, decs, digit_vectors, idcl

TOPICS = {
    "sky": "star planet moon orbit comet telescope galaxy night",
    "kitchen": "bread butter oven flour salt soup pan knife",
    "harbour": "ship anchor sail tide rope captain deck wave",
}


def sentences(n=120):
    """Text of three topics, and the topics."""
    rng = np.random.default_rng(0)
    topics = np.arange(n) % 3
    words = [list(words.split()) for words in TOPICS.values()]
    return [" ".join(rng.choice(words[t], 6)) for t in topics], topics


@pytest.mark.parametrize("short", BOTH)
@pytest.mark.parametrize(
    "before", [MinMaxScaler(), StandardScaler(), PCA(20, svd_solver="full")]
)
def test_pipelines_on_digits(short, before):
    X, y = digit_vectors(600)
    X = X * 16
    pipeline = (
        make_pipeline(before, short(pretrain_epochs=40, max_epochs=10))
        if (short is idcl)
        else make_pipeline(before, short(pretrain_epochs=40, max_iter=60))
    )
    labels = pipeline.fit_predict(X)
    assert_array_equal(pipeline.predict(X), labels)
    assert pipeline.transform(X).shape == (600, 10)
    assert adjusted_rand_score(y, labels) > 0.3


@pytest.mark.parametrize("short", BOTH)
@pytest.mark.parametrize("reduce", [True, False])
def test_text_from_sparse_tf_idf_and_from_truncated_svd(short, reduce):
    texts, topics = sentences()
    steps = [TfidfVectorizer()]
    if reduce:
        steps.append(TruncatedSVD(10, random_state=0))
    model = short(pretrain_epochs=40).set_params(n_clusters=3)
    labels = make_pipeline(*steps, model).fit_predict(texts)
    assert adjusted_rand_score(topics, labels) > 0.9


GRIDS = {
    idcl: {"pacing": ["exponential", "none"], "lambda_0": [0.4, 0.8]},
    decs: {"alpha": [0.5, 1.0], "lambda_var": [0.2, 0.8]},
}


@pytest.mark.parametrize("short", BOTH)
@pytest.mark.parametrize("scoring", [None, "adjusted_rand_score"])
def test_grid_search_with_and_without_labels(short, scoring):
    X, y = digit_vectors(200)
    search = GridSearchCV(short(), GRIDS[short], cv=2, n_jobs=2, scoring=scoring)
    search.fit(X, None if scoring is None else y)
    scores = search.cv_results_["mean_test_score"]
    assert scores.shape == (4,)
    assert np.isfinite(scores).all()
    assert len(np.unique(scores)) > 1
    assert set(search.best_params_) == set(GRIDS[short])
    assert search.predict(X).shape == (200,)
    assert np.isfinite(search.score(X, y))


def test_search_through_a_pipeline():
    X, _ = digit_vectors(200)
    pipeline = make_pipeline(MinMaxScaler(), idcl())
    grid = {"idclclustering__gamma": [0.1, 1.0]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(X)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
