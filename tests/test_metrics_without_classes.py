"""Scores that need no classes: against naive versions, and on the digits."""

import functools
import math
import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler

from deepdensity.metrics import (
    density_validity,
    density_validity_score,
    embedding_silhouette,
    mean_stability,
    resampling_agreement,
)
from deepdensity.model_selection import InSampleSplit

from . import reference
from .common import BOTH, decs, digit_images, digit_vectors, idcl, small_conv


class Given(ClusterMixin, BaseEstimator):
    """An estimator whose X is the embedding, with the labels as its last column."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X[:, :-1]

    def predict(self, X):
        return X[:, -1].astype(int)


def given(Z, labels):
    return np.column_stack([Z, labels])


@functools.cache
def projected_digits():
    """The first ten principal components of the digits, and their classes."""
    X, y = digit_vectors(1797)
    return PCA(10, random_state=0).fit_transform(X), y


@functools.cache
def fitted(short):
    X, _ = digit_vectors(200)
    return short().fit(X)


def random_clusters(n, k, d, seed):
    random = np.random.RandomState(seed)
    labels = np.arange(n) % k
    return random.randn(n, d) + 2 * random.randn(k, d)[labels], labels


# -- silhouette ------------------------------------------------------------------------


def naive_silhouette(Z, labels):
    values = []
    for i in range(len(Z)):
        distances = [math.dist(Z[i], z) for z in Z]
        own = [distances[h] for h in range(len(Z)) if labels[h] == labels[i] and h != i]
        if not own:
            values.append(0.0)
            continue
        a = sum(own) / len(own)
        b = min(
            np.mean([distances[h] for h in range(len(Z)) if labels[h] == other])
            for other in set(labels) - {labels[i]}
        )
        values.append((b - a) / max(a, b))
    return sum(values) / len(values)


@pytest.mark.parametrize("k", [2, 3, 7])
def test_silhouette_equals_the_naive_one(k):
    Z, labels = random_clusters(30, k, 4, seed=k)
    labels[0] = k  # a cluster of one
    found = embedding_silhouette(Given(), given(Z, labels))
    assert_allclose(found, naive_silhouette(Z, labels), rtol=1e-12)


def test_silhouette_of_a_sample_of_the_rows():
    Z, labels = random_clusters(2000, 4, 3, seed=0)
    X, estimator = given(Z, labels), Given()
    full = embedding_silhouette(estimator, X)
    sampled = functools.partial(embedding_silhouette, estimator, X, max_samples=500)
    assert sampled() == sampled() == sampled(random_state=0)
    assert sampled(random_state=1) != sampled()
    assert full != sampled() == pytest.approx(full, abs=0.05)
    assert sampled(random_state=None) == pytest.approx(full, abs=0.05)
    assert embedding_silhouette(estimator, X, max_samples=None) == full


# -- density-based validity ------------------------------------------------------------


def naive_validity(Z, labels):
    """Moulavi et al. 2014 by loops; Kruskal's algorithm, shorter distances first."""
    d = Z.shape[1]
    names = [c for c in set(labels) if c != -1 and list(labels).count(c) > 1]
    trees, total = {}, 0.0
    for name in names:
        rows = [i for i in range(len(Z)) if labels[i] == name]
        core = {}
        for i in rows:
            others = [math.dist(Z[i], Z[h]) for h in rows if h != i]
            mean = sum(r**-d for r in others) / len(others)
            core[i] = mean ** (-1 / d)
        edges = []
        for i in rows:
            for h in rows:
                if i < h:
                    r = math.dist(Z[i], Z[h])
                    edges.append((max(core[i], core[h], r), r, i, h))
        group, tree = {i: i for i in rows}, []
        for reach, _, i, h in sorted(edges):
            if group[i] != group[h]:
                old = group[h]
                group = {j: group[i] if g == old else g for j, g in group.items()}
                tree.append((reach, i, h))
        degree = {i: sum(i in edge[1:] for edge in tree) for i in rows}
        inner = [i for i in rows if degree[i] > 1]
        inside = [w for w, i, h in tree if degree[i] > 1 and degree[h] > 1]
        if not inside:
            inner, inside = rows, [w for w, _, _ in tree]
        trees[name] = max(inside), inner, core
    for name, (sparseness, inner, core) in trees.items():
        separation = min(
            max(core[i], trees[other][2][h], math.dist(Z[i], Z[h]))
            for other in names
            if other != name
            for i in inner
            for h in trees[other][1]
        )
        share = list(labels).count(name) / len(labels)
        total += share * (separation - sparseness) / max(separation, sparseness)
    return total


@pytest.mark.parametrize("d", [1, 2, 10])
@pytest.mark.parametrize("k", [2, 4])
def test_validity_equals_the_naive_one(k, d):
    for seed in range(5):
        Z, labels = random_clusters(40, k, d, seed)
        found = density_validity_score(Z, labels)
        assert_allclose(found, naive_validity(Z, labels), rtol=1e-9)
        assert density_validity(Given(), given(Z, labels)) == found
        assert_allclose(density_validity_score(1e3 * Z + 7, labels), found, rtol=1e-6)


def test_validity_with_noise_and_small_clusters():
    Z, labels = random_clusters(30, 3, 2, seed=1)
    labels[:6] = -1
    labels[6] = 8  # one sample: noise, too
    labels[7:9] = 5
    labels[9:12] = 6
    found = density_validity_score(Z, labels)
    assert_allclose(found, naive_validity(Z, labels), rtol=1e-9)
    labels[6] = -1
    assert density_validity_score(Z, labels) == found
    names = np.array([f"c{label}" for label in labels])
    assert density_validity_score(Z[labels >= 0], names[labels >= 0]) > found


@pytest.mark.parametrize("scale", [2.0**500, 2.0**-500, 1e160, 1e300])
def test_validity_is_free_of_the_scale(scale):
    Z, labels = random_clusters(40, 3, 4, seed=0)
    found = density_validity_score(scale * Z, labels)
    assert_allclose(found, density_validity_score(Z, labels), rtol=1e-9)


def test_validity_of_duplicates_and_of_long_vectors():
    twice = np.repeat([[0.0, 0.0], [3.0, 4.0]], 10, axis=0)
    assert density_validity_score(twice, np.arange(20) // 10) == 1.0
    assert density_validity_score(twice, np.arange(20) % 2) == -1.0
    assert density_validity_score(0 * twice, np.arange(20) % 2) == 0.0
    Z, labels = random_clusters(40, 2, 2000, seed=0)  # powers of 2000 overflow
    assert 0 < density_validity_score(Z, labels) <= 1


def test_a_large_cluster_is_scored_tile_by_tile(monkeypatch):
    Z, labels = random_clusters(90, 2, 3, seed=0)
    expected = density_validity_score(Z, labels)
    monkeypatch.setattr("deepdensity.metrics.validity.TILE", 7)
    assert density_validity_score(Z, labels) == expected


@pytest.mark.parametrize(
    ("Z", "labels", "message"),
    [
        ([[0.0], [np.nan]], [0, 1], "Z contains NaN"),
        ([[0.0], [1.0]], [0, np.nan], "labels contains NaN"),
        ([[0.0], [1.0]], [0], "inconsistent numbers of samples"),
    ],
)
def test_validity_of_invalid_input(Z, labels, message):
    with pytest.raises(ValueError, match=message):
        density_validity_score(Z, labels)


# -- stability -------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["quadratic", "linear"])
@pytest.mark.parametrize("lambda_var", [0, 0.8, 2.0])
def test_stability_equals_the_naive_one(form, lambda_var):
    X, _ = digit_vectors(60)
    mixture = GaussianMixture(3, reg_covar=0.3, random_state=0).fit(X)
    Q = mixture.predict_proba(X)
    fq = reference.determinacy(Q, reference.otsu_threshold(Q), form)
    expected = reference.sample_stability(fq, lambda_var).mean()
    found = mean_stability(mixture, X, lambda_var=lambda_var, determinacy=form)
    assert_allclose(found, expected, rtol=1e-4)  # bins of values in float32


def test_stability_is_that_of_decs_on_its_training_data():
    X, _ = digit_vectors(200)
    assert_allclose(mean_stability(fitted(decs), X), fitted(decs).score(X), rtol=1e-6)


@pytest.mark.parametrize("short", BOTH)
def test_stability_of_sparse_rows_and_at_the_end_of_a_pipeline(short):
    X, _ = digit_vectors(200)
    expected = mean_stability(fitted(short), X)
    assert_allclose(mean_stability(fitted(short), sparse.csc_array(X)), expected)
    to_sparse = FunctionTransformer(sparse.csr_array).fit(X)
    pipeline = make_pipeline(to_sparse, fitted(short))
    assert_allclose(mean_stability(pipeline, X), expected)
    assert mean_stability(make_pipeline(fitted(short)), X) == expected


# -- agreement -------------------------------------------------------------------------


def naive_agreement(X, n_resamples, fraction, seed):
    random, labels = np.random.RandomState(seed), []
    for _ in range(n_resamples):
        rows = np.arange(len(X))
        random.shuffle(rows)
        part = X[rows[: round(fraction * len(X))]]
        labels.append(KMeans(3, n_init=1, random_state=0).fit(part).predict(X))
    pairs = [(a, b) for a in range(n_resamples) for b in range(a)]
    return np.mean([adjusted_rand_score(labels[a], labels[b]) for a, b in pairs])


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_agreement_equals_the_naive_one(n_jobs):
    X, _ = digit_vectors(150)
    kmeans = KMeans(3, n_init=1, random_state=0)
    more = {"n_resamples": 4, "fraction": 0.5, "random_state": 3, "n_jobs": n_jobs}
    found = resampling_agreement(kmeans, X, **more)
    assert_allclose(found, naive_agreement(X, 4, 0.5, 3), rtol=1e-12)
    assert not hasattr(kmeans, "labels_")


def test_agreement_is_high_where_the_number_of_clusters_is_right():
    Z, _ = random_clusters(300, 3, 2, seed=0)
    Z += 10 * np.eye(3)[np.arange(300) % 3, :2]
    scores = {
        k: resampling_agreement(KMeans(k, n_init=5, random_state=0), Z) for k in (3, 7)
    }
    assert scores[3] > 0.99
    assert scores[7] < 0.9


def test_agreement_on_a_single_cluster_is_none():
    X, _ = digit_vectors(50)
    assert resampling_agreement(KMeans(1), X) == 0.0


@pytest.mark.parametrize("short", BOTH)
def test_agreement_of_the_estimators_on_images(short):
    images, _ = digit_images(100)
    model = short(autoencoder=small_conv, augment=False, pretrain_epochs=15)
    found = resampling_agreement(model, images, n_resamples=2)
    assert 0 < found < 1
    assert found == resampling_agreement(model, images, n_resamples=2)


def test_no_sample_in_a_subset():
    with pytest.raises(ValueError, match="fraction=0.01 of n_samples=5 is no sample"):
        resampling_agreement(KMeans(2), np.zeros((5, 1)), fraction=0.01)


# -- all -------------------------------------------------------------------------------


@pytest.mark.parametrize("score", [embedding_silhouette, density_validity])
def test_right_classes_of_digits_score_more_than_wrong_ones(score):
    """Merged, mixed by a tenth, shuffled."""
    Z, y = projected_digits()
    random = np.random.RandomState(0)
    mixed = np.where(random.rand(len(y)) < 0.1, random.randint(10, size=len(y)), y)
    wrong = [y // 2, mixed, random.permutation(y)]
    right = score(Given(), given(Z, y))
    assert all(right > score(Given(), given(Z, labels)) for labels in wrong)


def test_sure_probabilities_are_more_stable_than_blurred_ones():
    X, _ = digit_vectors(300)
    mixtures = [
        GaussianMixture(10, reg_covar=r, random_state=0).fit(X) for r in (1e-2, 1.0)
    ]
    sure, blurred = (mean_stability(mixture, X) for mixture in mixtures)
    assert sure > 0.9 > 0.5 > blurred


def test_trained_clusters_score_more_than_untrained_ones():
    X, _ = digit_vectors(150)
    untrained = idcl(pretrain_epochs=0, max_epochs=0).fit(X)
    trained = idcl(pretrain_epochs=40).fit(X)
    for score in (embedding_silhouette, density_validity):
        assert score(trained, X) > score(untrained, X)


twice_resampled = functools.partial(resampling_agreement, n_resamples=2)
SCORES = [embedding_silhouette, density_validity, mean_stability, twice_resampled]


@pytest.mark.parametrize("score", SCORES)
def test_scores_are_floats_whatever_x_is(score):
    X, y = digit_vectors(200)
    model = idcl() if score is twice_resampled else fitted(idcl)
    expected = score(model, X)
    assert isinstance(expected, float)
    assert score(model, X, y) == expected
    assert pickle.loads(pickle.dumps(score))(model, X) == expected
    assert_allclose(score(model, sparse.csr_array(X)), expected, atol=1e-6)
    assert_allclose(score(model, X.reshape(-1, 64, 1)[..., 0].tolist()), expected)
    whole = make_pipeline(FunctionTransformer(np.asarray).fit(X), model)
    assert score(whole, pd.DataFrame(X)) == expected


@pytest.mark.parametrize("score", [embedding_silhouette, density_validity])
def test_one_cluster_or_one_each_is_the_worst(score):
    Z = np.arange(10.0)[:, None]
    assert score(Given(), given(Z, np.zeros(10))) == -1.0
    assert score(Given(), given(Z, np.arange(10))) == -1.0


@pytest.mark.parametrize(
    ("score", "wrong"),
    [
        (embedding_silhouette, {"max_samples": 1}),
        (density_validity, {"max_samples": 0.5}),
        (mean_stability, {"lambda_var": -1}),
        (mean_stability, {"determinacy": "cubic"}),
        (resampling_agreement, {"n_resamples": 1}),
        (resampling_agreement, {"fraction": 0}),
        (resampling_agreement, {"random_state": "zero"}),
    ],
)
def test_wrong_options_are_named(score, wrong):
    (name, value), *_ = wrong.items()
    model = GaussianMixture() if score is mean_stability else KMeans(2)
    with pytest.raises(ValueError, match=f"{name!r} parameter of .* Got {value!r}"):
        score(model.fit(np.eye(3)), np.eye(3), **wrong)


@pytest.mark.parametrize(
    ("score", "methods"),
    [
        (embedding_silhouette, "'transform' and 'predict'"),
        (density_validity, "'transform' and 'predict'"),
        (mean_stability, "'predict_proba'"),
        (resampling_agreement, "'fit' and 'predict'"),
    ],
)
def test_what_an_estimator_lacks_is_named(score, methods):
    with pytest.raises(ValueError, match=f"an object implementing {methods}"):
        score(make_pipeline(MinMaxScaler()), np.eye(3))


def test_the_global_generator_is_left_alone():
    Z, labels = random_clusters(60, 3, 2, seed=0)
    before = np.random.get_state()[1].copy()
    for score in (embedding_silhouette, density_validity):
        score(Given(), given(Z, labels), max_samples=20, random_state=None)
    resampling_agreement(Given(), given(Z, labels), random_state=None)
    assert np.array_equal(np.random.get_state()[1], before)


def test_stability_of_a_search_over_a_pipeline_is_that_of_its_best():
    docs = ["red apple pie", "apple pie", "fast red car", "car engine"] * 15
    pipeline = make_pipeline(TfidfVectorizer(), decs().set_params(n_clusters=2))
    search = GridSearchCV(
        pipeline, {"decsclustering__alpha": [1.0]}, cv=InSampleSplit()
    ).fit(docs)
    assert mean_stability(search, docs) == mean_stability(search.best_estimator_, docs)


@pytest.mark.parametrize("short", BOTH)
def test_labels_to_start_from_do_not_go_with_random_rows(short):
    X, y = digit_vectors(200)
    with pytest.raises(ValueError, match="init holds a label for each row"):
        resampling_agreement(short(init=y), X, fraction=1.0)
    centres = KMeans(10, init=X[:10], n_init=1)  # of which KMeans has one for each
    assert 0 < resampling_agreement(centres, X, n_resamples=2) <= 1
