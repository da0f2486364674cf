"""The scores as `scoring=` of scikit-learn's searches, with and without classes."""

import functools

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.cluster import KMeans
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from deepdensity.metrics import (
    accuracy_scorer,
    clustering_accuracy,
    density_validity,
    embedding_silhouette,
    mean_stability,
    resampling_agreement,
)
from deepdensity.model_selection import InSampleSplit

from .common import BOTH, decs, digit_vectors, idcl

WITHOUT_CLASSES = {
    "silhouette": embedding_silhouette,
    "validity": functools.partial(density_validity, max_samples=150),
    "stability": mean_stability,
    "agreement": functools.partial(resampling_agreement, n_resamples=2),
}


@pytest.mark.parametrize("short", BOTH)
@pytest.mark.parametrize("labelled", [False, True])
def test_searches_by_several_scores_with_two_jobs(short, labelled):
    X, y = digit_vectors(200)
    scoring = {**WITHOUT_CLASSES, **({"accuracy": accuracy_scorer} if labelled else {})}
    search = GridSearchCV(
        short(),
        {"lr": [1e-4, 2e-3]},
        scoring=scoring,
        refit="silhouette",
        cv=InSampleSplit(),
        n_jobs=2,
        error_score="raise",
    ).fit(X, y if labelled else None)
    for name in scoring:
        scores = search.cv_results_[f"mean_test_{name}"]
        assert np.isfinite(scores).all()
        assert scores[0] != scores[1]
    assert search.score(X) == pytest.approx(search.best_score_)


@pytest.mark.parametrize("short", BOTH)
def test_pipelines_that_end_in_an_estimator(short):
    X, y = digit_vectors(150)
    pipeline = make_pipeline(MinMaxScaler(), short())
    for score in [*WITHOUT_CLASSES.values(), accuracy_scorer]:
        scores = cross_val_score(
            pipeline, 16 * X, y, scoring=score, cv=2, error_score="raise"
        )
        assert scores.shape == (2,)
        assert np.isfinite(scores).all()
    pipeline.fit(16 * X)
    inside = pipeline[:-1].transform(16 * X)
    for score in (embedding_silhouette, density_validity, mean_stability):
        assert_allclose(score(pipeline, 16 * X), score(pipeline[-1], inside))


def test_accuracy_scorer_is_the_accuracy_of_the_predicted_clusters():
    X, y = digit_vectors(200)
    model = idcl().fit(X)
    assert accuracy_scorer(model, X, y) == clustering_accuracy(y, model.labels_)
    random = np.random.RandomState(0)
    assert accuracy_scorer(model, X, y) > accuracy_scorer(
        model, X, random.permutation(y)
    )


def test_accuracy_scorer_needs_classes_and_says_so():
    X, _ = digit_vectors(50)
    message = "accuracy_scorer compares clusters with known classes, and y is None"
    with pytest.raises(ValueError, match=message):
        accuracy_scorer(KMeans(2).fit(X), X)
    search = GridSearchCV(
        KMeans(), {"n_clusters": [2]}, scoring=accuracy_scorer, error_score="raise"
    )
    with pytest.raises(ValueError, match=message):
        search.fit(X)


def test_a_fit_that_has_lost_its_clusters_is_not_chosen():
    X, _ = digit_vectors(100)
    search = GridSearchCV(
        KMeans(random_state=0),
        {"n_clusters": [1, 10]},
        scoring={"s": embedding_silhouette, "a": resampling_agreement},
        refit=False,
        cv=InSampleSplit(),
    ).fit(X)
    for name in "sa":
        low, high = search.cv_results_[f"mean_test_{name}"]
        assert low <= 0 < high


def test_scores_of_decs_by_alpha_are_found_again_on_the_fitted_search():
    X, _ = digit_vectors(150)
    search = GridSearchCV(
        decs(), {"alpha": [0.5, 2.0]}, scoring=mean_stability, cv=InSampleSplit()
    ).fit(X)
    assert mean_stability(search.best_estimator_, X) == search.best_score_
    assert embedding_silhouette(search, X) == embedding_silhouette(
        search.best_estimator_, X
    )
