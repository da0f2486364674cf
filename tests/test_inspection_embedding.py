"""EmbeddingDisplay: what is drawn, where, of which samples."""

import sys
import types
import warnings

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.datasets import make_blobs
from sklearn.manifold import TSNE
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from deepdensity.inspection import EmbeddingDisplay
from deepdensity.inspection._palette import cluster_colours
from deepdensity.inspection.embedding import NOISE

from .common import decs, digit_vectors, idcl

X, _ = digit_vectors(200)


@pytest.fixture(autouse=True)
def no_figure_left():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def cores():
    return idcl(core_fraction=0.2).fit(X)


@pytest.fixture(scope="module")
def centres():
    return decs().fit(X)


def blobs(n=120, k=4, d=6):
    random = np.random.default_rng(0)
    labels = np.arange(n) % k
    middles = 8 * random.normal(size=(k, d))
    return middles[labels] + random.normal(size=(n, d)), labels, middles


def naive_pca(Z, *others):
    """Along the two leading eigenvectors of the covariance, up to signs."""
    values, vectors = np.linalg.eigh(np.cov(Z.T))
    leading = vectors[:, np.argsort(values)[::-1][:2]]
    return [(part - Z.mean(axis=0)) @ leading for part in (Z, *others)]


# -- from an estimator -----------------------------------------------------------------


def test_idcl_is_drawn_with_its_cores(cores):
    display = EmbeddingDisplay.from_estimator(cores, X, random_state=0)
    Z = cores.transform(X)
    members = cores.core_sample_indices_
    alive = np.unique(cores.labels_)
    expected = naive_pca(Z, cores.embedding_[members], cores.core_means_[alive])
    drawn = (display.points, display.core_points, display.centers)
    for one, other in zip(drawn, expected):
        assert_allclose(np.abs(one), np.abs(other), rtol=1e-3, atol=1e-3)
    assert_array_equal(display.labels, cores.predict(X))
    assert_array_equal(display.core_labels, cores.labels_[members])
    assert_array_equal(display.center_labels, alive)
    lowest = np.argsort(cores.score_samples(X), kind="stable")[:4]  # 2 % of 200
    assert_array_equal(np.flatnonzero(display.outliers), np.sort(lowest))
    assert display.name == "IDCLClustering"
    assert [text.get_text() for text in display.numbers_] == [str(c) for c in alive]
    assert_allclose([text.xy for text in display.numbers_], display.centers)


def test_artists_show_the_data(cores):
    display = EmbeddingDisplay.from_estimator(cores, X)
    colours = cluster_colours(display.labels.max() + 1)
    offsets = display.scatter_.get_offsets()
    order = np.lexsort(offsets.T)
    expected = np.lexsort(display.points.T)
    assert_allclose(offsets[order], display.points[expected])
    assert_allclose(
        display.scatter_.get_facecolors()[order, :3],
        colours[display.labels[expected]],
    )
    assert_allclose(display.core_scatter_.get_offsets(), display.core_points)
    assert_allclose(
        display.outlier_scatter_.get_offsets(), display.points[display.outliers]
    )
    assert_allclose(display.center_scatter_.get_offsets(), display.centers)
    told = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert told == [
        "sample",
        "in a density core",
        "outlier (lowest score_samples)",
        "mean of a density core",
    ]
    assert "% of the variance" in display.ax_.get_xlabel()
    assert display.ax_.get_title() == "IDCLClustering"
    assert display.figure_ is display.ax_.figure


def test_decs_is_drawn_with_its_centres(centres):
    display = EmbeddingDisplay.from_estimator(centres, X, outliers=0)
    assert display.core_points is None and display.core_scatter_ is None
    assert display.outliers is None and display.outlier_scatter_ is None
    alive = np.unique(centres.labels_)
    expected = naive_pca(centres.transform(X), centres.cluster_centers_[alive])[1]
    assert_allclose(np.abs(display.centers), np.abs(expected), rtol=1e-3, atol=1e-3)
    told = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert told == ["sample", "cluster centre"]


def test_cores_that_hold_all_samples_are_not_marked():
    display = EmbeddingDisplay.from_estimator(idcl(core_fraction=None).fit(X), X)
    assert display.core_points is None


def test_of_many_samples_a_random_subset_is_drawn(cores):
    draw = EmbeddingDisplay.from_estimator
    display = draw(cores, X, max_points=50, random_state=3)
    assert display.points.shape == (50, 2) and display.n_samples == 200
    n_cores = len(cores.core_sample_indices_)
    assert len(display.core_points) == round(n_cores * 50 / 200)
    assert display.ax_.get_title().endswith("random 50 of 200 samples")
    assert display.outliers.sum() == 1
    again = draw(cores, X, max_points=50, random_state=3)
    assert_array_equal(display.points, again.points)
    other = draw(cores, X, max_points=50, random_state=4)
    assert not np.array_equal(display.labels, other.labels)
    assert len(draw(cores, X, max_points=None).points) == 200


def test_pipelines_searches_frames_and_sparse_matrices(centres):
    pipeline = make_pipeline(MinMaxScaler(), decs()).fit(pd.DataFrame(X))
    display = EmbeddingDisplay.from_estimator(pipeline, pd.DataFrame(X), max_points=90)
    assert display.points.shape == (90, 2) and display.name == "DECSClustering"
    whole = EmbeddingDisplay.from_estimator(centres, X)
    thin = EmbeddingDisplay.from_estimator(centres, sparse.csr_array(X))
    assert_allclose(thin.points, whole.points, atol=1e-4)
    search = GridSearchCV(decs(max_iter=2, pretrain_epochs=1), {"alpha": [1.0]}, cv=2)
    display = EmbeddingDisplay.from_estimator(search.fit(X), X)
    assert_array_equal(display.labels, search.predict(X))


def test_wrong_number_of_features_is_said(centres):
    with pytest.raises(ValueError, match="63 features.*expecting 64 features"):
        EmbeddingDisplay.from_estimator(centres, X[:, 1:])


# -- from data -------------------------------------------------------------------------


def test_given_embedding_is_drawn():
    Z, labels, middles = blobs()
    scores = np.arange(120.0)[::-1]
    display = EmbeddingDisplay.from_predictions(
        Z, labels, scores=scores, cores=[3, 1, 7], centers=middles, outliers=0.05
    )
    points, centers = naive_pca(Z, middles)
    assert_allclose(np.abs(display.points), np.abs(points))
    assert_allclose(np.abs(display.centers), np.abs(centers))
    assert_array_equal(np.flatnonzero(display.outliers), np.arange(114, 120))
    assert_array_equal(display.core_points, display.points[[1, 3, 7]])
    assert_array_equal(display.core_labels, labels[[1, 3, 7]])
    mask = np.isin(np.arange(120), [1, 3, 7])
    masked = EmbeddingDisplay.from_predictions(Z, labels, cores=mask, name="mine")
    assert_allclose(masked.core_points, display.core_points)
    assert masked.ax_.get_title() == "mine"


def test_without_centres_numbers_stand_at_the_medians():
    Z, labels, _ = blobs()
    display = EmbeddingDisplay.from_predictions(Z, labels)
    expected = [np.median(display.points[labels == c], axis=0) for c in range(4)]
    assert_allclose([text.xy for text in display.numbers_], expected)
    assert_allclose(display.center_scatter_.get_offsets(), expected)


def test_outliers_are_of_all_samples_also_where_few_are_drawn():
    Z, labels, _ = blobs()
    display = EmbeddingDisplay.from_predictions(
        Z, labels, scores=Z[:, 0], outliers=0.5, max_points=40, random_state=0
    )
    rows = np.sort(np.random.RandomState(0).choice(120, 40, replace=False))
    assert_array_equal(display.labels, labels[rows])
    marked = Z[rows, 0] < np.sort(Z[:, 0])[60]
    assert_array_equal(display.outliers, marked)


def test_tsne_starts_at_the_principal_components(monkeypatch):
    Z, labels, middles = blobs()
    asked = {}
    fit_transform = TSNE.fit_transform

    def noted(self, Z):
        asked.update(self.get_params(), n=len(Z))
        return fit_transform(self, Z)

    monkeypatch.setattr(TSNE, "fit_transform", noted)
    display = EmbeddingDisplay.from_predictions(
        Z, labels, centers=middles, method="tsne", random_state=0
    )
    assert asked["init"] == "pca" and asked["perplexity"] == 30 and asked["n"] == 120
    assert display.axis_labels == ("t-SNE 1", "t-SNE 2")
    assert display.centers is None  # t-SNE has no map for them
    few = EmbeddingDisplay.from_predictions(Z[:10], labels[:10], method="tsne")
    assert asked["perplexity"] == 3 and few.points.shape == (10, 2)


def test_tsne_keeps_cores_among_their_clusters(cores):
    display = EmbeddingDisplay.from_estimator(
        cores, X, method="tsne", random_state=0, outliers=0
    )
    members = cores.core_sample_indices_
    away = np.linalg.norm(display.core_points - display.points[members], axis=1)
    spread = np.ptp(display.points, axis=0).max()
    assert away.max() < 0.1 * spread  # the same sample, embedded twice


def test_samples_may_lack_a_cluster_that_has_cores(cores):
    some = X[cores.labels_ != cores.labels_.max()]
    display = EmbeddingDisplay.from_estimator(
        cores, some, method="tsne", random_state=0, outliers=0
    )
    assert display.core_labels.max() > display.labels.max()
    assert len(display.core_scatter_.get_offsets()) == len(display.core_labels)


def test_umap_is_used_where_it_is_installed(monkeypatch):
    Z, labels, _ = blobs()
    asked = {}

    class UMAP:
        def __init__(self, **params):
            asked.update(params)

        def fit_transform(self, Z):
            return Z[:, :2] + 1

    monkeypatch.setitem(sys.modules, "umap", types.SimpleNamespace(UMAP=UMAP))
    display = EmbeddingDisplay.from_predictions(
        Z, labels, method="umap", random_state=0
    )
    assert_array_equal(display.points, Z[:, :2] + 1)
    assert asked["n_components"] == 2 and asked["n_neighbors"] == 15
    assert display.axis_labels == ("UMAP 1", "UMAP 2")
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(ImportError, match="pip install umap-learn"):
        EmbeddingDisplay.from_predictions(Z, labels, method="umap")


def test_one_dimension_is_drawn_along_a_line():
    display = EmbeddingDisplay.from_predictions(np.arange(9.0)[:, None], np.arange(9))
    assert_allclose(np.abs(display.points[:, 0]), np.abs(np.arange(9) - 4))
    assert not display.points[:, 1].any() and display.axis_labels[1] == ""


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"labels": np.zeros(5, dtype=int)}, "labels has 5 rows, and Z has 120"),
        ({"labels": np.zeros((120, 2))}, r"one a sample; got the shape \(120, 2\)"),
        ({"labels": np.zeros(120)}, "labels must be whole numbers or names.*float64"),
        ({"scores": np.zeros(7)}, "scores has 7 rows, and Z has 120"),
        ({"cores": [120]}, "cores must be indices of rows of Z, from 0 to 119"),
        ({"cores": [True]}, "cores has 1 rows, and Z has 120"),
        ({"centers": np.zeros((3, 6))}, r"\(3, 6\).*at least \(4, 6\)"),
        ({"centers": np.zeros((4, 5))}, r"\(4, 5\).*at least \(4, 6\)"),
        ({"method": "mds"}, "method='mds' must be one of pca, tsne, umap"),
        ({"outliers": 1.5}, r"outliers=1.5 must be a share in \[0, 1\)"),
        ({"max_points": 0}, "max_points=0 must be None or at least 2"),
    ],
)
def test_bad_input(params, message):
    Z, labels, _ = blobs()
    with pytest.raises(ValueError, match=message):
        EmbeddingDisplay.from_predictions(**{"Z": Z, "labels": labels, **params})


# -- drawing ---------------------------------------------------------------------------


def test_it_draws_again_on_other_axes():
    Z, labels, _ = blobs()
    display = EmbeddingDisplay.from_predictions(Z, labels)
    _, ax = plt.subplots()
    assert display.plot(ax, numbers=False, legend=False) is display
    assert display.ax_ is ax and display.figure_ is ax.figure
    assert display.numbers_ == [] and ax.get_legend() is None
    display.plot(scatter_kw={"s": 7, "alpha": 1})
    assert display.scatter_.get_sizes()[0] == 7 and display.scatter_.get_alpha() == 1


def legend_box(display):
    """Of the legend and of the axes, in inches."""
    display.figure_.draw_without_rendering()
    to_inches = display.figure_.dpi_scale_trans.inverted()
    legend = display.ax_.get_legend().get_window_extent()
    return legend.transformed(to_inches), display.ax_.bbox.transformed(to_inches)


@pytest.mark.parametrize("layout", [None, "constrained", "tight"])
@pytest.mark.parametrize("size", [(6.4, 4.8), (3, 3), (9, 5)])
def test_the_legend_is_inside_the_figure_below_given_axes(layout, size):
    Z, labels, middles = blobs()
    _, ax = plt.subplots(figsize=size, layout=layout)
    more = {"scores": Z[:, 0], "cores": [1, 2], "centers": middles}
    display = EmbeddingDisplay.from_predictions(Z, labels, ax=ax, **more)
    legend, axes = legend_box(display)
    assert 0 <= legend.y0 and 0 <= legend.x0 and legend.x1 <= size[0]
    assert legend.y1 < axes.y0


def test_the_legend_has_room_among_subplots_whether_they_are_laid_out_later():
    Z, labels, _ = blobs()
    figure, axes = plt.subplots(2, 1, figsize=(6, 7))
    displays = [EmbeddingDisplay.from_predictions(Z, labels, ax=ax) for ax in axes]
    for _ in range(2):
        above, below = map(legend_box, displays)
        assert above[0].y0 > below[1].y1 and below[0].y0 > 0
        figure.tight_layout()
    plain = EmbeddingDisplay(Z[:, :2], labels)
    _, ax = plt.subplots()
    before = ax.get_position().bounds
    assert plain.plot(ax, legend=False).ax_.get_position().bounds == before


def test_markers_shrink_and_turn_translucent_with_their_number():
    seen = []
    for n in (100, 3000, 70_000):
        points = np.random.default_rng(0).normal(size=(n, 2))
        display = EmbeddingDisplay(points, np.arange(n) % 80).plot(numbers=False)
        seen.append((display.scatter_.get_sizes()[0], display.scatter_.get_alpha()))
        assert display.scatter_.get_rasterized() == (n > 2000)
    sizes, alphas = zip(*seen)
    assert sizes[0] > sizes[1] > sizes[2] > 1
    assert alphas[0] > alphas[1] > alphas[2] >= 0.2


def test_eighty_clusters_are_numbered_without_a_legend_of_eighty():
    Z, labels, _ = blobs(800, 80, 10)
    display = EmbeddingDisplay.from_predictions(Z, labels)
    display.figure_.canvas.draw()
    boxes = [text.get_bbox_patch().get_window_extent() for text in display.numbers_]
    assert len(boxes) == 80
    assert len(display.ax_.get_legend().get_texts()) == 2
    for i, one in enumerate(boxes):
        for other in boxes[:i]:
            apart_x = abs(one.x0 + one.x1 - other.x0 - other.x1) / 2
            apart_y = abs(one.y0 + one.y1 - other.y0 - other.y1) / 2
            reach = (one.width + other.width) / 2, (one.height + other.height) / 2
            assert apart_x > reach[0] - 1 or apart_y > reach[1] - 1


@pytest.mark.parametrize("short", [idcl, decs])
def test_after_a_batch_of_one_class_all_clusters_that_are_drawn_have_numbers(short):
    blobs_, kinds = make_blobs(150, centers=3, n_features=6, random_state=0)
    model = short(pretrain_epochs=30).set_params(n_clusters=3).fit(blobs_)
    model.partial_fit(blobs_[kinds == 0][:20])
    display = EmbeddingDisplay.from_estimator(model, blobs_, outliers=0)
    assert len(np.unique(display.labels)) == 3
    assert_array_equal(display.center_labels, [0, 1, 2])
    assert len(display.centers) == 3


def test_classes_may_have_names_and_noise_is_grey():
    Z, labels, _ = blobs()
    names = np.array(["b", "a", "d", "c"])[labels]
    display = EmbeddingDisplay.from_predictions(Z, names)
    assert {text.get_text() for text in display.numbers_} == set("abcd")
    assert display.cluster_names == ["a", "b", "c", "d"]
    noisy = np.where(labels == 0, -1, labels)
    display = EmbeddingDisplay.from_predictions(Z, noisy, max_points=None)
    assert [text.get_text() for text in display.numbers_] == ["1", "2", "3"]
    colours = display.scatter_.get_facecolors()[:, :3]
    grey = (colours == NOISE).all(axis=1)
    assert grey.sum() == (labels == 0).sum()
    nothing = EmbeddingDisplay.from_predictions(Z, np.full(len(Z), -1))
    assert nothing.numbers_ == []


def test_an_estimator_is_drawn_with_classes_in_the_place_of_its_clusters(cores):
    y = np.array(["odd", "even"])[np.arange(len(X)) % 2]
    display = EmbeddingDisplay.from_estimator(cores, X, y=y, max_points=100)
    assert {text.get_text() for text in display.numbers_} == {"odd", "even"}
    assert display.core_points is None and display.centers is None
    assert len(display.points) == 100
    with pytest.raises(ValueError, match="y has 5 rows"):
        EmbeddingDisplay.from_estimator(cores, X, y=y[:5])


@pytest.mark.parametrize("n_dimensions", [1, 3])
def test_one_sample_is_drawn_without_a_warning(n_dimensions):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        display = EmbeddingDisplay.from_predictions(np.ones((1, n_dimensions)), [0])
    assert_array_equal(display.points, [[0, 0]])
