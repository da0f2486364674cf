"""Splits for clusterings, alone and in the searches of scikit-learn."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.cluster import KMeans

# not used by its name: without this import scikit-learn has no halving searches
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from deepdensity.metrics import accuracy_scorer, embedding_silhouette
from deepdensity.model_selection import ClusteringKFold, InSampleSplit

from .common import BOTH, digit_vectors, idcl
from .test_pipelines import GRIDS


def test_a_single_split_is_all_samples_as_they_come():
    for X in (np.zeros((5, 2)), np.zeros((5, 2, 2)), [[0]] * 5, sparse.eye_array(5)):
        [(train, test)] = InSampleSplit().split(X)
        assert_array_equal(train, range(5))
        assert_array_equal(test, range(5))
        assert train is not test


def test_repetitions_are_all_samples_in_other_orders():
    splits = list(InSampleSplit(4, random_state=0).split(np.zeros(30)))
    assert len(splits) == 4
    for train, test in splits:
        assert_array_equal(train, test)
        assert_array_equal(np.sort(train), range(30))
    assert len({tuple(train) for train, _ in splits} | {tuple(range(30))}) == 5


def test_folds_are_shuffled_and_cover_all_samples_once():
    X = np.zeros((23, 1))
    splits = list(ClusteringKFold(4, random_state=0).split(X))
    assert sorted(len(test) for _, test in splits) == [5, 6, 6, 6]
    assert_array_equal(np.sort(np.concatenate([test for _, test in splits])), range(23))
    for train, test in splits:
        assert_array_equal(np.sort(np.concatenate([train, test])), range(23))
        assert np.diff(test).max() > 1


def test_folds_of_sorted_classes_hold_all_of_them():
    y = np.repeat(np.arange(10), 30)
    for _, test in ClusteringKFold(3, random_state=0).split(y[:, None], y):
        assert set(y[test]) == set(range(10))


@pytest.mark.parametrize("kind", [InSampleSplit, ClusteringKFold])
def test_random_state(kind):
    X = np.zeros(40)

    def orders(random_state):
        return np.concatenate(
            [test for _, test in kind(2, random_state=random_state).split(X)]
        )

    before = np.random.get_state()[1].copy()
    assert_array_equal(orders(0), orders(0))
    assert_array_equal(orders(np.random.RandomState(3)), orders(3))
    assert (orders(0) != orders(1)).any()
    assert (orders(None) != orders(None)).any()
    assert np.array_equal(np.random.get_state()[1], before)


def test_number_of_splits_and_names():
    assert InSampleSplit().get_n_splits() == 1
    assert InSampleSplit(3).get_n_splits(np.zeros(9)) == 3
    assert ClusteringKFold().get_n_splits() == 5
    assert "InSampleSplit(n_splits=2, random_state=0)" in repr(
        InSampleSplit(2, random_state=0)
    )
    assert "ClusteringKFold(n_splits=2, random_state=0" in repr(
        ClusteringKFold(2, random_state=0)
    )


@pytest.mark.parametrize("n_splits", [0, -1, 1.5, "2", None])
def test_wrong_numbers_of_splits(n_splits):
    with pytest.raises(ValueError, match=r"n_splits=.* at least 1\.$"):
        InSampleSplit(n_splits)
    with pytest.raises(ValueError, match=r"n_splits=.* at least 2\.$"):
        ClusteringKFold(n_splits)


def test_a_single_fold_points_to_the_other_class():
    with pytest.raises(ValueError, match=r"at least 2\..*InSampleSplit\(\)"):
        ClusteringKFold(1)


def test_more_folds_than_samples():
    with pytest.raises(ValueError, match="n_splits=5 greater than .* n_samples=3"):
        list(ClusteringKFold().split(np.zeros((3, 1))))


@pytest.mark.parametrize("short", BOTH)
def test_a_search_in_sample_scores_what_it_refits(short):
    X, _ = digit_vectors(150)
    cv = InSampleSplit()
    search = GridSearchCV(short(), GRIDS[short], cv=cv, n_jobs=2).fit(X)
    assert search.n_splits_ == 1
    results = search.cv_results_
    assert "split0_test_score" in results and "split1_test_score" not in results
    assert search.best_score_ == results["mean_test_score"].max()
    assert search.best_estimator_.score(X) == pytest.approx(search.best_score_)
    alone = clone(short()).set_params(**search.best_params_).fit(X)
    assert_array_equal(search.predict(X), alone.labels_)


@pytest.mark.parametrize("short", BOTH)
@pytest.mark.parametrize("cv", [InSampleSplit(2, random_state=0), ClusteringKFold(2)])
def test_searches_with_classes_through_a_pipeline(short, cv):
    X, y = digit_vectors(120)
    pipeline = make_pipeline(MinMaxScaler(), short())
    search = GridSearchCV(
        pipeline,
        {f"{pipeline.steps[-1][0]}__lr": [1e-5, 2e-3]},
        scoring={"accuracy": accuracy_scorer, "silhouette": embedding_silhouette},
        refit="accuracy",
        cv=cv,
    ).fit(X, y)
    assert search.n_splits_ == 2
    accuracy, silhouette = (
        np.array([search.cv_results_[f"split{i}_test_{score}"] for i in (0, 1)])
        for score in ("accuracy", "silhouette")
    )  # each: folds x candidates
    # shares of 60 samples may be the same in two folds by chance, distances are not
    assert ((accuracy > 0.1) & (accuracy <= 1)).all()
    assert np.isfinite(silhouette).all()
    assert (silhouette[0] != silhouette[1]).any()
    assert search.predict(X).shape == (120,)


def test_repetitions_are_other_courses_of_training():
    X, _ = digit_vectors(120)
    scores = cross_val_score(idcl(), X, cv=InSampleSplit(3, random_state=0))
    assert len(set(scores)) == 3


def test_refit_can_be_left_out():
    X, _ = digit_vectors(100)
    search = GridSearchCV(idcl(), {"lambda_0": [0.5]}, cv=InSampleSplit(), refit=False)
    assert not hasattr(search.fit(X), "best_estimator_")
    found = cross_validate(idcl(), X, cv=InSampleSplit(), return_estimator=True)
    assert_array_equal(found["estimator"][0].labels_, idcl().fit(X).labels_)


def test_predictions_in_sample_are_the_labels():
    X, _ = digit_vectors(100)
    labels = cross_val_predict(idcl(), X, cv=InSampleSplit())
    assert_array_equal(labels, idcl().fit(X).labels_)


HALVED = [
    InSampleSplit(),
    InSampleSplit(1, random_state=np.random.RandomState(0)),
    InSampleSplit(2, random_state=0),
    ClusteringKFold(2, random_state=0),
]


@pytest.mark.parametrize("cv", HALVED)
def test_successive_halving_takes_splits_without_chance(cv):
    X, _ = digit_vectors(120)
    grid = {"n_clusters": [2, 3, 4, 5]}
    search = HalvingGridSearchCV(
        KMeans(n_init=1, random_state=0), grid, cv=cv, min_resources=30, factor=2
    ).fit(X)
    assert search.n_splits_ == cv.get_n_splits()
    assert search.n_resources_ == [30, 60, 120]
    assert search.best_estimator_.predict(X).shape == (120,)


@pytest.mark.parametrize("cv", [InSampleSplit(2), ClusteringKFold(2)])
def test_successive_halving_refuses_other_splits_each_time(cv):
    search = HalvingGridSearchCV(KMeans(), {"n_clusters": [2, 3]}, cv=cv)
    with pytest.raises(ValueError, match="must yield consistent folds"):
        search.fit(np.zeros((40, 2)))


def test_successive_halving_by_epochs():
    X, _ = digit_vectors(100)
    search = HalvingGridSearchCV(
        idcl(),
        {"lambda_0": [0.3, 0.6]},
        cv=InSampleSplit(),
        resource="max_epochs",
        min_resources=1,
        max_resources=2,
        factor=2,
    ).fit(X)
    assert search.n_resources_ == [1, 2]
    assert search.best_estimator_.max_epochs == 2


def test_train_and_test_are_arrays_of_their_own():
    for train, test in InSampleSplit(2, random_state=0).split(np.zeros((5, 2))):
        assert not np.shares_memory(train, test)
