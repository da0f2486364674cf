"""ReconstructionDisplay: samples and what the estimator decodes them to."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler

from deepdensity.inspection import ReconstructionDisplay
from deepdensity.inspection.reconstruction import ranks

from .common import colour_images, decs, digit_images, digit_vectors, idcl, small_conv

VECTORS, LABELS = digit_vectors(150)


@pytest.fixture(autouse=True)
def no_figure_left():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def fitted():
    return idcl(max_epochs=2).fit(VECTORS)


def test_samples_are_taken_from_the_middle_of_equal_spans():
    scores = np.arange(100.0)[::-1]
    labels = np.repeat([0, 1], [90, 10])
    chosen = ranks(labels, scores, [0, 1], 3)
    assert_array_equal(chosen, [[15, 45, 75], [91, 95, 98]])
    assert_array_equal(ranks(labels, scores, [0], 1), [[45]])  # the median
    assert_array_equal(ranks(labels[88:], scores, [0], 3), [[0, 1, -1]])


def test_vectors_are_drawn_as_lines(fitted):
    display = ReconstructionDisplay.from_estimator(fitted, VECTORS, n_samples=2)
    labels, scores = fitted.predict(VECTORS), fitted.score_samples(VECTORS)
    assert_array_equal(display.clusters, np.unique(labels))
    expected = ranks(labels, scores, np.unique(labels), 2)
    assert_array_equal(display.indices, expected)
    there = expected >= 0
    X = VECTORS[expected[there]]
    decoded = fitted.inverse_transform(fitted.transform(X))
    assert_allclose(display.originals[there], X)
    assert_allclose(display.reconstructions[there], decoded, atol=1e-6)
    errors = [np.mean((x - z) ** 2) for x, z in zip(X, decoded)]
    assert_allclose(display.errors_[there], errors, rtol=1e-4)
    assert display.axes_.shape == expected.shape and display.im_ is None
    assert len(display.lines_) == expected.size
    original, reconstruction = display.lines_[2]  # cluster 1, first sample
    assert original.axes is display.axes_[1, 0]
    assert_allclose(original.get_ydata(), display.originals[1, 0])
    assert_allclose(reconstruction.get_ydata(), display.reconstructions[1, 0])
    assert original.get_color() != reconstruction.get_color()
    assert display.axes_[1, 0].get_title() == f"cluster {display.clusters[1]}"
    assert not display.ax_.axison and display.figure_ is display.ax_.figure


def test_flat_images_are_drawn_as_images_where_asked(fitted):
    display = ReconstructionDisplay.from_estimator(
        fitted, VECTORS, image_shape=(8, 8), clusters=[0, 1]
    )
    assert display.axes_ is None and display.lines_ == []
    assert display.layout.stored == (8, 8)
    tops = np.round(np.array(display.ax_.get_yticks()) - 3.5).astype(int)
    assert len(tops) == 2
    original, decoded = (display.im_.get_array()[top : top + 8, :8] for top in tops)
    scale = display.originals.max() - display.originals.min()
    for drawn, rows in (
        (original, display.originals),
        (decoded, display.reconstructions),
    ):
        expected = np.clip((rows[0, 0] - display.originals.min()) / scale, 0, 1)
        assert_allclose(drawn[..., 0], expected.reshape(8, 8), atol=0.01)
    heads = [text.get_text() for text in display.ax_.texts]
    assert heads == ["cluster 0", "cluster 1"]
    sides = [tick.get_text() for tick in display.ax_.get_yticklabels()]
    assert sides == ["original", "reconstruction"]
    n_found = len(np.unique(fitted.predict(VECTORS)))
    assert display.ax_.get_title() == f"IDCLClustering, 2 of {n_found} clusters"


def test_colour_images_are_drawn_in_both_layouts():
    X, _ = colour_images(60)
    labels = np.arange(60) % 3
    half = X // 2
    last = ReconstructionDisplay.from_predictions(X, half, labels, n_samples=2)
    index = last.indices[0, 0]
    top = round(last.ax_.get_yticks()[0] - 3.5)
    drawn = last.im_.get_array()[top : top + 8, :8]
    low, high = last.originals.min(), last.originals.max()
    assert_allclose(drawn[..., :3], (X[index] - low) / (high - low))
    first = ReconstructionDisplay.from_predictions(
        X.transpose(0, 3, 1, 2), half.transpose(0, 3, 1, 2), labels, n_samples=2
    )
    assert_allclose(first.im_.get_array(), last.im_.get_array())


def test_fitted_images_keep_their_layout():
    X, _ = digit_images(80)
    model = decs(autoencoder=small_conv, augment=False, pretrain_epochs=1, max_iter=4)
    display = ReconstructionDisplay.from_estimator(model.fit(X), X)
    assert display.layout.stored == (8, 8)
    decoded = model.inverse_transform(model.transform(X[display.indices[:, 0]]))
    assert_allclose(
        display.reconstructions[:, 0], decoded.reshape(-1, 64), rtol=1e-4, atol=1e-4
    )


def test_pipeline_is_undone_to_the_units_of_the_data():
    frame = pd.DataFrame(50 + 9 * VECTORS[:, 18:26], columns=list("abcdefgh"))
    pipeline = make_pipeline(StandardScaler(), idcl(max_epochs=1)).fit(frame)
    display = ReconstructionDisplay.from_estimator(pipeline, frame)
    index = display.indices[0, 0]
    assert_allclose(display.originals[0, 0], frame.iloc[index])
    expected = pipeline.inverse_transform(pipeline.transform(frame.iloc[[index]]))
    assert_allclose(display.reconstructions[0, 0], expected[0], rtol=1e-4)
    ticks = [tick.get_text() for tick in display.axes_.ravel()[-1].get_xticklabels()]
    assert ticks == list("abcdefgh")


def test_pipeline_that_cannot_be_undone_is_refused():
    pipeline = make_pipeline(Normalizer(), decs(max_iter=1, pretrain_epochs=1))
    texts = ["one two", "two three", "three one"] * 20
    words = make_pipeline(TfidfVectorizer(), decs().set_params(n_clusters=2)).fit(texts)
    with pytest.raises(TypeError, match=r"no rows of numbers.* estimator\[:-1\]\.tran"):
        ReconstructionDisplay.from_estimator(words, texts)
    ReconstructionDisplay.from_estimator(words[-1], words[:-1].transform(texts))
    with pytest.raises(TypeError, match="a step without inverse_transform"):
        ReconstructionDisplay.from_estimator(pipeline.fit(VECTORS), VECTORS)


def test_without_scores_samples_are_ranked_by_their_error():
    X = np.zeros((9, 4))
    reconstructions = np.arange(9.0)[::-1, None] * np.ones(4)
    display = ReconstructionDisplay.from_predictions(
        X, reconstructions, np.zeros(9, dtype=int), n_samples=3, name="mine"
    )
    assert_array_equal(display.indices, [[7, 4, 1]])  # errors 1, 16 and 49
    assert_allclose(display.errors_, [[1, 16, 49]])


def test_many_clusters_wrap_into_lines():
    X = np.random.default_rng(0).random((80, 3, 3))
    labels = np.arange(80)
    display = ReconstructionDisplay.from_predictions(X, X, labels)
    assert len(display.ax_.texts) == 80
    assert len(display.ax_.get_yticks()) == 16  # eight lines of ten
    limited = ReconstructionDisplay.from_predictions(X, X, labels, max_clusters=12)
    assert limited.ax_.get_title() == "the 12 largest of 80 clusters"
    assert limited.originals.shape == (12, 1, 9)


def test_it_draws_again_on_other_axes(fitted):
    display = ReconstructionDisplay.from_estimator(fitted, VECTORS, clusters=[0, 1])
    figure, axes = plt.subplots(1, 2)
    assert display.plot(axes[1]) is display and display.ax_ is axes[1]
    place = axes[1].get_position()
    for panel in display.axes_.ravel():
        assert panel.get_position().x0 > place.x0 - 1e-9
        assert panel.figure is figure


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"reconstructions": VECTORS[:5]}, r"\(5, 64\), and X \(150, 64\)"),
        ({"labels": LABELS[:5]}, "labels has 5 rows, and X has 150"),
        ({"scores": np.zeros(3)}, "scores has 3 rows"),
        ({"n_samples": 0}, "n_samples=0 must be at least 1"),
        ({"clusters": [11]}, r"clusters=\[11\] must name"),
    ],
)
def test_bad_input(params, message):
    given = {"X": VECTORS, "reconstructions": VECTORS, "labels": LABELS, **params}
    with pytest.raises(ValueError, match=message):
        ReconstructionDisplay.from_predictions(**given)


def test_wrong_number_of_features_is_said(fitted):
    with pytest.raises(ValueError, match="60 features.*expecting 64 features"):
        ReconstructionDisplay.from_estimator(fitted, VECTORS[:, :60])
