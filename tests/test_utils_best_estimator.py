"""A fitted search stands for the estimator that it has refitted."""

import pytest
from sklearn.cluster import KMeans
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from deepdensity.utils.best_estimator import best_of

X = [[0.0], [0.1], [5.0], [5.1], [0.2], [5.2]]


def search(**parameters):
    return GridSearchCV(
        KMeans(random_state=0), {"n_clusters": [1, 2]}, cv=2, **parameters
    )


def test_of_a_fitted_search_the_refitted_one():
    fitted = search().fit(X)
    assert best_of(fitted) is fitted.best_estimator_
    assert best_of(fitted).n_clusters == 2


@pytest.mark.parametrize("other", [KMeans(2), make_pipeline(KMeans(2)), search()])
def test_of_all_else_itself(other):
    assert best_of(other) is other


def test_a_search_that_has_refitted_none():
    with pytest.raises(ValueError, match="GridSearchCV has refit=False.*refit=True"):
        best_of(search(refit=False).fit(X))
