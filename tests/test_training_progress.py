"""The progress bars: which there are, how they move, and what stands behind them."""

import re

import pytest
from skorch.callbacks import Callback

from deepdensity import first_clusters
from deepdensity.losses import ReconstructionLoss
from deepdensity.starts import best_trial
from deepdensity.training import progress
from deepdensity.training.batches import TrainingSet

from .common import (
    BOTH,
    decs,
    digit_images,
    digit_vectors,
    digits_source,
    idcl,
    small_conv,
    trainer,
)


class Bars:
    """Stands in for tqdm, and notes how the bars move."""

    def __init__(self):
        self.made = []

    def __call__(self, total, desc, bar_format, disable):
        assert not disable
        self.made.append(Bar(total, desc))
        return self.made[-1]

    def of(self, title):
        (bar,) = (bar for bar in self.made if bar.title == title)
        return bar


class Bar:
    def __init__(self, total, title):
        self.total = total
        self.title = title
        self.n = 0
        self.places = []
        self.told = []
        self.closed = 0

    def update(self, n):
        self.n += n
        self.places.append(self.n)

    def set_postfix(self, told, refresh):
        self.told.append(dict(told))

    def refresh(self):
        self.places.append(self.n)

    def close(self):
        self.closed += 1


@pytest.fixture
def bars(monkeypatch):
    bars = Bars()
    monkeypatch.setattr(progress, "tqdm", bars)
    return bars


@pytest.mark.parametrize("short", BOTH)
def test_there_is_a_bar_for_each_phase_and_it_is_closed(short, bars):
    short(verbose=1).fit(digit_vectors(200)[0])
    titles = ["pretraining", "clustering"] + ["decoder"] * (short is decs)
    assert [bar.title for bar in bars.made] == titles
    assert all(bar.closed == 1 for bar in bars.made)
    for bar in bars.made:
        assert all(float(told["loss"]) > 0 for told in bar.told)
    assert bars.made[0].n == bars.made[0].total == 8


def test_a_bar_moves_with_every_batch_of_a_long_epoch(bars):
    run = trainer(digits_source(), verbose=1)
    with run.phase("cluster", ReconstructionLoss(), 2, 20) as net:
        for _ in range(2):
            net.fit_loop(TrainingSet(run.source, n_batches=10), epochs=1)
    bar = bars.of("clustering")
    assert bar.total == 2
    steps = [place for i, place in enumerate(bar.places) if i % 11 < 10]
    assert steps == pytest.approx([(i + 1) / 10 for i in range(20)])
    assert bar.n == 2
    assert [told["epoch"] for told in bar.told] == ["1/2"] * 10 + ["2/2"] * 10


def test_the_curriculum_and_label_changes_stand_behind_the_bar(bars):
    model = idcl(verbose=1, tol=0).fit(digit_vectors(200)[0])
    assert all("samples" not in told for told in bars.of("pretraining").told)
    told = bars.of("clustering").told
    sizes = {entry["epoch"]: entry["samples"] for entry in told}
    assert list(sizes.values()) == [f"{len(rows)}/200" for rows in model.curriculum_]
    changes = [row["label_change"] for row in model.history_[8:]]
    shown = [entry.get("label_change") for entry in told if entry["epoch"] == "2/4"]
    assert set(shown) == {f"{changes[0]:.3f}"}


def test_label_changes_of_decs_stand_behind_the_bar(bars):
    model = decs(verbose=1, tol=0).fit(digit_vectors(200)[0])
    rows = [row for row in model.history_ if row["phase"] == "cluster"]
    last = bars.of("clustering").told[-1]
    assert last["label_change"] == f"{rows[-2]['label_change']:.3f}"
    assert "samples" not in last


def test_the_loss_shown_is_a_mean_over_the_last_steps(bars):
    losses = []

    class Losses(Callback):
        def on_batch_end(self, net, **kwargs):
            losses.append(net.history[-1]["batches"][-1]["train_loss"])

    trainer(digits_source(), verbose=1, callbacks=[Losses()]).pretrain(2)
    mean, expected = losses[0], []
    for loss in losses:
        mean = 0.9 * mean + 0.1 * loss
        expected.append(f"{mean:.4g}")
    assert [told["loss"] for told in bars.of("pretraining").told] == expected


def test_the_trials_of_starts_share_a_bar(bars, monkeypatch):
    monkeypatch.setattr(first_clusters, "TRIAL_STEPS", 5)
    model = idcl(init="auto", autoencoder=small_conv, verbose=1, max_epochs=1)
    model.fit(digit_images(150)[0])
    bar = bars.of("trials of starts")
    tried = [name.split(",")[0] for name in model.start_scores_]
    n_parts = len({name for name in tried if name.startswith("parts")})
    assert n_parts  # which are trained twice, before they are merged and after
    assert bar.n == len(model.start_scores_) + n_parts == bar.total  # 100 %
    assert bar.closed == 1
    assert len(bar.told) == 5 * bar.n


class Fail(Callback):
    """Breaks off a phase in its third step."""

    def __init__(self, phase):
        self.phase = phase

    def on_batch_end(self, net, **kwargs):
        if net.phase == self.phase and len(net.history[-1]["batches"]) == 3:
            raise RuntimeError("no more")


@pytest.mark.parametrize("phase", ["pretrain", "cluster", "decoder"])
def test_no_bar_is_left_open_by_a_fit_that_fails(bars, phase):
    model = decs(verbose=1, callbacks=[Fail(phase)], batch_size=20)
    with pytest.raises(RuntimeError, match="no more"):
        model.fit(digit_vectors(150)[0])
    assert [bar.closed for bar in bars.made] == [1] * len(bars.made)
    titles = {"pretrain": "pretraining", "cluster": "clustering"}
    assert bars.made[-1].title == titles.get(phase, phase)


def test_the_bar_of_trials_is_closed_where_they_fail(bars, monkeypatch):
    def fail(*args):
        raise RuntimeError("no repair")

    monkeypatch.setattr(first_clusters, "TRIAL_STEPS", 2)
    monkeypatch.setattr(best_trial, "split_and_merge", fail)
    images, _ = digit_images(150)
    model = decs(verbose=1, init="auto", autoencoder=small_conv)
    with pytest.raises(RuntimeError, match="no repair"):
        model.fit(images)
    assert bars.of("trials of starts").closed == 1


@pytest.mark.parametrize("short", BOTH)
def test_nothing_is_printed_without_verbose(short, capfd, monkeypatch):
    monkeypatch.setattr(first_clusters, "TRIAL_STEPS", 2)
    model = short(init="auto", autoencoder=small_conv)
    model.fit(digit_images(100)[0]).predict(digit_images(100)[0])
    assert capfd.readouterr() == ("", "")


def test_the_bar_says_how_far_it_is_and_how_long_it_will_take(capfd):
    idcl(verbose=1).fit(digit_vectors(150)[0])
    out, err = capfd.readouterr()
    assert out == ""
    last = err.strip().split("\r")[-1]
    assert re.search(
        r"clustering: 100%\|.*\| \d\d:\d\d<\d\d:\d\d, epoch=4/4, "
        r"samples=\d+/150, (label_change=[\d.]+, )?loss=",
        last,
    )


@pytest.mark.parametrize("short", BOTH)
def test_a_program_without_a_console_trains_without_a_bar(short, monkeypatch):
    monkeypatch.setattr("sys.stderr", None)
    model = short(verbose=1).fit(digit_vectors(100)[0])
    assert model.n_iter_ > 0
