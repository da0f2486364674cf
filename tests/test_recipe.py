"""What "auto" means, without labels."""

import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from deepdensity import recipe
from deepdensity.augmentation import random_affine
from deepdensity.neighbours import nearest_neighbours
from deepdensity.recipe import (
    auto_batch_size,
    auto_epochs,
    choose_views,
    data_variance,
    iterations,
    pretraining_epochs,
    refresh_steps,
)
from deepdensity.training.views import AugmentedViews, NeighbourViews

from .common import (
    decs,
    digit_images,
    digit_vectors,
    digits_source,
    small_conv,
    source_of,
)


@pytest.mark.parametrize(
    ("n_samples", "size"),
    [
        (1, 32),
        (1797, 32),
        (8191, 32),
        (8192, 64),
        (9298, 64),
        (16_384, 128),
        (10**7, 128),
    ],
)
def test_batches_of_images_make_128_an_epoch_within_limits(n_samples, size):
    assert auto_batch_size(n_samples, is_image=True) == size


@pytest.mark.parametrize("n_samples", [1, 300, 10**6])
def test_batches_of_vectors_hold_256(n_samples):
    assert auto_batch_size(n_samples, is_image=False) == 256


@pytest.mark.parametrize(
    ("steps_per_epoch", "epochs"),
    [
        (1, 500),  # too few steps: at least 500
        (24, 21),
        (25, 20),
        (100, 20),
        (200, 20),
        (201, 19),  # too many: at most 4000
        (4000, 1),
        (9999, 1),  # an epoch at least
    ],
)
def test_epochs_are_between_the_fewest_and_the_most_steps(steps_per_epoch, epochs):
    found = auto_epochs(20, steps_per_epoch, 500, 4000)
    assert type(found) is int
    assert found == epochs


@pytest.mark.parametrize(
    ("n_samples", "steps_per_epoch", "epochs"),
    [
        (50, 1, 200),  # at least 200 steps
        (300, 2, 150),  # as many steps as samples
        (5000, 20, 40),  # 800 at most of these
        (9298, 146, 20),
        (70_000, 274, 14),  # at most 4000
    ],
)
def test_pretraining_is_longer_in_epochs_where_samples_are_few(
    n_samples, steps_per_epoch, epochs
):
    assert pretraining_epochs(n_samples, steps_per_epoch) == epochs


# -- views -----------------------------------------------------------------------------


@pytest.mark.parametrize("augment", ["auto", "affine", True])
@pytest.mark.parametrize("clean", [True, False])
def test_images_are_rotated_and_shifted(augment, clean):
    found, views = choose_views(augment, digits_source(image=True), clean, 0)
    assert found is random_affine
    assert views.keys() == {"pretrain", "cluster"}
    for view in views.values():
        assert type(view) is AugmentedViews
        assert view.augment is random_affine
        assert view.clean is clean


@pytest.mark.parametrize("augment", ["auto", True])
def test_vectors_are_turned_into_their_neighbours(augment):
    source = digits_source()
    found, views = choose_views(augment, source, True, 7)
    assert found is None
    assert views.keys() == {"pretrain", "cluster"}
    for view in views.values():
        assert type(view) is NeighbourViews
        assert view.source is source
        assert_array_equal(view.neighbours, nearest_neighbours(source, 7))
    assert (views["pretrain"].dropout, views["pretrain"].swap) == (0.5, 0)
    assert (views["cluster"].dropout, views["cluster"].swap) == (0.2, 0.5)


def test_the_lengths_of_trials_and_streams_are_those_of_the_docs():
    assert recipe.TRIAL_STEPS == 150
    assert (recipe.STREAM_EPOCHS, recipe.STREAM_RATE) == (10, 0.1)
    assert (recipe.STREAM_MEMORY, recipe.STREAM_FEWEST) == (4, 50)
    assert recipe.STREAM_SHARES == 500
    assert (recipe.IDCL_EPOCHS, recipe.IDCL_STEPS) == (40, (300, 6000))
    assert recipe.VECTOR_STEPS == 200


def test_a_lone_vector_is_seen_as_it_is():
    source = source_of(digit_vectors(1)[0])
    assert choose_views("auto", source, True, 0) == (None, {})


def test_affine_leaves_vectors_alone():
    assert choose_views("affine", digits_source(), True, 0) == (None, {})


@pytest.mark.parametrize("image", [False, True])
def test_augmentation_can_be_switched_off(image):
    assert choose_views(False, digits_source(image), True, 0) == (None, {})


@pytest.mark.parametrize("image", [False, True])
def test_a_function_of_the_user_augments_both(image):
    def halve(x, generator):
        return x / 2

    found, views = choose_views(halve, digits_source(image), False, 0)
    assert found is halve
    assert views.keys() == {"pretrain", "cluster"}
    for view in views.values():
        assert type(view) is AugmentedViews
        assert (view.augment, view.clean) == (halve, False)


# -- the variance of the input ---------------------------------------------------------


@pytest.mark.parametrize("image_shape", [None, (8, 8)])
def test_data_variance_is_that_of_the_networks_input(image_shape):
    X, _ = digit_vectors()
    source = source_of(X, image_shape)
    x = source.read(slice(0, len(X))).flatten(1).double().numpy()
    assert_allclose(data_variance(source), x.var(0).mean(), rtol=1e-5)
    assert type(data_variance(source)) is float


def test_data_variance_of_sparse_samples_is_that_of_dense_ones():
    X, _ = digit_vectors()
    dense = data_variance(source_of(X))
    assert_allclose(data_variance(source_of(sparse.csr_array(X))), dense, rtol=1e-12)


def test_data_variance_of_many_samples_is_that_of_rows_spread_over_them(monkeypatch):
    monkeypatch.setattr(recipe, "VARIANCE_ROWS", 100)
    X, _ = digit_vectors()
    source = source_of(X, (8, 8))
    x = source.read(slice(0, 300, 3)).double().numpy()
    assert_allclose(data_variance(source), x.var(0).mean(), rtol=1e-5)


@pytest.mark.parametrize(
    ("steps_per_epoch", "steps"), [(1, 100), (50, 100), (51, 102), (274, 548)]
)
def test_refreshes_are_100_steps_or_two_epochs_apart(steps_per_epoch, steps):
    assert refresh_steps(steps_per_epoch) == steps


@pytest.mark.parametrize(
    "steps_per_epoch, n",
    [(1, 2000), (37, 2000), (100, 2000), (274, 5480), (4000, 6000)],
)
def test_iterations_are_20_epochs_within_bounds(steps_per_epoch, n):
    assert iterations(steps_per_epoch) == n


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
