"""Torch's global state is as a fit needs it inside, and as it was outside."""

import threading

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from torch import nn

from deepdensity.networks.build import build_autoencoder
from deepdensity.utils.torch_state import (
    float32_by_default,
    no_autocast,
    own_draws,
    plain_torch,
)

from .common import BOTH, digit_vectors, overlapping

CPU = torch.device("cpu")


def test_gradients_are_kept_inside_an_inference_mode():
    weight = torch.ones(3, requires_grad=True)
    with torch.inference_mode():
        with plain_torch():
            (2 * weight).sum().backward()
        assert torch.is_inference_mode_enabled()
    assert weight.grad.tolist() == [2.0, 2.0, 2.0]


def test_tensors_are_on_the_cpu_inside():
    before = torch.get_default_device()
    torch.set_default_device("meta")
    try:
        with plain_torch():
            assert torch.zeros(2).device.type == "cpu"
        assert torch.zeros(2).device.type == "meta"
    finally:
        torch.set_default_device(before)


def test_nothing_is_cast_inside():
    x = torch.ones(2, 2)
    with torch.autocast("cpu"):
        with plain_torch():
            assert (x @ x).dtype == torch.float32
        with no_autocast("cpu"):
            assert (x @ x).dtype == torch.float32
        assert (x @ x).dtype == torch.bfloat16


@pytest.mark.parametrize("short", BOTH)
def test_an_autocast_outside_changes_nothing(short):
    X, _ = digit_vectors(120)
    model = short().fit(X)
    single = X.astype(np.float32)
    embedding, labels = model.transform(single), model.predict_proba(X)
    with torch.autocast("cpu"):
        assert_array_equal(short().fit(X).embedding_, model.embedding_)
        assert_array_equal(model.predict_proba(X), labels)
        assert_array_equal(model.transform(single), embedding)
        again = model.inverse_transform(embedding)
        score = model.score(X)
    assert_array_equal(again, model.inverse_transform(embedding))
    assert score == model.score(X)


@pytest.mark.parametrize("error", [None, ValueError])
def test_new_tensors_are_float32_inside(error):
    torch.set_default_dtype(torch.float64)
    try:
        try:
            with float32_by_default():
                assert torch.zeros(1).dtype == torch.float32
                if error is not None:
                    raise error
        except ValueError:
            pass
        assert torch.zeros(1).dtype == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


def test_weights_are_by_the_seed_while_another_thread_seeds():
    expected = build_autoencoder("mlp", (20,), 10, 5).state_dict()
    ended = threading.Event()

    def seed_again_and_again():
        while not ended.is_set():
            with own_draws(3, CPU):
                pass

    other = threading.Thread(target=seed_again_and_again)
    other.start()
    try:
        for _ in range(20):
            found = build_autoencoder("mlp", (20,), 10, 5).state_dict()
            assert all(torch.equal(found[name], expected[name]) for name in expected)
    finally:
        ended.set()
        other.join()


def test_draws_are_by_the_seed_and_leave_no_trace():
    before = torch.get_rng_state()
    with own_draws(3, CPU):
        first = torch.rand(5)
    with own_draws(3, CPU):
        second = torch.rand(5)
    with own_draws(4, CPU):
        third = torch.rand(5)
    assert torch.equal(first, second) and not torch.equal(first, third)
    assert torch.equal(torch.get_rng_state(), before)


def test_threads_that_overlap_leave_no_trace_either():
    class Draws(threading.local):  # each thread has its own, as fits do
        def __enter__(self):
            self.draws = own_draws(threading.get_ident() % 2**31, CPU)
            self.draws.__enter__()
            torch.rand(3)

        def __exit__(self, *exception):
            self.draws.__exit__(*exception)

    before = torch.get_rng_state()
    overlapping(Draws())
    assert torch.equal(torch.get_rng_state(), before)


# -- a fit, whatever torch is set to ---------------------------------------------------


def results(model, X):
    return (
        *(model.labels_, model.embedding_, model.predict(X), model.predict_proba(X)),
        *(model.transform(X), model.score_samples(X), model.score(X)),
        model.inverse_transform(model.embedding_),
    )


@pytest.fixture(params=["inference mode", "no gradients", "device", "float64"])
def setting(request):
    """Something of torch's set otherwise than it is by default."""
    if request.param == "inference mode":
        with torch.inference_mode():
            yield
    elif request.param == "no gradients":
        with torch.no_grad():
            yield
    elif request.param == "device":
        torch.set_default_device("meta")
        yield
        torch.set_default_device(None)
    else:
        torch.set_default_dtype(torch.float64)
        yield
        torch.set_default_dtype(torch.float32)


@pytest.fixture(scope="module")
def expected():
    X, _ = digit_vectors(150)
    models = [short(random_state=0).fit(X) for short in BOTH]
    for model in models:
        model.partial_fit(X[:60])
    return [results(model, X) for model in models]


@pytest.mark.parametrize("which", [0, 1])
def test_the_same_fit_whatever_torch_is_set_to(expected, setting, which):
    X, _ = digit_vectors(150)
    model = BOTH[which](random_state=0).fit(X).partial_fit(X[:60])
    for ours, theirs in zip(results(model, X), expected[which]):
        assert_array_equal(ours, theirs)


# -- a network that draws from torch's own generator -----------------------------------


class WithDropout(nn.Module):
    def __init__(self, input_shape, n_components):
        super().__init__()
        self.encode = nn.Sequential(
            nn.Dropout(0.5), nn.Linear(*input_shape, n_components)
        )
        self.decode = nn.Linear(n_components, *input_shape)


@pytest.mark.parametrize("short", BOTH)
@pytest.mark.parametrize("remembers", [False, True])
def test_its_fits_are_by_random_state_and_leave_no_trace(short, remembers, tmp_path):
    X, _ = digit_vectors(120)
    model = short(autoencoder=WithDropout)
    before = torch.get_rng_state()
    first = model.fit(X).embedding_
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(7)
    model.set_params(memory=str(tmp_path) if remembers else None)
    for _ in range(2):  # with a memory to write and to read
        assert_array_equal(model.fit(X).embedding_, first)
    assert not np.array_equal(model.set_params(random_state=1).fit(X).embedding_, first)


@pytest.mark.parametrize("short", BOTH)
def test_dropout_differs_from_step_to_step(short):
    class Noted(nn.Dropout):
        def forward(self, x):
            dropped = super().forward(x)
            if self.training:
                masks.append(tuple((dropped[0] == 0).tolist()))
            return dropped

    masks = []

    def network(shape, n_components):
        module = WithDropout(shape, n_components)
        module.encode[0] = Noted(0.5)
        return module

    short(autoencoder=network).fit(digit_vectors(120)[0] + 1)
    assert len(set(masks)) > 5
