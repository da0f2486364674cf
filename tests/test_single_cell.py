"""Counts of genes in cells, as arrays and as what looks like an AnnData object."""

import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from deepdensity import IDCLClustering
from deepdensity.single_cell import CountsTransformer

from .common import unsorted_csr


class Cells:
    """The part of AnnData's interface that the transformer uses."""

    def __init__(self, X, layers=None, var_names=None):
        self.X = X
        self.layers = layers or {}
        shape = (X if X is not None else next(iter(self.layers.values()))).shape
        names = (
            [f"gene{j}" for j in range(shape[1])] if var_names is None else var_names
        )
        self.var_names = pd.Index(names)
        self.shape = shape


class OnDisk:
    """A matrix that AnnData reads from its file when asked to."""

    def __init__(self, matrix):
        self.matrix = matrix
        self.shape = matrix.shape

    def to_memory(self):
        return self.matrix


def counts(n=90, d=40):
    """Counts of three kinds of cells, each with genes of its own; and the kinds."""
    rng = np.random.default_rng(0)
    kinds = np.arange(n) % 3
    rates = np.full((3, d), 0.3)
    for kind in range(3):
        rates[kind, kind::3] = 2
    depth = rng.uniform(0.3, 3, size=(n, 1))
    return rng.poisson(rates[kinds] * depth), kinds


X, KINDS = counts()


def naive(X, target_sum=None):
    """The equation, in loops."""
    X = np.asarray(X, dtype=float)
    totals = [sum(row) for row in X]
    t = target_sum or np.median([total for total in totals if total > 0])
    Z = np.zeros(X.shape)
    for i, row in enumerate(X):
        for j, count in enumerate(row):
            if totals[i] > 0:
                Z[i, j] = np.log(1 + count * t / totals[i])
    return Z


@parametrize_with_checks([CountsTransformer(), CountsTransformer(n_top_genes=1)])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("target_sum", [None, 1e4])
@pytest.mark.parametrize(
    "make",
    [
        np.asarray,
        sparse.csr_array,
        sparse.csr_matrix,
        sparse.csc_array,
        np.ndarray.tolist,
    ],
)
def test_the_equation(make, target_sum):
    Z = CountsTransformer(target_sum=target_sum).fit_transform(make(X))
    if sparse.issparse(make(X)):
        assert Z.format == "csr"
        Z = Z.toarray()
    assert Z.dtype == np.float32
    assert_allclose(Z, naive(X, target_sum), rtol=1e-6)


@pytest.mark.parametrize(
    "given, got",
    [
        (np.uint16, np.float32),
        (np.int64, np.float32),
        (np.float32, np.float32),
        (np.float64, np.float64),
    ],
)
@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array])
def test_types(make, given, got):
    Z = CountsTransformer().fit_transform(make(X.astype(given)))
    assert Z.dtype == got


@pytest.mark.parametrize("make", [np.array, sparse.csr_array])
def test_the_counts_are_left_as_they_are(make):
    given = make(X.astype(np.float32))
    CountsTransformer(n_top_genes=5).fit_transform(given)
    dense = given.toarray() if sparse.issparse(given) else given
    assert_array_equal(dense, X)


def test_sparse_counts_keep_their_entries_as_they_were():
    given = unsorted_csr()
    found = CountsTransformer().fit_transform(given)
    assert_array_equal(given.indices, [3, 1, 0, 0])
    assert_allclose(
        sparse.csr_array(found).toarray(),
        CountsTransformer().fit_transform(given.toarray()),
    )


def test_new_cells_get_the_total_of_the_fit():
    transformer = CountsTransformer().fit(X[:60])
    total = np.median(X[:60].sum(axis=1))
    assert transformer.target_sum_ == total
    assert_allclose(transformer.transform(X[60:]), naive(X[60:], total), rtol=1e-6)


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array])
def test_cells_without_counts_stay_zero_and_out_of_the_median(make):
    given = np.vstack([np.zeros((30, X.shape[1]), int), X])
    transformer = CountsTransformer().fit(make(given))
    assert transformer.target_sum_ == np.median(X.sum(axis=1))
    Z = transformer.transform(make(given))
    Z = Z.toarray() if sparse.issparse(Z) else Z
    assert_array_equal(Z[:30], 0)
    assert_allclose(Z, naive(given), rtol=1e-6)


def test_entries_of_one_place_are_summed_before_the_logarithm():
    rows, columns = np.array([0, 0, 0]), np.array([1, 1, 0])
    twice = sparse.csr_array(
        (np.array([2.0, 3.0, 5.0]), columns, np.array([0, len(rows)])), shape=(1, 2)
    )
    Z = CountsTransformer().fit_transform(twice).toarray()
    assert_allclose(np.expm1(Z), [[5, 5]])


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array])
def test_the_most_variable_genes(make):
    transformer = CountsTransformer(n_top_genes=7)
    Z = transformer.fit_transform(make(X))
    Z = Z.toarray() if sparse.issparse(Z) else Z
    every = naive(X)
    variances = ((every - every.mean(axis=0)) ** 2).mean(axis=0)
    assert_allclose(transformer.variances_, variances, rtol=1e-5)
    top = sorted(range(X.shape[1]), key=lambda j: -variances[j])[:7]
    assert_array_equal(transformer.top_genes_, sorted(top))
    assert_allclose(Z, every[:, sorted(top)], rtol=1e-6)
    names = transformer.get_feature_names_out()
    assert_array_equal(names, [f"x{j}" for j in sorted(top)])


@pytest.mark.parametrize("n_top_genes", [None, 4])
def test_data_frames_in_and_out(n_top_genes):
    frame = pd.DataFrame(X, columns=[f"gene{j}" for j in range(X.shape[1])])
    frame.index = [f"cell{i}" for i in range(len(X))]
    transformer = CountsTransformer(n_top_genes=n_top_genes)
    transformer.set_output(transform="pandas")
    Z = transformer.fit_transform(frame)
    assert list(Z.columns) == list(transformer.get_feature_names_out())
    assert list(Z.index) == list(frame.index)
    plain = CountsTransformer(n_top_genes=n_top_genes).fit_transform(X)
    assert_allclose(Z.to_numpy(), plain)
    assert set(Z.columns) <= set(frame.columns)


# -- AnnData -------------------------------------------------------------------------


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array, OnDisk])
def test_x_and_layers(make):
    scaled = X - X.mean(axis=0)
    cells = Cells(make(X), {"scaled": scaled, "double": make(2 * X)})
    Z = CountsTransformer().fit_transform(cells)
    dense = Z.toarray() if sparse.issparse(Z) else Z
    assert_allclose(dense, naive(X), rtol=1e-6)
    transformer = CountsTransformer(layer="double").fit(cells)
    assert transformer.target_sum_ == 2 * np.median(X.sum(axis=1))
    double = transformer.transform(cells)
    double = double.toarray() if sparse.issparse(double) else double
    assert_allclose(double, naive(2 * X), rtol=1e-6)


def test_genes_have_their_names():
    transformer = CountsTransformer(n_top_genes=3).fit(Cells(X))
    names = [f"gene{j}" for j in range(X.shape[1])]
    assert_array_equal(transformer.feature_names_in_, names)
    top = [names[j] for j in transformer.top_genes_]
    assert_array_equal(transformer.get_feature_names_out(), top)
    refitted = transformer.fit(X)
    assert not hasattr(refitted, "feature_names_in_")


def test_other_genes_than_in_the_fit():
    cells = Cells(X)
    transformer = CountsTransformer().fit(cells)
    names = list(cells.var_names)
    with pytest.raises(ValueError, match="the same genes in another order"):
        transformer.transform(Cells(X[:, ::-1], var_names=names[::-1]))
    message = r"39 genes, without 1 of those: \['gene39'\].*adata\[:, transformer"
    with pytest.raises(ValueError, match=message):
        transformer.transform(Cells(X[:, :39]))
    more = Cells(np.hstack([X, X[:, :1]]), var_names=[*names, "extra"])
    with pytest.raises(ValueError, match=r"41 genes, with 1 others: \['extra'\]\."):
        transformer.transform(more)
    other = Cells(X, var_names=[*names[:39], "extra"])
    message = r"40 genes, without 1 of those: \['gene39'\], with 1 others: \['extra'\]"
    with pytest.raises(ValueError, match=message):
        transformer.transform(other)
    with pytest.raises(ValueError, match="39 features, but .* expecting 40"):
        CountsTransformer().fit(X).transform(Cells(X[:, :39]))
    assert_allclose(CountsTransformer().fit(X).transform(cells), naive(X), rtol=1e-6)


def test_missing_layers_are_told_with_those_there_are():
    cells = Cells(X, {"spliced": X, "raw": X})
    message = r"layer='counts' is not .* one of \['raw', 'spliced'\], or None for X"
    with pytest.raises(ValueError, match=message):
        CountsTransformer(layer="counts").fit(cells)
    cells = Cells(None, {"raw": X})
    with pytest.raises(ValueError, match=r"no X; layer should be one of \['raw'\]"):
        CountsTransformer().fit(cells)
    with pytest.raises(ValueError, match="layer='raw' needs an AnnData .* is ndarray"):
        CountsTransformer(layer="raw").fit(X)


def test_it_begins_a_pipeline():
    cells = Cells(sparse.csr_array(X))
    pipeline = make_pipeline(CountsTransformer(), KMeans(3, n_init=5, random_state=0))
    assert adjusted_rand_score(KINDS, pipeline.fit_predict(cells)) > 0.8
    assert_array_equal(pipeline.predict(cells), pipeline[-1].labels_)
    idcl = IDCLClustering(
        3, pretrain_epochs=2, max_epochs=1, init="k-means", random_state=0
    )
    deep = make_pipeline(CountsTransformer(n_top_genes=20), idcl)
    assert deep.fit_predict(cells).shape == (90,)
    assert deep.transform(cells).shape == (90, 10)
    assert clone(deep)[0].n_top_genes == 20


def test_anndata_is_not_needed(monkeypatch):
    monkeypatch.setitem(sys.modules, "anndata", None)  # importing it would fail
    assert CountsTransformer().fit_transform(Cells(X)).shape == X.shape


# -- bad input -----------------------------------------------------------------------

# parameters, X, and what the message must say
BAD = [
    ({}, X - 1, "Negative values in data passed to X.*lowest is -1.*layer="),
    ({}, sparse.csr_array(X - 1), "Negative values.*lowest is -1"),
    ({}, Cells(X - 0.5), r"Negative values.*lowest is -0\.5"),
    ({}, np.where(X == 0, np.nan, X), "NaN"),
    ({}, np.zeros((3, 4)), "no count above 0.*target_sum"),
    ({"n_top_genes": 41}, X, "n_top_genes=41 should be <= n_features=40"),
    ({"n_top_genes": 0}, X, "'n_top_genes' parameter"),
    ({"target_sum": 0}, X, "'target_sum' parameter"),
    ({"layer": 3}, X, "'layer' parameter"),
]


@pytest.mark.parametrize("parameters, given, message", BAD)
def test_bad_input(parameters, given, message):
    with pytest.raises(ValueError, match=message):
        CountsTransformer(**parameters).fit(given)


def test_negative_counts_in_new_cells():
    transformer = CountsTransformer().fit(X)
    with pytest.raises(ValueError, match="Negative values"):
        transformer.transform(-X)


def test_a_total_of_its_own_needs_no_counts():
    Z = CountsTransformer(target_sum=100).fit_transform(np.zeros((3, 4)))
    assert_array_equal(Z, 0)


def test_another_number_of_genes_counts_from_the_next_fit_on():
    counts = CountsTransformer().fit(X)
    assert counts.top_genes_ is None
    width = X.shape[1]
    assert counts.set_params(n_top_genes=3).transform(X).shape[1] == width
    assert len(counts.get_feature_names_out()) == width
    assert counts.fit(X).set_params(n_top_genes=None).transform(X).shape[1] == 3
    assert len(counts.get_feature_names_out()) == 3
    assert counts.fit(X).top_genes_ is None
    assert counts.variances_ is None


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_matrix])
def test_logarithms_are_told_from_counts(make):
    counts = np.random.default_rng(0).poisson(3, size=(20, 5)).astype(float)
    with pytest.warns(UserWarning, match="look like logarithms"):
        CountsTransformer().fit(make(np.log1p(counts)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        CountsTransformer().fit(make(counts))
        CountsTransformer().fit(make(counts * 7.5))  # of a tool that shares counts out


def test_all_genes_may_be_asked_for():
    n_genes = X.shape[1]
    assert CountsTransformer(n_top_genes=n_genes).fit_transform(X).shape == X.shape


def test_of_equally_variable_genes_the_first_are_taken():
    counts = np.tile(np.array([[1.0], [3.0]]), (1, 60))
    top = CountsTransformer(n_top_genes=3, target_sum=60).fit(counts).top_genes_
    assert_array_equal(top, [0, 1, 2])


def test_logarithms_of_very_many_genes_are_told_from_counts():
    counts = np.random.default_rng(0).poisson(3, size=(2, 100_001)).astype(float)
    with pytest.warns(UserWarning, match="look like logarithms"):
        CountsTransformer().fit(np.log1p(counts))


def test_sparse_cells_without_any_entry():
    empty = sparse.csr_array((3, 4))
    assert CountsTransformer(target_sum=1).fit_transform(empty).nnz == 0
