"""What "auto" means, without labels."""

import pytest

from deepdensity import recipe
from deepdensity.recipe import (
    auto_batch_size,
    auto_epochs,
    decs_iterations,
    given_or,
    pretraining_epochs,
    refresh_steps,
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


def test_the_lengths_of_trials_and_streams_are_those_of_the_docs():
    assert recipe.TRIAL_STEPS == 150
    assert (recipe.STREAM_EPOCHS, recipe.STREAM_RATE) == (10, 0.1)
    assert (recipe.STREAM_MEMORY, recipe.STREAM_FEWEST) == (4, 50)
    assert recipe.STREAM_SHARES == 500
    assert (recipe.IDCL_EPOCHS, recipe.IDCL_STEPS) == (40, (300, 6000))
    assert recipe.VECTOR_STEPS == 200


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
    assert decs_iterations(steps_per_epoch, augmented=True) == n
    assert decs_iterations(steps_per_epoch, augmented=False) == 200


@pytest.mark.parametrize(("value", "expected"), [("auto", 7), (0, 0), (3, 3)])
def test_a_value_that_is_given_counts(value, expected):
    assert given_or(value, 7) == expected
