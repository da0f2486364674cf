"""Loaders that build on scikit-learn's: OpenML and RCV1, both of them made up."""

import sys
import types
from urllib.error import URLError

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from deepdensity.datasets import (
    _digits,
    _openml,
    _text,
    fetch_fashion_mnist,
    fetch_mnist,
    fetch_reuters10k,
    fetch_usps,
)

RNG = np.random.default_rng(0)


def bytes_of(*shape):
    return RNG.integers(0, 256, size=shape, dtype=np.uint8)


# -- OpenML --------------------------------------------------------------------------


def openml(monkeypatch, sets):
    """Stand in for scikit-learn's: data_id -> X, labels as strings."""
    asked = []

    def fetch_openml(data_id, data_home, as_frame, parser, return_X_y):
        assert not as_frame and return_X_y and parser in ("pandas", "liac-arff")
        asked.append(data_id)
        X, y = sets[data_id]
        return X, np.array([str(label) for label in y], dtype=object)

    monkeypatch.setattr(_openml, "fetch_openml", fetch_openml)
    return asked


def test_usps_of_openml_is_brought_to_its_own_range(tmp_path, monkeypatch):
    steps = RNG.integers(0, 2001, (20, 256))  # of a thousandth, from -1
    y = np.arange(20) % 10
    asked = openml(monkeypatch, {41082: (np.round(steps / 1000 - 1, 6), y + 1)})
    bunch = fetch_usps(data_home=tmp_path)
    assert_array_equal(bunch.data, steps.astype(np.float32) / np.float32(2000))
    assert_array_equal(bunch.target, y)
    assert_array_equal(fetch_usps(data_home=tmp_path).data, bunch.data)
    assert asked == [41082]  # then there is usps.npz
    with np.load(tmp_path / "usps.npz") as file:
        assert file["X"].dtype == np.uint16 and file["scale"] == 2000


@pytest.mark.parametrize("X, y", [(np.full((2, 256), 1.1), [1, 2]), (0.5, [0, 1])])
def test_another_usps_on_openml(tmp_path, monkeypatch, X, y):
    openml(monkeypatch, {41082: (np.broadcast_to(X, (2, 256)), np.array(y))})
    with pytest.raises(ValueError, match=r"outside \[-1, 1\] or labels other than"):
        fetch_usps(data_home=tmp_path)


@pytest.mark.parametrize(
    "loader, id", [(fetch_mnist, 554), (fetch_fashion_mnist, 40996)]
)
def test_bytes_of_openml(tmp_path, monkeypatch, loader, id):
    X = bytes_of(20, 784)
    openml(monkeypatch, {id: (X.astype(np.int64), np.arange(20) % 10)})
    bunch = loader(data_home=tmp_path)
    assert bunch.data.dtype == np.uint8
    assert_array_equal(bunch.data, X)
    assert_array_equal(bunch.target, np.arange(20) % 10)
    openml(monkeypatch, {})
    assert_array_equal(loader(data_home=tmp_path).images, X.reshape(20, 28, 28))


@pytest.mark.parametrize("loader", [fetch_usps, fetch_mnist, fetch_fashion_mnist])
def test_openml_out_of_reach(tmp_path, monkeypatch, loader):
    def fetch_openml(**kwargs):
        raise URLError("no route to host")

    monkeypatch.setattr(_openml, "fetch_openml", fetch_openml)
    with pytest.raises(OSError, match=r"openml.org/d/\d+ could not be .*no route.*Put"):
        loader(data_home=tmp_path)


def test_openml_without_pandas(tmp_path, monkeypatch):
    X = bytes_of(20, 784)

    def fetch_openml(**kwargs):
        assert kwargs["parser"] == "liac-arff"
        return X, np.arange(20) % 10

    monkeypatch.setattr(_openml, "fetch_openml", fetch_openml)
    monkeypatch.setattr(_openml, "find_spec", lambda name: None)
    assert_array_equal(fetch_mnist(data_home=tmp_path).data, X)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="as_frame=True needs pandas"):
        fetch_mnist(data_home=tmp_path, as_frame=True)


# -- RCV1 ----------------------------------------------------------------------------


def test_reuters_is_drawn_from_documents_of_one_root(tmp_path, monkeypatch):
    names = ["CCAT", "E11", "ECAT", "GCAT", "MCAT"]
    target = np.zeros((90, 5), np.uint8)
    target[np.arange(90), np.arange(90) % 5] = 1  # the second in five have no root
    target[::9] = 1  # these have all of them
    data = sparse.random_array((90, 30), density=0.2, rng=RNG, format="csr")
    rcv1 = types.SimpleNamespace(
        data=data, target=sparse.csr_array(target), target_names=np.array(names)
    )
    monkeypatch.setattr(_text, "fetch_rcv1", lambda **kwargs: rcv1)
    monkeypatch.setattr(_text, "N_SAMPLES", 40)
    monkeypatch.setattr(_text, "N_WORDS", 7)
    bunch = fetch_reuters10k(data_home=tmp_path)
    again = fetch_reuters10k(data_home=tmp_path)  # from its npz file
    assert_array_equal(again.data.toarray(), bunch.data.toarray())
    assert_array_equal(again.target, bunch.target)
    assert bunch.data.dtype == np.float32 and bunch.data.shape == (40, 7)

    single = [i for i in range(90) if i % 9 and i % 5 != 1]
    frequency = (data.toarray()[single] > 0).sum(axis=0)
    words = sorted(sorted(range(30), key=lambda j: (-frequency[j], j))[:7])
    rows = data.toarray()[single][:, words]
    lengths = np.sqrt((rows**2).sum(axis=1, keepdims=True))
    rows = rows / np.where(lengths > 0, lengths, 1)
    roots = [["CCAT", "GCAT", "MCAT", "ECAT"].index(names[i % 5]) for i in single]
    documents = {(root, *row.round(5)) for root, row in zip(roots, rows)}
    found = bunch.data.toarray().round(5)
    drawn = [(y, *row) for y, row in zip(bunch.target, found)]
    distance = [
        min(np.abs(np.subtract(one, other)).max() for other in documents)
        for one in drawn
    ]
    assert_allclose(distance, 0, atol=2e-5)
    assert len({tuple(one) for one in drawn}) > 30


def test_rcv1_out_of_reach(tmp_path, monkeypatch):
    def fetch_rcv1(**kwargs):
        raise URLError("no route to host")

    monkeypatch.setattr(_text, "fetch_rcv1", fetch_rcv1)
    with pytest.raises(OSError, match=r"RCV1 is not in .*no route.*Put reuters10k.npz"):
        fetch_reuters10k(data_home=tmp_path)


def test_nothing_half_written_is_left(tmp_path, monkeypatch):
    def savez(file, **arrays):
        file.write(b"half")
        raise OSError("no space left on device")

    openml(monkeypatch, {554: (bytes_of(20, 784), np.arange(20) % 10)})
    monkeypatch.setattr(np, "savez_compressed", savez)
    with pytest.warns(UserWarning, match="no space left"):
        fetch_mnist(data_home=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_ids_of_openml_are_in_the_descriptions():
    for record, data_id in [
        (_digits.USPS, 41082),
        (_digits.MNIST, 554),
        (_digits.FASHION_MNIST, 40996),
    ]:
        assert f"{_openml.URL}{data_id} " in record.source
