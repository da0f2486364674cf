"""The course of the learning rate over the steps of a phase."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from skorch.callbacks import LRScheduler
from skorch.history import History

from deepdensity.training.schedules import (
    SCHEDULES,
    RecordedRate,
    ScheduledRate,
    one_cycle,
    set_rate,
)

from . import reference
from .common import BOTH, decs, digit_vectors, idcl


def test_schedules_have_the_names_of_the_parameter():
    assert SCHEDULES == {"one-cycle": one_cycle}
    for short in BOTH:
        with pytest.raises(ValueError, match="'constant'.*'one-cycle'|'one-cycle'.*'c"):
            short(schedule="two-cycle").fit(digit_vectors(20)[0])


def test_one_cycle_agrees_with_its_definition():
    progress = np.linspace(0, 1.2, 241)
    found = [one_cycle(u) for u in progress]
    expected = [reference.one_cycle(u) for u in progress]
    assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


def test_one_cycle_warms_up_for_a_tenth_and_ends_at_0():
    assert [one_cycle(u) for u in (0, 0.05, 0.1)] == [0, 0.5, 1]
    assert_allclose([one_cycle(u) for u in (0.55, 1, 7)], [0.5, 0, 0], atol=1e-15)
    rising, falling = np.linspace(0, 0.1, 50), np.linspace(0.1, 1, 50)
    assert (np.diff([one_cycle(u) for u in rising]) > 0).all()
    assert (np.diff([one_cycle(u) for u in falling]) < 0).all()


@pytest.mark.parametrize("warm_up", [0.0, 0.1, 0.25])
def test_one_cycle_takes_the_warm_up_that_it_is_given(warm_up):
    progress = np.linspace(0, 1.2, 241)
    found = [one_cycle(u, warm_up) for u in progress]
    expected = [reference.one_cycle(u, warm_up) for u in progress]
    assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


def test_without_warm_up_the_rate_only_falls():
    rates = rates_of(ScheduledRate(one_cycle, 0.4, 20, warm_up=0.0), 20)
    assert rates[0] > 0.39
    assert (np.diff(rates) < 0).all()


def net_of_two_groups():
    groups = [{"lr": 7.0}, {"lr": 7.0}]
    return SimpleNamespace(optimizer_=SimpleNamespace(param_groups=groups))


def rates_of(callback, n_steps):
    net, rates = net_of_two_groups(), []
    for _ in range(n_steps):
        callback.on_batch_begin(net, training=True)
        first, second = (group["lr"] for group in net.optimizer_.param_groups)
        assert first == second
        rates.append(first)
    return rates


@pytest.mark.parametrize("n_steps", [1, 3, 20])
def test_every_step_has_the_rate_of_its_middle(n_steps):
    found = rates_of(ScheduledRate(one_cycle, 0.4, n_steps), n_steps)
    middles = (np.arange(n_steps) + 0.5) / n_steps
    assert_allclose(found, [0.4 * reference.one_cycle(u) for u in middles])
    assert min(found) > 0


def test_steps_beyond_the_length_stand_still():
    assert_allclose(rates_of(ScheduledRate(one_cycle, 0.4, 5), 8)[5:], 0, atol=1e-15)


def test_a_rate_that_is_lowered_meanwhile_holds_from_the_next_step_on():
    callback = ScheduledRate(lambda progress, warm_up: 1.0, 0.4, 10)
    assert rates_of(callback, 2) == [0.4, 0.4]
    callback.lr /= 2
    assert rates_of(callback, 2) == [0.2, 0.2]


def test_batches_of_validation_are_no_steps():
    callback, net = ScheduledRate(one_cycle, 0.4, 10), net_of_two_groups()
    callback.on_batch_begin(net, training=False)
    assert net.optimizer_.param_groups[0]["lr"] == 7
    assert callback.step == 0


def test_a_rate_that_is_a_tensor_stays_the_same_one():
    group = {"lr": torch.tensor(7.0)}
    rate = group["lr"]
    set_rate(group, 0.5)
    assert group["lr"] is rate
    assert rate == 0.5
    group = {"lr": 7.0}
    set_rate(group, 0.5)
    assert group == {"lr": 0.5}


# -- in the history of a fit -----------------------------------------------------------


@pytest.mark.parametrize("short", BOTH)
def test_the_rate_of_each_epochs_last_step_is_in_the_history(short):
    X, _ = digit_vectors(200)  # two batches an epoch
    history = short(lr=1e-3, tol=0).fit(X).history_
    expected = [1e-3 * one_cycle((2 * epoch + 1.5) / 16) for epoch in range(8)]
    assert_allclose(history[:8, "lr"], expected)
    rates = [row["lr"] for row in history if row["phase"] == "cluster"]
    assert (np.diff(rates) < 0).all() and 0 < rates[0] < 1e-3


@pytest.mark.parametrize("short", BOTH)
def test_the_rate_has_come_down_by_the_end_of_the_clustering_phase(short):
    every_sample = {"pacing": "none"} if short is idcl else {}
    X, _ = digit_vectors()  # 12 steps either way
    history = short(tol=0, lr=1e-3, **every_sample).fit(X).history_
    rates = [row["lr"] for row in history if row["phase"] == "cluster"]
    assert_allclose(rates[-1], 1e-3 * reference.one_cycle(1 - 0.5 / 12, 0.0))


@pytest.mark.parametrize("short", BOTH)
def test_a_constant_rate_is_in_the_history_too(short):
    history = short(lr=1e-3, schedule="constant").fit(digit_vectors(150)[0]).history_
    assert set(history[:, "lr"]) == {1e-3}


@pytest.mark.parametrize("step_every", ["epoch", "batch"])
def test_the_rate_noted_is_the_one_that_was_used(step_every):
    rates = LRScheduler("ExponentialLR", gamma=0.5, step_every=step_every)
    model = decs(callbacks=[rates], schedule="constant", lr=1e-3)
    history = model.fit(digit_vectors(200)[0]).history_
    steps = np.arange(8) if step_every == "epoch" else 2 * np.arange(8) + 1
    assert_allclose(history[:8, "lr"], 1e-3 * 0.5**steps)


def test_the_recorded_rate_is_that_of_the_last_training_step():
    rate = torch.tensor(0.5)  # as where steps are recorded, which fill it
    net = SimpleNamespace(
        optimizer_=SimpleNamespace(param_groups=[{"lr": rate}]), history=History()
    )
    net.history.new_epoch()
    recorded = RecordedRate()
    recorded.on_batch_end(net, training=True)
    rate.fill_(0.25)
    recorded.on_batch_end(net, training=False)
    recorded.on_epoch_end(net)
    assert net.history[-1, "lr"] == 0.5
