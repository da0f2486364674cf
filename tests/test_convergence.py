"""When labels count as settled."""

import math

import numpy as np
import pytest

from deepdensity.convergence import PATIENCE, LabelWatch


def settled_at(sequence, tol, counted):
    """The loop by hand: for each refresh, the share that changed and the verdict."""
    results, quiet = [], 0
    for t in range(1, len(sequence)):
        n_changed = sum(a != b for a, b in zip(sequence[t - 1], sequence[t]))
        change = n_changed / len(sequence[t])
        quiet = quiet + 1 if change < tol and counted[t] else 0
        results.append((change, quiet >= PATIENCE))
    return results


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("tol", [0.0, 0.05, 0.2, 1.1])
def test_watch_agrees_with_the_loop_by_hand(seed, tol):
    random = np.random.default_rng(seed)
    sequence = [random.integers(3, size=20)]
    for _ in range(30):
        labels = sequence[-1].copy()
        moved = random.integers(20, size=random.integers(5))
        labels[moved] = random.integers(3, size=len(moved))
        sequence.append(labels)
    counted = random.random(31) < 0.9
    watch = LabelWatch(sequence[0], tol)
    expected = settled_at(sequence, tol, counted)
    for t, (change, verdict) in enumerate(expected, start=1):
        assert watch.update(sequence[t], count=counted[t]) == verdict
        assert watch.change == change
        assert watch.labels is sequence[t]


def test_labels_settle_after_two_quiet_refreshes():
    labels = np.zeros(10, dtype=int)
    watch = LabelWatch(labels, tol=0.01)
    assert [watch.update(labels.copy()) for _ in range(3)] == [False, True, True]


def test_nothing_has_changed_before_the_first_refresh():
    watch = LabelWatch(np.zeros(3, dtype=int), tol=0.1)
    assert math.isnan(watch.change)


def test_tolerance_zero_never_settles():
    labels = np.zeros(10, dtype=int)
    watch = LabelWatch(labels, tol=0.0)
    assert not any(watch.update(labels) for _ in range(20))


def test_a_change_of_exactly_tol_is_not_small():
    watch = LabelWatch(np.array([0, 0, 0, 0]), tol=0.25)
    verdicts = [watch.update(np.array([0, 0, 0, last])) for last in (1, 1, 0, 0, 0)]
    assert verdicts == [False, False, False, False, True]


def test_a_loud_refresh_starts_the_count_anew():
    quiet, loud = np.zeros(10, dtype=int), np.ones(10, dtype=int)
    watch = LabelWatch(quiet, tol=0.01)
    verdicts = [watch.update(x) for x in (quiet, loud, loud, loud)]
    assert verdicts == [False, False, False, True]


def test_a_refresh_that_does_not_count_starts_the_count_anew():
    labels = np.zeros(10, dtype=int)
    watch = LabelWatch(labels, tol=0.01)
    counted = [True, False, True, True]
    verdicts = [watch.update(labels, count=count) for count in counted]
    assert verdicts == [False, False, False, True]
