"""Recorded steps: what is replayed does to each batch what the step itself does."""

import gc

import pytest
import torch

from deepdensity.training.cuda_graphs import (
    MOST_SHAPES,
    WARM_UP,
    RecordedSteps,
    no_collection,
)

from .common import Recorder, overlapping, points


class Blind(Recorder):
    """Of a step that asks the GPU for a value."""

    def record(self, step, inputs):
        self.n_recorded += 1
        raise RuntimeError("operation not permitted when stream is capturing")


def weighted_sum(x, original, target):
    total = (x - 2 * original).sum()
    return total if target is None else total + target.sum(), None


def batch_of(size, seed, target=True):
    values = torch.from_numpy(points(seed, 3 * size, 4)).split(size)
    return values[0], values[1], values[2] if target else None


def as_the_step(steps, batch):
    expected, _ = weighted_sum(*batch)
    found, _ = steps(*batch)
    return found.item() == pytest.approx(expected.item(), rel=1e-6)


@pytest.mark.parametrize("target", [True, False])
def test_a_replay_is_of_the_batch_at_hand(target):
    recorder = Recorder()
    steps = RecordedSteps(weighted_sum, recorder)
    for seed in range(8):
        assert as_the_step(steps, batch_of(5, seed, target))
    assert recorder.n_run == WARM_UP
    assert recorder.n_recorded == 1
    assert recorder.n_replayed == 8 - WARM_UP


def test_a_batch_stays_as_it_is():
    steps = RecordedSteps(weighted_sum, Recorder())
    batches = [batch_of(5, seed) for seed in range(8)]
    copies = [[x.clone() for x in batch] for batch in batches]
    for batch in batches:
        steps(*batch)
    for batch, copy in zip(batches, copies):
        assert all(map(torch.equal, batch, copy))


def test_each_shape_has_a_record_of_its_own():
    recorder = Recorder()
    steps = RecordedSteps(weighted_sum, recorder)
    for seed in range(16):
        assert as_the_step(steps, batch_of(5 - seed % 2, seed, target=seed % 4 < 2))
    assert recorder.n_recorded == len(steps.recorded) == 4
    assert recorder.n_run == 4 * WARM_UP


def test_the_oldest_of_many_shapes_goes():
    recorder = Recorder()
    steps = RecordedSteps(weighted_sum, recorder)
    for size in range(1, MOST_SHAPES + 4):
        for seed in range(WARM_UP + 2):
            assert as_the_step(steps, batch_of(size, seed))
    assert len(steps.recorded) == MOST_SHAPES
    recorded = recorder.n_recorded
    steps(*batch_of(MOST_SHAPES + 3, 0))
    assert recorder.n_recorded == recorded
    assert as_the_step(steps, batch_of(1, 0))  # was forgotten
    assert recorder.n_recorded == recorded + 1


def test_a_step_that_cannot_be_recorded_runs_as_it_is():
    recorder = Blind()
    steps = RecordedSteps(weighted_sum, recorder)
    for seed in range(8):
        assert as_the_step(steps, batch_of(5, seed))
    assert (recorder.n_run, recorder.n_recorded) == (8, 1)  # not tried again


def test_forgotten_steps_are_recorded_anew():
    recorder = Recorder()
    steps = RecordedSteps(weighted_sum, recorder)
    for seed in range(6):
        steps(*batch_of(5, seed))
    steps.forget()
    for seed in range(6):
        assert as_the_step(steps, batch_of(5, seed))
    assert (recorder.n_run, recorder.n_recorded) == (2 * WARM_UP, 2)


@pytest.mark.parametrize("on", [True, False])
def test_garbage_waits_for_a_record_alone(on):
    try:
        if not on:
            gc.disable()
        with no_collection:
            assert not gc.isenabled()
        assert gc.isenabled() is on
        assert overlapping(no_collection, gc.isenabled) is False
        assert gc.isenabled() is on
    finally:
        gc.enable()
