"""compile: what is compiled, that it learns the same, and machines without compiler."""

import functools

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from deepdensity.training import compilation

from .common import BOTH, CPU, Nets, digit_vectors


@pytest.fixture
def compiler(monkeypatch):
    """torch.compile that notes what it compiles and how often that is called."""
    calls = []

    def compile(function):
        @functools.wraps(function)
        def compiled(*args):
            calls.append(function.__name__)
            return function(*args)

        return compiled

    monkeypatch.setattr(torch, "compile", compile)
    yield from fresh(calls)


@pytest.fixture
def no_compiler(monkeypatch):
    def compile(function):
        raise RuntimeError("no C++ compiler\nfound")

    monkeypatch.setattr(torch, "compile", compile)
    yield from fresh(None)


def fresh(value):
    """`value`, and before and after it nothing remembered of compilers."""
    for cached in (compilation.compile_problem, compilation.compiled_passes):
        cached.cache_clear()
    yield value
    for cached in (compilation.compile_problem, compilation.compiled_passes):
        cached.cache_clear()


@pytest.mark.parametrize("short", BOTH)
def test_encoder_and_decoder_are_trained_compiled(short, compiler):
    X, nets = digit_vectors(100)[0], Nets()
    model = short(compile=True, callbacks=[nets]).fit(X)
    assert nets.seen["pretrain"].passes is compilation.network_passes(True)
    assert compiler.count("encode") >= 8 + 1  # at least a step an epoch
    assert compiler.count("decode") >= 8
    n_calls = len(compiler)
    assert_array_equal(model.embedding_, short().fit(X).embedding_)
    model.predict(X)
    assert len(compiler) == n_calls


@pytest.mark.parametrize("short", BOTH)
def test_without_a_compiler_a_warning_says_why(short, no_compiler):
    X = digit_vectors(100)[0]
    with pytest.warns(RuntimeWarning, match="RuntimeError: no C.. compiler found") as w:
        model = short(compile=True).fit(X)
    found = next(x for x in w if issubclass(x.category, RuntimeWarning))
    assert found.filename == __file__
    assert_array_equal(model.embedding_, short().fit(X).embedding_)


def test_torch_compiles_or_says_why_not():
    problem = compilation.compile_problem("cpu")
    if problem:
        with pytest.warns(RuntimeWarning, match="compile=True is without effect"):
            assert not compilation.can_compile(CPU)
        return
    assert compilation.can_compile(CPU)
    X = digit_vectors(60)[0]
    settings = {"autoencoder": "shallow", "augment": False, "pretrain_epochs": 1}
    model = BOTH[1](compile=True, max_iter=1, **settings).fit(X)
    same = BOTH[1](max_iter=1, **settings).fit(X)
    assert_allclose(model.embedding_, same.embedding_, rtol=1e-3, atol=1e-4)
    assert np.abs(same.embedding_).max() > 0.1
