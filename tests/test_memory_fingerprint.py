"""Hashes of data, networks and code: equal for equals, in any process."""

import functools
import os
import subprocess
import sys
import threading

import numpy as np
import pytest
import torch
from scipy import sparse
from torch import nn

from deepdensity.memory.fingerprint import fingerprint
from deepdensity.networks import TransformerAutoencoder
from deepdensity.samples.rows import Rows


def network(seed=0, activation=nn.ReLU):
    with torch.random.fork_rng(devices=[]):
        torch.random.default_generator.manual_seed(seed)
        return nn.Sequential(nn.Linear(3, 4), activation(), nn.Linear(4, 3))


def function(source, name="f", **more):
    """A function or class as a notebook makes it: without a file."""
    space = {"__name__": "__main__", "nn": nn, **more}
    exec(source, space)
    return space[name]


def enclosing(value):
    def inner(x):
        return x + value

    return inner


EQUAL = [
    lambda: np.arange(6.0).reshape(2, 3),
    lambda: sparse.csr_array(np.eye(3)),
    lambda: torch.arange(3),
    lambda: torch.tensor(1.0, dtype=torch.bfloat16),
    lambda: network(),
    lambda: TransformerAutoencoder((1, 8, 8), 3, width=8, hidden=(4,)).eval().encode,
    lambda: functools.partial(enclosing(2), 3),
    lambda: function("def f(x): return {'a', 'b'} == {x} or x in {'c', 'd'}"),
    lambda: set("a set of many letters"),
    lambda: function("class f(nn.Module):\n def __init__(s): super().__init__()"),
    lambda: {"device": torch.device("cpu"), "dtype": torch.float16},
]

SQUARE = np.arange(12.0).reshape(3, 4)


def looked_at():
    """A sparse matrix that knows that its indices are sorted."""
    matrix = sparse.csr_array(SQUARE)
    assert matrix.has_canonical_format
    return matrix


def of_long_indices():
    matrix = sparse.csr_array(SQUARE)
    matrix.indices = matrix.indices.astype(np.int64)
    matrix.indptr = matrix.indptr.astype(np.int64)
    return matrix


SAME = [
    (SQUARE, np.asfortranarray(SQUARE)),
    (SQUARE, np.column_stack([SQUARE, SQUARE])[:, :4]),
    (SQUARE, np.repeat(SQUARE, 2, axis=0)[::2]),
    (SQUARE, Rows(SQUARE.reshape(3, 2, 2))),
    (np.float64(3), np.array(3.0)[()]),
    (sparse.csr_array(SQUARE), looked_at()),
    (sparse.csr_array(SQUARE), of_long_indices()),
]

DIFFERENT = [
    (SQUARE, SQUARE.T),
    (SQUARE, SQUARE.reshape(4, 3)),
    (SQUARE, SQUARE.astype(np.float32)),
    (np.zeros(0), np.zeros((0, 3))),
    (sparse.csr_array(SQUARE), sparse.csc_array(SQUARE)),
    (sparse.csr_array(SQUARE), sparse.csr_array(SQUARE.T)),
    (torch.Generator(), torch.Generator().manual_seed(1)),
    (np.zeros(3), np.zeros((3, 1))),
    (np.zeros(3), np.zeros(3, np.int64)),
    (sparse.csr_array(np.eye(3)), sparse.csc_array(np.eye(3))),
    (torch.zeros(3), torch.zeros(3, dtype=torch.int32)),
    (torch.zeros(3), nn.Parameter(torch.zeros(3))),
    (torch.float16, torch.bfloat16),
    (network(), network(1)),
    (network(), network(activation=nn.Tanh)),
    (nn.Dropout(0.1), nn.Dropout(0.2)),
    (enclosing(1), enclosing(2)),
    (function("def f(x): return x + 1"), function("def f(x): return x + 2")),
    (function("def f(x): return x.sin()"), function("def f(x): return x.cos()")),
    (function("def f(x, a=1): return a"), function("def f(x, a=2): return a")),
    (function("def f(x, *, a=1): return a"), function("def f(x, *, a=2): return a")),
    (function("class f: slope = 1"), function("class f: slope = 2")),
    (
        function("class f:\n @property\n def a(self): return 1"),
        function("class f:\n @property\n def a(self): return 2"),
    ),
    (
        function("class f:\n @staticmethod\n def a(): return 1"),
        function("class f:\n @staticmethod\n def a(): return 2"),
    ),
    (
        function("class f(g): pass", g=function("class g: slope = 1", "g")),
        function("class f(g): pass", g=function("class g: slope = 2", "g")),
    ),
    (function("f = lambda x: x"), function("f = lambda x: -x")),
]


@pytest.mark.parametrize("make", EQUAL[:5] + EQUAL[6:])
def test_equal_values(make):
    assert fingerprint(make()) == fingerprint(make())


@pytest.mark.parametrize(("a", "b"), SAME)
def test_how_values_lie_in_memory_is_no_matter(a, b):
    assert fingerprint(a) == fingerprint(b)
    assert fingerprint({"X": [a, 1]}) == fingerprint({"X": [b, 1]})


@pytest.mark.parametrize(("a", "b"), DIFFERENT)
def test_different_values(a, b):
    assert fingerprint(a) != fingerprint(b)
    assert fingerprint([a, a]) != fingerprint([a, b])


def test_tied_weights_are_not_equal_weights():
    tied, untied = network(), network()
    for net in (tied, untied):
        net[2] = nn.Linear(3, 4)
        net[2].load_state_dict(net[0].state_dict())
    tied[2].weight = tied[0].weight
    assert fingerprint(tied) != fingerprint(untied)


def test_a_memory_map_is_an_array(tmp_path):
    X = np.arange(6.0).reshape(2, 3)
    np.save(tmp_path / "X.npy", X)
    assert fingerprint(np.load(tmp_path / "X.npy", mmap_mode="r")) == fingerprint(X)


def test_gradients_do_not_count():
    net = network()
    before = fingerprint(net)
    net(torch.ones(2, 3)).sum().backward()
    assert fingerprint(net) == before


def test_in_another_process_too():
    code = "from tests.test_memory_fingerprint import hashes; print(hashes())"
    found = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == str(hashes())


def hashes():
    with torch.random.fork_rng(devices=[]):
        torch.random.default_generator.manual_seed(0)
        return [fingerprint(make()) for make in EQUAL]


def test_what_cannot_be_pickled_raises():
    with pytest.raises(TypeError):
        fingerprint({"lock": threading.Lock()})
