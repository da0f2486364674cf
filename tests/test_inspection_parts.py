"""What the displays share: imports, colours, numbers, axes, the choice of clusters."""

import pickle
import subprocess
import sys

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.cluster import KMeans
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV

from deepdensity import inspection
from deepdensity.inspection import (
    ClusterImagesDisplay,
    EmbeddingDisplay,
    PacingDisplay,
    ReconstructionDisplay,
    SensitivityDisplay,
    TrainingDisplay,
)
from deepdensity.inspection._axes import leave_room, split_axes
from deepdensity.inspection._fitted import choose_clusters
from deepdensity.inspection._images import as_pictures, layout_of, tile
from deepdensity.inspection._number_boxes import draw_numbers, spread_boxes
from deepdensity.inspection._palette import FEW, cluster_colours, ink_on
from deepdensity.model_selection import InSampleSplit

from .common import digit_vectors, idcl

X, _ = digit_vectors(60)
DISPLAYS = [getattr(inspection, name) for name in inspection.__all__]
OF_ESTIMATOR = [EmbeddingDisplay, ReconstructionDisplay, ClusterImagesDisplay]

# what dichromats see, in linear sRGB (Machado et al. 2009, severity 1)
VISION = {
    "all": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


@pytest.fixture(autouse=True)
def no_figure_left():
    yield
    plt.close("all")


# -- matplotlib ------------------------------------------------------------------------


def test_import_does_not_import_matplotlib():
    code = "import sys, deepdensity.inspection; print('matplotlib' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    "draw",
    [
        lambda: EmbeddingDisplay.from_predictions(X, np.zeros(60, dtype=int)),
        lambda: EmbeddingDisplay.from_estimator(None, X),
        lambda: EmbeddingDisplay(X[:, :2], np.zeros(60, dtype=int)).plot(),
        lambda: ReconstructionDisplay.from_predictions(X, X, np.zeros(60, dtype=int)),
        lambda: ClusterImagesDisplay.from_estimator(None, X),
        lambda: TrainingDisplay.from_estimator(None),
        lambda: PacingDisplay.from_pacings(),
        lambda: SensitivityDisplay.from_estimator(None),
    ],
)
def test_without_matplotlib_the_error_names_it(monkeypatch, draw):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"Display\.\w+ requires matplotlib"):
        draw()


# -- estimators ------------------------------------------------------------------------


@pytest.mark.parametrize("display", OF_ESTIMATOR)
def test_unfitted_and_foreign_estimators_are_refused(display):
    with pytest.raises(NotFittedError, match="IDCLClustering"):
        display.from_estimator(idcl(), X)
    kmeans = KMeans(2, n_init=1, random_state=0).fit(X)
    with pytest.raises(TypeError, match="estimator must be an IDCL.* got KMeans"):
        display.from_estimator(kmeans, X)


@pytest.mark.parametrize("display", OF_ESTIMATOR)
def test_a_search_that_has_refitted_nothing_is_refused(display):
    once = {"cv": InSampleSplit(), "refit": False}
    search = GridSearchCV(idcl(), {"lambda_0": [0.5]}, **once).fit(X)
    with pytest.raises(ValueError, match="GridSearchCV has refit=False.*refit=True"):
        display.from_estimator(search, X)


def test_unfitted_estimator_has_no_training():
    with pytest.raises(NotFittedError, match="IDCLClustering"):
        TrainingDisplay.from_estimator(idcl())


@pytest.mark.parametrize("display", DISPLAYS)
def test_displays_document_themselves(display):
    assert "Attributes\n    ----------" in display.__doc__
    assert "ax_ :" in display.__doc__ and "figure_ :" in display.__doc__
    assert "Returns" in display.plot.__doc__


# -- which clusters --------------------------------------------------------------------


def test_largest_clusters_are_chosen_and_noted():
    labels = np.repeat([0, 1, 3, 4], [5, 2, 9, 7])
    chosen, note = choose_clusters(labels, None, 3)
    assert_array_equal(chosen, [0, 3, 4])
    assert note == "the 3 largest of 4 clusters"
    chosen, note = choose_clusters(labels, None, 4)
    assert_array_equal(chosen, [0, 1, 3, 4])
    assert note == ""
    chosen, note = choose_clusters(labels, [4, 1], 1)
    assert_array_equal(chosen, [4, 1])
    assert note == "2 of 4 clusters"


@pytest.mark.parametrize("clusters", [[2], [0, 7], []])
def test_clusters_without_samples_are_refused(clusters):
    with pytest.raises(ValueError, match=r"must name clusters .*\[0, 1, 3\]"):
        choose_clusters(np.array([0, 1, 3]), clusters, 3)


def test_max_clusters_must_be_positive():
    with pytest.raises(ValueError, match="max_clusters=0"):
        choose_clusters(np.array([0, 1]), None, 0)


# -- colours ---------------------------------------------------------------------------


def linear(rgb):
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def oklab(rgb):
    """Linear sRGB to a space in which distances are differences as seen."""
    cones = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    lab = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    return np.cbrt(np.clip(rgb, 0, 1) @ cones.T) @ lab.T


@pytest.mark.parametrize("vision", sorted(VISION))
def test_ten_colours_differ_for_the_colour_blind_too(vision):
    seen = oklab(linear(cluster_colours(10)) @ np.array(VISION[vision]).T)
    distances = np.linalg.norm(seen[:, None] - seen[None], axis=2)
    assert distances[~np.eye(10, dtype=bool)].min() > 0.07  # 0.02 is just noticed


def test_few_clusters_have_the_named_colours():
    expected = [matplotlib.colors.to_rgb(colour) for colour in FEW[:4]]
    assert_allclose(cluster_colours(4), expected)
    assert cluster_colours(0).shape == (0, 3)


def test_eighty_colours_are_distinct_and_none_fades_on_white():
    colours = cluster_colours(80)
    assert colours.shape == (80, 3) and colours.min() >= 0 and colours.max() <= 1
    assert len(np.unique(colours.round(2), axis=0)) == 80
    seen = oklab(linear(colours))
    assert seen[:, 0].max() < 0.85
    neighbours = np.linalg.norm(np.diff(seen, axis=0), axis=1)
    assert neighbours.min() > 0.15


def test_ink_is_legible():
    assert ink_on((1, 1, 0.2)) == "black"
    assert ink_on((0.1, 0.1, 0.4, 1.0)) == "white"


# -- numbers ---------------------------------------------------------------------------


def overlaps(centres, sizes):
    return [
        (i, j)
        for i in range(len(centres))
        for j in range(i)
        if (np.abs(centres[i] - centres[j]) < (sizes[i] + sizes[j]) / 2).all()
    ]


@pytest.mark.parametrize("spread", [0.0, 20.0, 200.0])
def test_boxes_end_apart(spread):
    random = np.random.default_rng(0)
    centres = spread * random.normal(size=(80, 2))
    sizes = random.uniform([12, 10], [20, 14], size=(80, 2))
    assert overlaps(centres, sizes)
    places = spread_boxes(centres, sizes)
    assert not overlaps(places, sizes)
    # no further than they have to: all boxes would fit into a square of this width
    reach = 4 * np.sqrt(sizes.prod(axis=1).sum())
    assert np.linalg.norm(places - centres, axis=1).max() < reach


def test_boxes_that_are_apart_stay():
    centres = np.array([[0.0, 0.0], [30.0, 0.0], [0.0, 30.0]])
    assert_allclose(spread_boxes(centres, np.full((3, 2), 20.0)), centres, atol=0.01)


@pytest.mark.parametrize("saved_dpi", [50, 100, 300])
def test_numbers_are_drawn_apart_near_their_points(saved_dpi):
    _, ax = plt.subplots()
    ax.set(xlim=(-5, 5), ylim=(-5, 5))
    points = np.random.default_rng(0).normal(size=(40, 2))
    names = [str(i) for i in range(40)]
    texts = draw_numbers(ax, points, names, cluster_colours(40), 7)
    ax.figure.set_dpi(saved_dpi)  # of a file, not the one they were placed at
    ax.figure.draw_without_rendering()
    assert [text.get_text() for text in texts] == names
    assert_allclose([text.xy for text in texts], points)
    boxes = [text.get_bbox_patch().get_window_extent() for text in texts]
    centres = np.array([[(b.x0 + b.x1) / 2, (b.y0 + b.y1) / 2] for b in boxes])
    sizes = np.array([[b.width, b.height] for b in boxes])
    assert not overlaps(centres, sizes - 0.01 * saved_dpi)
    away = np.linalg.norm(centres - ax.transData.transform(points), axis=1)
    assert away.max() < saved_dpi  # an inch, of 6.4 x 4.8


def test_no_numbers_for_no_points():
    _, ax = plt.subplots()
    assert draw_numbers(ax, np.zeros((0, 2)), [], [], 8) == []


# -- axes and pictures -----------------------------------------------------------------


def test_axes_are_split_in_their_place():
    figure = plt.figure()
    for ax in (figure.add_subplot(2, 2, 4), figure.add_axes([0.1, 0.1, 0.3, 0.4])):
        place = ax.get_position()
        grid = split_axes(ax, 2, 3, [1, 3], sharex=True)
        assert grid.shape == (2, 3)
        corners = [a.get_position() for a in grid.ravel()]
        assert min(c.x0 for c in corners) == pytest.approx(place.x0)
        assert max(c.x1 for c in corners) == pytest.approx(place.x1)
        assert min(c.y0 for c in corners) == pytest.approx(place.y0)
        assert max(c.y1 for c in corners) == pytest.approx(place.y1)
        heights = [grid[row, 0].get_position().height for row in (0, 1)]
        assert heights[1] == pytest.approx(3 * heights[0])
        assert not ax.axison


def test_axes_leave_room_where_nothing_else_has_placed_them():
    figure = plt.figure(figsize=(4, 4))
    ax = figure.add_axes([0.2, 0.25, 0.5, 0.5])
    leave_room(ax, 0.8)
    leave_room(ax, 0.4)  # in the place of the other, not beside it
    assert ax.get_position().bounds == pytest.approx((0.2, 0.35, 0.5, 0.4))
    figure.draw_without_rendering()
    assert ax.get_position().bounds == pytest.approx((0.2, 0.35, 0.5, 0.4))
    copy = pickle.loads(pickle.dumps(figure)).axes[0]
    assert copy.get_position().bounds == pytest.approx((0.2, 0.35, 0.5, 0.4))
    small = figure.add_axes([0, 0, 0.3, 0.3])
    leave_room(small, 3)  # it keeps a third
    assert small.get_position().bounds == pytest.approx((0, 0.2, 0.3, 0.1))
    inset = ax.inset_axes([0.5, 0.5, 0.4, 0.4])
    before = inset.get_axes_locator()
    leave_room(inset, 0.1)
    assert inset.get_axes_locator() is before


@pytest.mark.parametrize(
    ("image_shape", "expected"),
    [
        ((4, 6), lambda x: x.reshape(4, 6)),
        ((2, 4, 3), lambda x: x.reshape(2, 4, 3)),
        ((3, 1, 8), lambda x: x.reshape(3, 1, 8).transpose(1, 2, 0)),
        ((4, 3, 2), lambda x: x.reshape(4, 3, 2).mean(axis=2)),
        ((1, 4, 6), lambda x: x.reshape(4, 6)),
    ],
)
def test_rows_become_pictures(image_shape, expected):
    rows = np.random.default_rng(0).random((5, 24))
    pictures = as_pictures(rows, layout_of(rows, image_shape))
    assert_allclose(pictures, [expected(row) for row in rows])


def test_layout_of_the_estimator_holds_where_it_fits():
    known = layout_of(np.zeros((2, 24)), (4, 6))
    assert layout_of(np.zeros((9, 24)), None, known) == known
    assert layout_of(np.zeros((9, 24)), (6, 4), known).stored == (6, 4)
    assert layout_of(np.zeros((9, 30)), None, known).stored == (30,)
    assert layout_of(np.zeros((9, 8, 3)), None, known).stored == (8, 3)


def test_tiles_lie_where_they_should():
    one, two = np.full((2, 3), 0.25), np.ones((2, 3, 3)) * [1, 0, 0]
    mosaic, tops, lefts = tile([[one, None], [two, one]], [0, 1], [0, 4], "gray")
    assert mosaic.shape == (5, 10, 4)
    assert_array_equal(tops, [0, 3])
    assert_array_equal(lefts, [0, 7])
    assert_allclose(mosaic[:2, :3, :3], 0.25, atol=0.01)
    assert_allclose(mosaic[3:, :3], np.broadcast_to([1, 0, 0, 1], (2, 3, 4)))
    opaque = np.zeros((5, 10))
    opaque[:2, :3] = opaque[3:, :3] = opaque[3:, 7:] = 1
    assert_array_equal(mosaic[..., 3], opaque)
