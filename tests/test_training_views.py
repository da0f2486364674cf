"""What the network sees of a sample, and what it is to make of it."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from deepdensity.augmentation import random_affine
from deepdensity.neighbours import nearest_neighbours
from deepdensity.samples.inputs import InputFormat, Source
from deepdensity.samples.layout import image_layout
from deepdensity.training.views import AugmentedViews, NeighbourViews, choose_views

from .common import (
    CPU,
    decs,
    digit_images,
    digit_vectors,
    digits_source,
    generator,
    small_conv,
    source_of,
)

N, D = 400, 50


def numbered_source():
    """Rows in which every value is the row's number, from 1."""
    X = np.repeat(np.arange(1.0, N + 1), D).reshape(N, D).astype(np.float32)
    return Source(X, InputFormat(image_layout((D,)), np.zeros(D), np.ones(D)), CPU)


def two_neighbours():
    rows = np.arange(N)
    return np.stack([(rows + 1) % N, (rows + 7) % N], axis=1)


def neighbour_views(dropout=0.0, swap=0.0, rows=None, drawn=None):
    """Rows, the network's input and the original, as row numbers."""
    source, rows = numbered_source(), np.arange(N) if rows is None else rows
    views = NeighbourViews(source, two_neighbours(), dropout, swap)
    view, original = views(source.read(rows), rows, drawn or generator())
    return rows, view, original


def numbers(batch):
    assert torch.equal(batch, batch[:, :1].expand_as(batch))
    return batch[:, 0].long().numpy() - 1


@pytest.mark.parametrize("clean", [True, False])
def test_an_augmented_image_is_turned_into_the_image_or_into_itself(clean):
    drawn, given = generator(), []
    x = torch.rand(5, 1, 4, 4)

    def augment(x, generator):
        given.append(generator)
        return x.flip(3)

    view, original = AugmentedViews(augment, clean)(x, np.arange(5), drawn)
    assert torch.equal(view, x.flip(3))
    assert torch.equal(original, x if clean else x.flip(3))
    assert given == [drawn]


def test_a_vector_is_turned_into_one_of_its_neighbours():
    rows, view, original = neighbour_views()
    assert_array_equal(numbers(view), rows)
    found = numbers(original)
    first, second = (found == two_neighbours()[:, m] for m in (0, 1))
    assert (first | second).all()
    assert 0.4 < first.mean() < 0.6


def test_rows_of_a_batch_have_their_own_neighbours():
    rows, _, original = neighbour_views(rows=np.array([17, 3, 399, 3]))
    for row, found in zip(rows, numbers(original)):
        assert found in two_neighbours()[row]


@pytest.mark.parametrize("dropout", [0.2, 0.5])
def test_a_share_of_the_values_is_dropped_and_the_others_stay(dropout):
    rows, view, original = neighbour_views(dropout)
    dropped = view == 0
    assert_allclose(dropped.float().mean(), dropout, atol=0.02)
    assert_allclose(dropped.float().mean(1), dropout, atol=0.35)  # value by value
    assert torch.equal(view[~dropped], numbered_source().read(rows)[~dropped])
    assert (original > 0).all()


@pytest.mark.parametrize("swap", [0.0, 0.5, 1.0])
def test_neighbours_stand_in_for_a_share_of_the_samples(swap):
    rows, view, original = neighbour_views(swap=swap)
    seen = numbers(view)
    swapped = seen != rows
    assert_allclose(swapped.mean(), swap, atol=0.08)
    for row, found in zip(rows[swapped], seen[swapped]):
        assert found in two_neighbours()[row]
    if swap:  # who stands in is drawn apart from what is to be made of it
        agree = (seen == numbers(original))[swapped].mean()
        assert 0.35 < agree < 0.65


def test_the_batch_itself_is_left_as_it_was():
    source, rows = numbered_source(), np.arange(9)
    x = source.read(rows)
    kept = x.clone()
    NeighbourViews(source, two_neighbours(), 0.5, 0.5)(x, rows, generator())
    assert torch.equal(x, kept)


def test_views_follow_their_generator_alone():
    state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()
    first, second, third = (
        neighbour_views(0.2, 0.5, drawn=generator(seed))[1:] for seed in (1, 1, 2)
    )
    assert all(torch.equal(a, b) for a, b in zip(first, second))
    assert not any(torch.equal(a, b) for a, b in zip(first, third))
    assert torch.equal(torch.get_rng_state(), state)
    assert_array_equal(np.random.get_state()[1], numpy_state)


def test_an_augmentation_may_write_to_what_it_is_given():
    def fade(x, generator):
        return x.mul_(0.5)

    x = torch.rand(6, 4)
    before = x.clone()
    view, target = AugmentedViews(fade, clean=True)(x, np.arange(6), None)
    assert_array_equal(target, before)
    assert_array_equal(view, 0.5 * before)
    view, target = AugmentedViews(fade, clean=False)(x, np.arange(6), None)
    assert target is view


# -- which views a fit has -------------------------------------------------------------


@pytest.mark.parametrize("augment", ["auto", "affine", True])
@pytest.mark.parametrize("clean", [True, False])
def test_images_are_rotated_and_shifted(augment, clean):
    views = choose_views(augment, digits_source(image=True), clean, 0)
    assert views.keys() == {"pretrain", "cluster"}
    for view in views.values():
        assert type(view) is AugmentedViews
        assert view.augment is random_affine
        assert view.clean is clean


@pytest.mark.parametrize("augment", ["auto", True])
def test_vectors_are_turned_into_their_neighbours(augment):
    source = digits_source()
    views = choose_views(augment, source, True, 7)
    assert views.keys() == {"pretrain", "cluster"}
    for view in views.values():
        assert type(view) is NeighbourViews
        assert view.source is source
        assert_array_equal(view.neighbours, nearest_neighbours(source, 7))
    assert (views["pretrain"].dropout, views["pretrain"].swap) == (0.5, 0)
    assert (views["cluster"].dropout, views["cluster"].swap) == (0.2, 0.5)


@pytest.mark.parametrize(("n_features", "dropout"), [(1, 0), (49, 0), (50, 0.2)])
def test_few_features_are_not_dropped_in_the_clustering_phase(n_features, dropout):
    X = np.random.default_rng(0).normal(size=(60, n_features))
    views = choose_views("auto", source_of(X), True, 0)
    assert [views[p].dropout for p in ("pretrain", "cluster")] == [0.5, dropout]


def test_a_lone_vector_is_seen_as_it_is():
    source = source_of(digit_vectors(1)[0])
    assert choose_views("auto", source, True, 0) == {}


def test_affine_leaves_vectors_alone():
    assert choose_views("affine", digits_source(), True, 0) == {}


@pytest.mark.parametrize("image", [False, True])
def test_augmentation_can_be_switched_off(image):
    assert choose_views(False, digits_source(image), True, 0) == {}


@pytest.mark.parametrize("image", [False, True])
def test_a_function_of_the_user_augments_both(image):
    def halve(x, generator):
        return x / 2

    views = choose_views(halve, digits_source(image), False, 0)
    assert views.keys() == {"pretrain", "cluster"}
    for view in views.values():
        assert type(view) is AugmentedViews
        assert (view.augment, view.clean) == (halve, False)


def test_an_augmentation_must_take_a_generator():
    X, _ = digit_images(150)
    message = r"augment=.* cannot be called with \(x, generator\), where x is a tensor"
    with pytest.raises(ValueError, match=message):
        decs(augment=lambda x: x, autoencoder=small_conv).fit(X)


@pytest.mark.parametrize(
    ("augment", "found"),
    [
        (lambda x, generator: x[..., :4], r"Tensor of shape \(2, 1, 8, 4\)"),
        (lambda x, generator: x.numpy(), "ndarray of shape"),
        (lambda x, generator: None, "returned NoneType"),
    ],
)
def test_an_augmentation_must_return_what_it_is_given(augment, found):
    X, _ = digit_images(150)
    with pytest.raises(ValueError, match=found):
        decs(augment=augment, autoencoder=small_conv).fit(X)


def test_neighbours_are_sought_by_the_seed_that_is_given():
    source, seen = digits_source(), []
    choose_views("auto", source, True, 7, lambda *given: seen.append(given))
    assert seen == [(source, 7)]
