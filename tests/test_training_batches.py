"""Batches: every row, in even sizes, by a generator of their own."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from deepdensity.samples.inputs import InputFormat, Source
from deepdensity.samples.layout import image_layout
from deepdensity.training.batches import BatchIterator, TrainingSet

from .common import CPU, generator


def numbered_source(n):
    """n rows of two values, the first of which is the row's number."""
    X = np.stack([np.arange(n), 1000 + np.arange(n)], axis=1).astype(np.float32)
    return Source(X, InputFormat(image_layout((2,)), np.zeros(2), np.ones(2)), CPU)


def row_numbers(batches):
    return [x[:, 0].long().tolist() for x, _ in batches]


SIZES = [(2, 2), (2, 256), (5, 3), (7, 3), (10, 5), (11, 5), (100, 7), (257, 256)]


@pytest.mark.parametrize(("n", "batch_size"), SIZES)
def test_an_epoch_gives_every_row_once(n, batch_size):
    data = TrainingSet(numbered_source(n))
    rows = row_numbers(BatchIterator(data, batch_size, generator()))
    assert sorted(sum(rows, [])) == list(range(n))


@pytest.mark.parametrize(("n", "batch_size"), [*SIZES, (1, 4), (9, 2)])
def test_number_of_batches_is_known_and_the_least_possible(n, batch_size):
    batches = BatchIterator(TrainingSet(numbered_source(n)), batch_size, generator())
    assert len(batches) == len(list(batches)) == -(-n // batch_size)


@pytest.mark.parametrize("n", range(2, 60))
def test_sizes_differ_by_one_at_most_and_keep_to_the_limit(n):
    data = TrainingSet(numbered_source(n))
    for batch_size in (3, 4, 7, 32, 64):
        sizes = [len(x) for x, _ in BatchIterator(data, batch_size, generator())]
        assert max(sizes) <= batch_size
        assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("batch_size", [2, 3, 4, 256])
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7, 9])
def test_no_batch_is_a_lone_row(n, batch_size):
    data = TrainingSet(numbered_source(n))
    rows = row_numbers(BatchIterator(data, batch_size, generator()))
    assert min(len(batch) for batch in rows) >= 2
    assert set(sum(rows, [])) == set(range(n))


def test_a_single_sample_is_given_twice():
    data = TrainingSet(numbered_source(1))
    assert row_numbers(BatchIterator(data, 8, generator())) == [[0, 0]]


def test_rows_are_shuffled_anew_every_epoch():
    batches = BatchIterator(TrainingSet(numbered_source(50)), 50, generator())
    first, second = row_numbers(batches), row_numbers(batches)
    assert first != second
    assert first != [list(range(50))]


def test_order_follows_the_generator_alone():
    data = TrainingSet(numbered_source(50))
    state = torch.get_rng_state()
    numpy_state = np.random.get_state()[1].copy()
    first = row_numbers(BatchIterator(data, 8, generator(3)))
    assert row_numbers(BatchIterator(data, 8, generator(3))) == first
    assert row_numbers(BatchIterator(data, 8, generator(4))) != first
    assert torch.equal(torch.get_rng_state(), state)
    assert_array_equal(np.random.get_state()[1], numpy_state)


@pytest.mark.parametrize("n_batches", [1, 3, 4, 5, 8, 11])
def test_an_epoch_of_given_length_passes_over_the_rows_again(n_batches):
    data = TrainingSet(numbered_source(10), n_batches=n_batches)
    batches = BatchIterator(data, 3, generator())  # four batches a pass
    rows = row_numbers(batches)
    assert len(batches) == len(rows) == n_batches
    for start in range(0, n_batches - 3, 4):
        one_pass = sum(rows[start : start + 4], [])
        assert sorted(one_pass) == list(range(10))
    rest = sum(rows[n_batches // 4 * 4 :], [])
    assert len(set(rest)) == len(rest)


def test_a_subset_gives_its_own_rows_with_their_targets():
    chosen = np.array([4, 9, 2, 30, 17])
    targets = torch.tensor([[r, -r] for r in chosen], dtype=torch.float64)
    data = TrainingSet(numbered_source(40), chosen, targets)
    assert len(data) == 5
    seen = []
    for x, (original, target) in BatchIterator(data, 3, generator()):
        assert original is x
        assert_allclose(target, torch.stack([x[:, 0], -x[:, 0]], dim=1))
        seen += x[:, 0].long().tolist()
        assert_allclose(x[:, 1], x[:, 0] + 1000)
    assert sorted(seen) == sorted(chosen)


def test_without_targets_there_is_none():
    batches = BatchIterator(TrainingSet(numbered_source(4)), 2, generator())
    assert [target for _, (_, target) in batches] == [None, None]


def test_views_get_each_batch_its_rows_and_the_generator():
    drawn, calls = generator(), []

    def views(x, rows, given):
        calls.append((x.clone(), rows, given))
        return x + 5000, x - 5000

    chosen, targets = np.array([4, 9, 2, 30, 17, 3]), torch.arange(6.0)[:, None]
    data = TrainingSet(numbered_source(40), chosen, targets)
    out = list(BatchIterator(data, 3, drawn, views))
    assert [given for _, _, given in calls] == [drawn, drawn]
    for (x, (original, target)), (before, rows, _) in zip(out, calls, strict=True):
        assert torch.equal(x, before + 5000)
        assert torch.equal(original, before - 5000)
        assert_array_equal(rows, before[:, 0])
        assert_array_equal(rows, chosen[target[:, 0].long()])


def test_views_of_a_lone_sample_get_its_row_twice():
    rows = []

    def views(x, given, drawn):
        rows.extend(given)
        return x, x

    list(BatchIterator(TrainingSet(numbered_source(1)), 8, generator(), views))
    assert rows == [0, 0]


@pytest.mark.parametrize("at_once", [2, 3, 100])
@pytest.mark.parametrize("n_batches", [None, 3, 7])
def test_batches_that_are_read_together_are_the_same(at_once, n_batches, monkeypatch):
    chosen = np.arange(3, 26)
    targets = torch.from_numpy(-chosen)[:, None]
    data = TrainingSet(numbered_source(40), chosen, targets, n_batches)
    expected = list(BatchIterator(data, 5, generator()))
    monkeypatch.setattr(Source, "batches_at_once", lambda self, size: at_once)
    found = list(BatchIterator(data, 5, generator()))
    assert len(found) == len(expected) == (n_batches or 5)
    for (x, (original, target)), (y, _) in zip(found, expected):
        assert original is x
        assert torch.equal(x, y)  # in the same order: nothing else is drawn
        assert_array_equal(target, -x[:, :1])


@pytest.mark.parametrize("at_once", [1, 4])
def test_views_of_batches_that_are_read_together(at_once, monkeypatch):
    monkeypatch.setattr(Source, "batches_at_once", lambda self, size: at_once)

    def views(x, rows, random):
        assert_array_equal(x[:, 0], rows)
        return x + 0.5, -x

    batches = list(
        BatchIterator(TrainingSet(numbered_source(23)), 4, generator(), views)
    )
    assert [len(x) for x, _ in batches] == [4, 4, 4, 4, 4, 3]
    for x, (original, _) in batches:
        assert_array_equal(original, 0.5 - x)
    seen = torch.cat([x[:, 0] for x, _ in batches]) - 0.5
    assert sorted(seen.tolist()) == list(range(23))
