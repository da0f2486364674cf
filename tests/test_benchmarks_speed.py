"""The speed benchmark: times in turns, ratios, and that both sides do the same work."""

import copy
import re
import sys
from types import SimpleNamespace

import pytest
import torch
from numpy.testing import assert_allclose
from sklearn.utils import Bunch
from torch import nn

from benchmarks.papers.data import Samples
from benchmarks.plain_layers import with_layers_of_torch
from benchmarks.speed import (
    profile,
    refresh,
    roofline,
    search,
    selection,
    steps,
    throughput,
    timing,
    whole_fits,
)
from deepdensity import DECSClustering, IDCLClustering
from deepdensity.networks.conv import ConvAutoencoder
from deepdensity.networks.convolutions import Conv2d, ConvTranspose2d
from deepdensity.training.phase_net import AutoencoderNet
from deepdensity.training.trainer import Trainer

from .common import BOTH, digit_vectors, small_conv

CPU = torch.device("cpu")


class Clock:
    """A clock that only the functions under test move."""

    def __init__(self, monkeypatch):
        self.now, self.calls = 0.0, []
        monkeypatch.setattr(timing.time, "perf_counter", lambda: self.now)

    def function(self, name, seconds):
        def call():
            self.calls.append(name)
            self.now += seconds

        return call


def test_functions_are_timed_in_turns_after_a_round_of_warming_up(monkeypatch):
    clock = Clock(monkeypatch)
    functions = [clock.function("a", 2.0), clock.function("b", 3.0)]
    seconds = timing.interleaved(functions, 2, CPU)
    assert_allclose(seconds, [[2, 3], [2, 3]])
    assert clock.calls == ["a", "b", "b", "a", "a", "b"]


def test_a_ratio_is_of_the_rounds_and_its_times_are_of_a_call(monkeypatch):
    clock = Clock(monkeypatch)
    ours, other = clock.function("a", 3.0), clock.function("b", 2.0)
    row = timing.ratio("what", ours, other, 3, CPU, "<= 2", n_calls=10)
    assert_allclose([row.time, row.over, row.median], [0.3, 0.2, 1.5])
    assert_allclose(row.ratios, [1.5] * 3)
    line = timing.table([row]).splitlines()[1]
    assert re.match(r"what +300\.00 +200\.00 +1\.500  1\.50 to 1\.50 +<= 2$", line)


@pytest.mark.parametrize("loss", steps.LOSSES)
@pytest.mark.parametrize("network", ["shallow", "conv"])
def test_the_bare_loop_takes_the_same_steps(network, loss, monkeypatch):
    monkeypatch.setattr(steps, "N_SAMPLES", 32)
    monkeypatch.setattr(steps, "BATCH", 16)
    monkeypatch.setattr(steps, "N_STEPS", 4)
    ends = []
    for way in ("ours", "bare_loop"):
        setting = steps.Setting(network, loss, CPU, False)
        getattr(setting, way)()
        ends.append(torch.cat([p.flatten() for p in setting.module.parameters()]))
    start = steps.Setting(network, loss, CPU, False).module
    start = torch.cat([p.flatten() for p in start.parameters()])
    assert (ends[0] - start).norm() > 1e-3
    assert (ends[0] - ends[1]).norm() < 1e-2 * (ends[0] - start).norm()


def test_a_compiled_step_stands_beside_one_that_is_not(monkeypatch):
    monkeypatch.setattr(steps, "NETWORKS", {"shallow": (2000,)})
    compiled, trainer = [], steps.Trainer

    def seen(*args, **params):
        compiled.append(params["compiled"])
        return trainer(*args, **{**params, "compiled": False})

    monkeypatch.setattr(steps, "Trainer", seen)
    rows = [r for r in steps.compiled_step(CPU, 1) if r.what.endswith("f32")]
    assert [row.what for row in rows] == [
        f"compiled step, shallow, {loss}, f32" for loss in steps.LOSSES
    ]
    # in turns: a round of warming up, another one the other way round
    assert compiled[:4] == [True, False, False, True]


def test_gradients_by_products_stand_beside_torchs_own(monkeypatch):
    monkeypatch.setattr(steps, "N_SAMPLES", 16)
    monkeypatch.setattr(steps, "BATCH", 8)
    monkeypatch.setattr(steps, "N_STEPS", 2)
    seen, trainer = [], steps.Trainer

    def noted(module, *args, **more):
        first, last = module.encoder[0], module.decoder[-1]
        seen.append({type(first), type(last)})
        return trainer(module, *args, **more)

    monkeypatch.setattr(steps, "Trainer", noted)
    rows = [r for r in steps.step_by_products(CPU, 1) if r.what.endswith("f32")]
    assert [row.what for row in rows] == [
        f"by products, conv, {loss}, f32" for loss in steps.LOSSES
    ]
    assert seen[:4] == [{Conv2d}, {nn.Conv2d}, {nn.Conv2d}, {Conv2d}]


def test_a_network_of_torchs_layers_has_the_same_weights_and_function():
    module = ConvAutoencoder((1, 16, 16), 10).eval()
    plain = with_layers_of_torch(copy.deepcopy(module))
    for layer in plain.modules():
        assert type(layer).__module__.startswith(
            ("torch.", "deepdensity.networks.conv")
        )
        assert not isinstance(layer, (Conv2d, ConvTranspose2d))
    x = torch.randn(2, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        z = module.encode(x)
        assert torch.equal(plain.encode(x), z)
        assert torch.equal(plain.decode(z), module.decode(z))
    assert plain.state_dict().keys() == module.state_dict().keys()


def test_reduced_images_stand_beside_whole_ones(monkeypatch):
    seen = []
    monkeypatch.setattr(steps, "N_SAMPLES", 16)
    monkeypatch.setattr(steps, "BATCH", 8)
    monkeypatch.setattr(steps, "N_STEPS", 2)
    trainer = steps.Trainer

    def noted(module, source, *args, **more):
        seen.append((module.inner_size, source.format.layout.shape))
        return trainer(module, source, *args, **more)

    monkeypatch.setattr(steps, "Trainer", noted)
    rows = list(steps.reduced_step(CPU, 1))
    assert [row.what for row in rows] == [
        f"step, 28 x 28, conv16 over conv, {loss}" for loss in steps.LOSSES
    ]
    assert set(seen) == {((16, 16), (1, 28, 28)), ((28, 28), (1, 28, 28))}
    assert seen[0] == ((16, 16), (1, 28, 28))


def test_operations_are_those_of_the_layers(monkeypatch):
    monkeypatch.setattr(steps, "N_SAMPLES", 32)
    monkeypatch.setattr(steps, "BATCH", 16)
    monkeypatch.setattr(steps, "N_STEPS", 2)
    monkeypatch.setattr(roofline, "N_STEPS", 2)
    setting = steps.Setting("shallow", "reconstruction", CPU, False)
    sizes = [p.numel() for p in setting.module.parameters() if p.ndim == 2]
    # forward, and back to weights and inputs; the data need no gradient
    assert roofline.operations(setting) == 16 * (6 * sum(sizes) - 2 * sizes[0])


def test_the_floor_is_of_arithmetic_and_of_the_optimiser():
    assert_allclose(roofline.floor(6e9, 1e6, 2e9, 1e8), 3.0 + 0.28)


def test_steps_stand_beside_the_floor_of_their_network(monkeypatch):
    monkeypatch.setattr(steps, "NETWORKS", {"shallow": (2000,)})
    monkeypatch.setattr(roofline, "peak_rate", lambda device, bfloat16: 1e9)
    monkeypatch.setattr(roofline, "bandwidth", lambda device: 1e9)
    monkeypatch.setattr(roofline, "operations", lambda setting: 2e9)
    rows = [r for r in roofline.step_over_roofline(CPU, 1) if r.what.endswith("f32")]
    assert [row.what.split(", ")[:3] for row in rows] == [
        ["floor", "shallow", loss] for loss in steps.LOSSES
    ]
    module = steps.Setting("shallow", "reconstruction", CPU, False).module
    n_parameters = sum(p.numel() for p in module.parameters())
    for row in rows:
        assert_allclose(row.over, 2.0 + 28e-9 * n_parameters)
        assert_allclose(row.ratios, row.time / row.over)


def test_transform_and_forward_are_of_the_same_rows(monkeypatch):
    monkeypatch.setattr(throughput, "N_SAMPLES", 1000)
    monkeypatch.setattr(throughput, "SHAPES", {"mlp": (20,)})
    rows = list(throughput.transform_over_forward(CPU, 1))
    assert [row.what for row in rows] == [
        "transform, mlp, float32, over forward",
        "predict, mlp, float32, over forward",
        "transform, mlp, uint8, over forward",
        "predict, mlp, uint8, over forward",
    ]
    assert all(row.median > 0 for row in rows)


@pytest.mark.parametrize("estimator", refresh.ESTIMATORS)
@pytest.mark.parametrize(
    ("network", "shape", "n"), [("mlp", (8,), 300), (small_conv, (8, 8), 3300)]
)
def test_the_share_of_refreshes_is_from_one_to_the_next(
    estimator, network, shape, n, monkeypatch
):
    clock = Clock(monkeypatch)  # of all modules: they share the module time
    events = []

    def noted(owner, name, event, seconds):
        function = getattr(owner, name)

        def wrapper(*args, **kwargs):
            events.append(event)
            clock.now += seconds
            return function(*args, **kwargs)

        monkeypatch.setattr(owner, name, wrapper)

    if estimator is IDCLClustering:
        noted(IDCLClustering, "_refresh", "refresh", 3.0)
    else:
        noted(Trainer, "embed", "refresh", 3.0)
    noted(AutoencoderNet, "infer", "step", 1.0)
    (share,) = refresh.refresh_shares(estimator, CPU, network, shape, [n])
    # between the first step and the last
    between = events[events.index("step") : len(events) - events[::-1].index("step")]
    assert between.count("refresh") == 1
    assert between.index("refresh") >= 50  # steps
    assert_allclose(share[:3], [n, 3, 1])
    of_fit = refresh.lengths(estimator, n, len(shape) > 1)
    refreshes = 3 * of_fit.n_refreshes
    whole = refreshes + sum(of_fit.cluster)
    assert_allclose(share.of_clustering, refreshes / whole)
    assert_allclose(share.of_training, refreshes / (whole + of_fit.pretrain))


@pytest.mark.parametrize(
    ("n_samples", "is_image", "pretrain", "n_epochs", "cluster"),
    [  # of whole fits out of the box: Digits, MNIST-test, kidney
        (1797, True, 1140 * 32 // 256, 40, 301),  # pretraining in batches of 32,
        (10000, True, 3140 * 64 // 256, 39, 1510),  # and of 64
        (5685, False, 805, 9, 199),
    ],
)
def test_the_lengths_are_those_of_whole_fits(
    n_samples, is_image, pretrain, n_epochs, cluster
):
    of_fit = refresh.lengths(IDCLClustering, n_samples, is_image)
    assert of_fit.pretrain == pretrain
    # the share of each cluster is rounded up, which makes another batch at times
    assert_allclose(sum(of_fit.cluster[:n_epochs]), cluster, atol=1)


@pytest.mark.parametrize(
    ("n_samples", "is_image", "intervals"),
    [(10000, True, [100] * 20), (5685, False, [100] * 2), (30000, False, [200])],
)
def test_those_of_decs_are_of_iterations(n_samples, is_image, intervals):
    of_fit = refresh.lengths(DECSClustering, n_samples, is_image)
    assert (of_fit.cluster, of_fit.n_refreshes) == (intervals, len(intervals))


# -- the profile of a fit, and whole fits ----------------------------------------------


def test_parts_inside_a_part_are_taken_off_and_named_by_it(monkeypatch):
    clock = Clock(monkeypatch)
    watch = profile.Stopwatch()
    steps = watch.timed("steps", clock.function("steps", 5.0))
    alone = clock.function("rest", 2.0)

    def pretrain():
        alone()
        steps()
        steps()

    def fit():
        watch.timed("pretraining", pretrain)()
        steps()
        alone()

    watch.timed("fit", fit)()
    assert watch.seconds == {
        "pretraining": 2,
        "pretraining: steps": 10,
        "steps": 5,
        "fit": 2,
    }
    assert profile.table(watch.seconds).splitlines()[-1].split() == [
        "total",
        "19.00",
        "s",
    ]


@pytest.mark.parametrize("short", BOTH)
def test_a_profile_has_every_part_and_leaves_the_package_as_it_was(short):
    before = [getattr(owner, name) for owner, name in profile.PARTS.values()]
    seconds = profile.profiled(short(), digit_vectors(100)[0])
    after = [getattr(owner, name) for owner, name in profile.PARTS.values()]
    assert before == after
    parts = {
        "validation",
        "neighbours of vectors",
        "pretraining: steps",
        "steps",
        "fit",
    }
    assert parts <= set(seconds)
    assert all(value >= 0 for value in seconds.values())
    assert seconds["fit"] < 0.5 * sum(seconds.values())


@pytest.mark.parametrize("name", whole_fits.PAIRS)
def test_whole_fits_take_the_epochs_that_they_say(name):
    samples = Samples("digits", digit_vectors(300)[0], 10, (8, 8))
    model = whole_fits.fit_ours(name, samples, 2, "float32", CPU)
    rows = [row for row in model.history_ if row["phase"] != "decoder"]
    steps = {"pretrain": 0, "cluster": 0}
    for row in rows:
        steps[row["phase"]] += len(row["batches"])
    assert steps == {"pretrain": 4, "cluster": 4}  # two epochs of two batches


@pytest.mark.parametrize("has_bfloat16", [False, True])
def test_fits_beside_clustpy_are_in_bfloat16_where_the_device_is(
    has_bfloat16, monkeypatch
):
    samples = Samples("usps", digit_vectors(30)[0], 10, (8, 8))
    fitted = []
    peers = SimpleNamespace(fit_peer=lambda name, samples, *_: fitted.append(name))
    monkeypatch.setitem(sys.modules, "benchmarks.papers.peers", peers)
    monkeypatch.setattr(whole_fits, "load", lambda name, home: (samples, None))
    monkeypatch.setattr(whole_fits, "has_bfloat16", lambda device: has_bfloat16)
    monkeypatch.setattr(
        whole_fits,
        "fit_ours",
        lambda name, samples, epochs, precision, device: fitted.append(
            (name, len(samples.X), precision)
        ),
    )
    rows = list(whole_fits.fit_over_clustpy(CPU, 1, None, 20, 2))
    precisions = ["float32", "bfloat16"][: 1 + has_bfloat16]
    assert set(fitted) == {"DEC", "IDEC"} | {
        (name, 20, precision) for name in ("DECS", "IDCL") for precision in precisions
    }
    assert len(rows) == 2 * len(precisions)


def test_a_search_is_timed_without_and_with_memory(monkeypatch):
    X, _ = digit_vectors(60)
    monkeypatch.setattr(search, "load_digits", lambda: Bunch(data=X))
    name, (kind, _) = next(iter(search.SEARCHES.items()))
    grid = {"pretrain_epochs": [1], "max_epochs": [1, 2]}
    fitted = []

    def watched(*args, **kwargs):
        fitted.append(kwargs.get("memory", "a warm-up"))
        return kind(*args, **kwargs)

    monkeypatch.setattr(search, "SEARCHES", {name: (watched, grid)})
    (row,) = search.search_with_memory(CPU, 1)
    assert name in row.what
    assert row.time > 0
    assert row.over > 0
    assert_allclose(row.ratios, [row.time / row.over])
    assert fitted[:2] == ["a warm-up", None]
    assert isinstance(fitted[2], str)


def test_agreement_is_full_with_all_samples_and_less_with_few(monkeypatch):
    X, _ = digit_vectors(300)
    samples = Samples("mnist", X, 10, None)
    monkeypatch.setattr(selection, "load", lambda name, home: (samples, None))
    for n_reference, least, most in ((300, 1.0, 1.0), (5, 0.5, 0.97)):
        monkeypatch.setattr(selection, "N_REFERENCE", n_reference)
        found = dict(selection.agreement(CPU, None))
        assert set(found) == set(selection.FRACTIONS)
        assert len(found[0.6]) == selection.N_REPEATS
        assert least <= min(found[0.6]) and max(found[0.6]) <= most
