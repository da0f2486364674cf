"""ClusterImagesDisplay: which samples are shown, and where."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from deepdensity.inspection import ClusterImagesDisplay
from deepdensity.inspection.cluster_images import ranked

from .common import colour_images, decs, digit_images, digit_vectors, idcl, small_conv

IMAGES, _ = digit_images(150)


@pytest.fixture(autouse=True)
def no_figure_left():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def fitted():
    model = decs(autoencoder=small_conv, augment=False, pretrain_epochs=3)
    return model.fit(IMAGES)


def shown(display, cluster, kind, place):
    """The drawn picture, cut out of the one image by the tick of its row."""
    height, width = display.pictures.shape[3:5]
    top = round(display.ax_.get_yticks()[cluster] - (height - 1) / 2)
    middle = display.ax_.get_xticks()[kind]
    n_images = display.indices.shape[2]
    line = max(1, height // 14)
    group = n_images * width + (n_images - 1) * line
    left = round(middle + 0.5 - group / 2) + place * (width + line)
    return display.im_.get_array()[top : top + height, left : left + width]


def naive_groups(labels, scores, cluster, n_images):
    members = [i for i in range(len(labels)) if labels[i] == cluster]
    members.sort(key=lambda i: -scores[i])
    first = (len(members) - n_images) // 2
    middle = members[first : first + n_images]
    return [members[:n_images], middle, members[-n_images:]]


def test_samples_are_ranked_by_score():
    random = np.random.default_rng(0)
    labels, scores = random.integers(3, size=200), random.normal(size=200)
    for cluster in range(3):
        groups = ranked(labels, scores, cluster, 5)
        assert_array_equal(groups, naive_groups(labels, scores, cluster, 5))


@pytest.mark.parametrize("size", range(1, 14))
def test_no_sample_of_a_small_cluster_is_shown_twice(size):
    groups = ranked(np.zeros(size, dtype=int), -np.arange(size), 0, 4)
    members = groups[groups >= 0]
    assert_array_equal(members, np.unique(members))  # best first, none twice
    assert len(members) == min(size, 12)
    counts = (groups >= 0).sum(axis=1)
    assert counts.max() - counts.min() <= 1
    if counts[2]:
        assert groups[2, -1] == size - 1  # the last place is the least stable's
    assert groups[0, 0] == 0


def test_estimator_is_drawn(fitted):
    display = ClusterImagesDisplay.from_estimator(fitted, IMAGES, n_images=3)
    labels, scores = fitted.predict(IMAGES), fitted.score_samples(IMAGES)
    found, sizes = np.unique(labels, return_counts=True)
    assert_array_equal(display.clusters, found)
    assert_array_equal(display.sizes, sizes)
    for row, cluster in enumerate(found):
        assert_array_equal(display.indices[row], ranked(labels, scores, cluster, 3))
    largest = np.argmax(sizes)  # in a small one a place may be empty
    index = display.indices[largest, 2, 2]
    assert index >= 0
    assert_allclose(display.pictures[largest, 2, 2], IMAGES[index] / 16)
    assert display.kinds == ("most stable", "median stability", "least stable")
    rows = [tick.get_text() for tick in display.ax_.get_yticklabels()]
    assert rows == [f"{c}  ({size})" for c, size in zip(found, sizes)]
    heads = [tick.get_text() for tick in display.ax_.get_xticklabels()]
    assert heads == list(display.kinds)
    assert display.ax_.get_title() == "DECSClustering"
    assert display.figure_ is display.ax_.figure


def test_pictures_lie_in_their_rows_and_groups(fitted):
    display = ClusterImagesDisplay.from_estimator(fitted, IMAGES, n_images=2)
    for place in [(0, 0, 0), (0, 0, 1), (1, 1, 0), (2, 2, 1)]:
        index = display.indices[place]
        picture = shown(display, *place)
        if index < 0:
            assert not picture[..., 3].any()
        else:
            assert_allclose(picture[..., 0], IMAGES[index] / 16, atol=0.01)
            assert picture[..., 3].all()


def test_colours_of_both_layouts_are_drawn():
    X, y = colour_images(60)
    scores = np.arange(60.0)
    last = ClusterImagesDisplay.from_predictions(X, y, scores, n_images=2)
    assert last.pictures.shape[3:] == (8, 8, 3)
    index = last.indices[0, 0, 0]
    assert_allclose(last.pictures[0, 0, 0], X[index] / X.max())
    first = ClusterImagesDisplay.from_predictions(
        X.transpose(0, 3, 1, 2), y, scores, n_images=2
    )
    assert_allclose(first.pictures, last.pictures)
    flat = ClusterImagesDisplay.from_predictions(
        X.reshape(60, -1), y, scores, n_images=2, image_shape=(8, 8, 3)
    )
    assert_allclose(flat.pictures, last.pictures)
    assert_allclose(shown(last, 0, 0, 0)[..., :3], X[index] / X.max())


def test_flat_images_of_a_pipeline_and_of_a_sparse_matrix():
    X, _ = digit_vectors(100)
    model = make_pipeline(
        MinMaxScaler(),
        idcl(autoencoder=small_conv, augment=False, image_shape=(8, 8), max_epochs=1),
    ).fit(X)
    display = ClusterImagesDisplay.from_estimator(model, X, n_images=1)
    assert display.pictures.shape[3:] == (8, 8)
    assert display.kinds[0] == "densest: the core"
    scores = np.arange(100.0)
    labels = np.zeros(100, dtype=int)
    thin, full = (
        ClusterImagesDisplay.from_predictions(x, labels, scores, image_shape=(8, -1))
        for x in (sparse.csr_array(X), X)
    )
    assert_allclose(thin.pictures, full.pictures)


def test_of_many_clusters_the_largest_are_drawn_and_the_title_says_so():
    labels = np.repeat(np.arange(30), np.arange(1, 31))
    X = np.random.default_rng(0).random((len(labels), 4, 4))
    draw = ClusterImagesDisplay.from_predictions
    display = draw(X, labels, X.sum(axis=(1, 2)), name="mine")
    assert_array_equal(display.clusters, np.arange(10, 30))
    assert display.ax_.get_title() == "mine, the 20 largest of 30 clusters"
    assert len(display.ax_.get_yticks()) == 20
    display = draw(X, labels, X.sum(axis=(1, 2)), clusters=[7, 2])
    assert_array_equal(display.clusters, [7, 2])
    assert_array_equal(labels[display.indices[1][display.indices[1] >= 0]], 2)
    assert display.ax_.get_title() == "2 of 30 clusters"
    all_of_them = draw(X, labels, X.sum(axis=(1, 2)), max_clusters=40, n_images=2)
    assert len(all_of_them.clusters) == 30 and all_of_them.ax_.get_title() == ""


@pytest.mark.parametrize(
    ("X", "params", "message"),
    [
        (IMAGES, {"n_images": 0}, "n_images=0 must be at least 1"),
        (IMAGES, {"labels": [0, 1]}, "labels has 2 rows, and X has 150"),
        (IMAGES, {"scores": [0.0]}, "scores has 1 rows, and X has 150"),
        (IMAGES, {"clusters": [4]}, r"clusters=\[4\] must name"),
        (IMAGES, {"max_clusters": 0}, "max_clusters=0"),
        (IMAGES.reshape(150, -1), {}, "vectors of 64 values, not images"),
        (IMAGES, {"image_shape": (4, 16)}, r"image_shape=\(4, 16\) does not match"),
    ],
)
def test_bad_input(X, params, message):
    given = {"labels": np.zeros(150, dtype=int), "scores": np.arange(150.0), **params}
    with pytest.raises(ValueError, match=message):
        ClusterImagesDisplay.from_predictions(X, **given)


def test_images_of_another_size_are_refused(fitted):
    with pytest.raises(ValueError, match=r"shape \(8, 7\).*fitted.*\(8, 8\)"):
        ClusterImagesDisplay.from_estimator(fitted, IMAGES[:, :, 1:])


def test_it_draws_again_on_other_axes(fitted):
    display = ClusterImagesDisplay.from_estimator(fitted, IMAGES, n_images=1)
    _, ax = plt.subplots()
    assert display.plot(ax, cmap="viridis") is display and display.ax_ is ax
    assert len(ax.images) == 1 and ax.images[0] is display.im_
    picture = shown(display, 0, 0, 0)
    expected = matplotlib.colormaps["viridis"](display.pictures[0, 0, 0])
    assert_allclose(picture, expected)
