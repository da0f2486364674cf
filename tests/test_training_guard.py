"""The guard of the clustering phase: what it takes for a fault and what it does."""

import copy

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from skorch.callbacks import Callback, LRScheduler
from torch.optim.lr_scheduler import OneCycleLR

from deepdensity.losses import InstabilityLoss
from deepdensity.training.batches import TrainingSet
from deepdensity.training.guard import LOST, MAX_ROLLBACKS, Guard

from .common import digits_source, trainer

LABELS = np.repeat([0, 1, 2], [100, 40, 10])  # a fourth cluster is empty
GOOD = np.zeros((150, 5))
DIVERGED = np.full((150, 5), np.nan)


class Phase:
    """A net amid its clustering phase, and its guard."""

    def __init__(self, **more):
        self.run = trainer(digits_source(), **more)
        centres = np.random.default_rng(0).normal(size=(4, 5))
        self.loss = InstabilityLoss(centres, balance=0.3)
        self.phase = self.run.phase("cluster", self.loss, 10, 100)
        self.net = self.phase.__enter__()
        self.guard = Guard(self.net, LABELS, 4)

    def train(self, n_steps=3):
        self.net.fit_loop(TrainingSet(self.run.source, n_batches=n_steps), epochs=1)

    def state(self):
        return copy.deepcopy({**self.run.module.state_dict(), "c": self.loss.centres})


def same(one, other):
    return all(torch.equal(value, other[key]) for key, value in one.items())


def sizes(*counts):
    return np.repeat(np.arange(len(counts)), counts)


# -- what a fault is -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "fault"),
    [
        (LABELS, ""),
        (sizes(5, 2, 1, 142), ""),  # a twentieth of its size is enough
        (sizes(4, 2, 1, 143), "collapsed"),
        (sizes(100, 1, 10, 39), "collapsed"),
        (sizes(100, 50), "collapsed"),
        (sizes(100, 40, 10, 0), ""),  # what was empty may stay so
    ],
)
def test_a_cluster_is_lost_below_a_twentieth_of_its_size_at_the_start(labels, fault):
    assert LOST == 0.05
    assert Phase().guard.fault(GOOD, labels) == fault


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_one_number_that_is_not_finite_is_divergence(value):
    Z = GOOD.copy()
    Z[77, 3] = value
    assert Phase().guard.fault(Z, LABELS) == "diverged"


# -- what is done about it -------------------------------------------------------------


@pytest.mark.parametrize(
    ("Z", "labels", "fault"),
    [(DIVERGED, LABELS, "diverged"), (GOOD, 0 * LABELS, "collapsed")],
)
def test_network_and_centres_go_back_to_the_last_good_state(Z, labels, fault):
    phase = Phase()
    phase.train()
    assert phase.guard.passes(GOOD, LABELS)
    good = phase.state()
    phase.train()
    assert not same(good, phase.state())
    assert not phase.guard.passes(Z, labels)
    assert same(good, phase.state())
    assert "rollback" not in phase.net.history[0]
    assert phase.net.history[1, "rollback"] == fault
    phase.train()  # the good state is a copy: it can be gone back to once more
    assert not phase.guard.passes(Z, labels)
    assert same(good, phase.state())


def test_before_the_first_refresh_the_start_is_the_good_state():
    phase = Phase()
    start = phase.state()
    phase.train()
    phase.guard.passes(DIVERGED, LABELS)
    assert same(start, phase.state())


def test_a_state_that_passes_is_left_alone():
    phase = Phase()
    phase.train()
    before, momentum = phase.state(), len(phase.net.optimizer_.state)
    assert phase.guard.passes(GOOD, LABELS)
    assert same(before, phase.state())
    assert len(phase.net.optimizer_.state) == momentum > 0
    assert phase.net.optimizer_.param_groups[0]["lr"] == 1e-3


@pytest.mark.parametrize("schedule", ["constant", "one-cycle"])
def test_the_learning_rate_is_halved_and_momentum_forgotten(schedule):
    rates = {}
    for fault in (False, True):
        phase = Phase(schedule=schedule)
        phase.train()
        if fault:
            phase.guard.passes(DIVERGED, LABELS)
            assert not phase.net.optimizer_.state
        phase.train(1)
        rates[fault] = [group["lr"] for group in phase.net.optimizer_.param_groups]
    assert rates[True] == [rate / 2 for rate in rates[False]]


@pytest.mark.parametrize(
    ("policy", "more"),
    [
        ("LambdaLR", {"lr_lambda": lambda epoch: 1.0}),
        ("StepLR", {"step_size": 100}),
        ("ExponentialLR", {"gamma": 1.0}),
        ("CosineAnnealingLR", {"T_max": 10**9}),
        (OneCycleLR, {"max_lr": 1e-3, "total_steps": 10**6, "pct_start": 0.5}),
        ("CyclicLR", {"base_lr": 1e-3, "max_lr": 1e-3, "cycle_momentum": False}),
    ],
)
def test_the_rate_of_a_scheduler_of_torch_stays_halved(policy, more):
    rates = {}
    for fault in (False, True):
        phase = Phase(callbacks=[LRScheduler(policy, **more)])
        phase.train(1)
        if fault:
            phase.guard.passes(DIVERGED, LABELS)
        rates[fault] = []
        for _ in range(3):
            phase.net.run_epoch(TrainingSet(phase.run.source, n_batches=1))
            rates[fault].append(phase.net.optimizer_.param_groups[0]["lr"])
    assert_allclose(rates[True], np.array(rates[False]) / 2, rtol=1e-6)


class Mine(Callback):
    """A user's own, with the names that the package's schedule has."""

    schedule, lr = "every fifth", 0.8


def test_callbacks_of_a_users_own_are_left_alone():
    mine = Mine()
    phase = Phase(callbacks=[mine], schedule="one-cycle")
    phase.train()
    phase.guard.passes(DIVERGED, LABELS)
    assert vars(mine) == {}


def test_training_goes_on_after_a_fault_as_a_fresh_optimiser_would():
    ends = []
    for _ in range(2):
        phase = Phase()
        phase.train()
        phase.guard.passes(DIVERGED, LABELS)
        phase.train(5)
        ends.append(phase.state())
    assert same(*ends)
    assert not same(ends[0], Phase().state())
    assert all(value.isfinite().all() for value in ends[0].values())


def test_the_guard_gives_up_after_three_faults():
    guard = Phase().guard
    assert MAX_ROLLBACKS == 3
    guard.net.history.new_epoch()
    gave_up = []
    for _ in range(3):
        guard.passes(DIVERGED, LABELS)
        gave_up.append(guard.gave_up)
    assert gave_up == [False, False, True]


# -- what is said ----------------------------------------------------------------------


@pytest.mark.parametrize("n_faults", [1, 2, 3])
def test_faults_are_told(n_faults):
    phase = Phase()
    phase.train()
    for _ in range(n_faults):
        phase.guard.passes(DIVERGED, LABELS)
    message = phase.guard.report()
    assert "'rollback' in history_" in message
    assert f"diverged {n_faults} time" in message
    assert ("ended there" in message) == (n_faults == 3)


def test_nothing_is_said_where_all_went_well():
    phase = Phase()
    phase.train()
    phase.guard.passes(GOOD, LABELS)
    assert phase.guard.report() == ""
    assert_array_equal(phase.guard.first_sizes, [100, 40, 10, 0])


def test_an_end_below_its_start_is_in_the_history_alone():
    phase = Phase()
    phase.train()
    phase.guard.end_at_start()
    assert phase.guard.report() == ""
    assert phase.net.history[-1]["rollback"] == "worse than the start"


def test_a_guard_that_does_not_watch_finds_no_fault():
    phase = Phase()
    guard = Guard(phase.net, LABELS, 4, watches=False)
    phase.train()
    before = phase.state()
    assert guard.passes(DIVERGED, LABELS)
    assert same(before, phase.state())
    assert (guard.n_rollbacks, guard.at_start, guard.gave_up) == (0, False, False)
    assert guard.report() == ""


def test_before_the_first_epoch_there_is_nothing_to_go_back_from():
    phase = Phase()
    assert phase.guard.passes(DIVERGED, LABELS)
    assert (phase.guard.n_rollbacks, phase.guard.at_start) == (0, True)
