"""The loader of any npz file."""

import os
import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from deepdensity.datasets import load_npz
from deepdensity.datasets._npz import read_npz, write_npz

RNG = np.random.default_rng(0)
Y = np.arange(12) % 3


def written(folder, **arrays):
    path = folder / "mine.npz"
    np.savez(path, **arrays)
    return path


def sparse_parts(X):
    """The arrays that `scipy.sparse.save_npz` writes."""
    parts = {name: getattr(X, name) for name in ("data", "indices", "indptr", "shape")}
    return {**parts, "format": X.format.encode()}


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.uint8, np.int64])
def test_rows(tmp_path, dtype):
    X = RNG.integers(0, 256, (12, 5)).astype(dtype)
    bunch = load_npz(written(tmp_path, X=X, y=Y.astype(np.uint8)))
    assert_array_equal(bunch.data, X, strict=True)
    assert_array_equal(bunch.target, Y, strict=True)
    assert list(bunch.target_names) == ["0", "1", "2"]
    assert bunch.image_shape is None and "images" not in bunch
    values = f":Values: {np.dtype(dtype)}, as in the file"
    for words in ("mine\n----\n", "samples: 12", "in each: 5", "classes: 3", values):
        assert words in bunch.DESCR


@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 3), (3, 4, 4)])
def test_images(tmp_path, shape):
    X = RNG.integers(0, 256, (12, *shape), dtype=np.uint8)
    bunch = load_npz(written(tmp_path, X=X, y=Y))
    assert bunch.image_shape == shape
    assert_array_equal(bunch.images, X, strict=True)
    assert_array_equal(bunch.data, X.reshape(12, -1), strict=True)


@pytest.mark.parametrize("form", ["csr", "csc"])
@pytest.mark.parametrize("dtype", [np.float32, np.uint16])
def test_sparse_rows(tmp_path, form, dtype):
    X = (RNG.random((12, 7)) < 0.3).astype(dtype)
    parts = sparse_parts(sparse.coo_array(X).asformat(form))
    bunch = load_npz(written(tmp_path, y=Y, **parts))
    assert bunch.data.format == "csr"
    assert_array_equal(bunch.data.toarray(), X, strict=True)
    assert_array_equal(bunch.target, Y)
    assert bunch.image_shape is None


def test_a_file_of_save_npz_needs_y_beside(tmp_path):
    X = sparse.eye_array(12, format="csr")
    sparse.save_npz(tmp_path / "mine.npz", X)
    with pytest.raises(ValueError, match="has no array 'y'.*must have X and y"):
        load_npz(tmp_path / "mine.npz")


@pytest.mark.parametrize("key", ["target_names", "class_names"])
def test_the_file_may_name_the_classes(tmp_path, key):
    names = np.array(["a", "b", "c", "none of these"])
    path = written(tmp_path, X=np.ones((12, 2)), y=Y, **{key: names})
    assert_array_equal(load_npz(path).target_names, names)


def test_data_and_target_alone(tmp_path):
    path = written(tmp_path, X=np.ones((12, 2)), y=Y)
    X, y = load_npz(str(path), return_X_y=True)
    assert X.shape == (12, 2)
    assert_array_equal(y, Y)


BAD = [
    ({"y": Y}, r"mine\.npz has no array 'X'; it has \['y'\]"),
    ({"X": np.ones((12, 2))}, r"mine\.npz has no array 'y'; it has \['X'\]"),
    ({"X": np.ones(12), "y": Y}, r"shape \(12,\).*it must hold X \(n, d\), images"),
    ({"X": np.ones((12, 2, 2, 2, 2)), "y": Y}, r"shape \(12, 2, 2, 2, 2\)"),
    ({"X": np.ones((0, 2)), "y": Y[:0]}, r"shape \(0, 2\)"),
    ({"X": np.full((12, 2), "a"), "y": Y}, "dtype <U1"),
    ({"X": np.ones((12, 2)), "y": Y[:-1]}, r"y in .* shape \(11,\)"),
    ({"X": np.ones((12, 2)), "y": Y - 1}, "class number of at least 0"),
    ({"X": np.ones((12, 2)), "y": Y, "class_names": ["a"]}, "goes up to 2"),
]


@pytest.mark.parametrize(("arrays", "message"), BAD)
def test_bad_arrays(tmp_path, arrays, message):
    with pytest.raises(ValueError, match=message):
        load_npz(written(tmp_path, **arrays))


@pytest.mark.parametrize("key", ["X", "y", "target_names"])
def test_nothing_is_unpickled(tmp_path, key):
    arrays = {"X": np.ones((12, 2)), "y": Y}
    arrays[key] = np.array([None] * 12)
    with pytest.raises(ValueError, match=r"cannot be read.*allow_pickle=False"):
        load_npz(written(tmp_path, **arrays))


@pytest.mark.parametrize("content", [b"", b"text", pickle.dumps({"X": 1})])
def test_a_file_of_another_kind(tmp_path, content):
    path = tmp_path / "mine.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"mine\.npz is no npz file"):
        load_npz(path)


def test_no_file(tmp_path):
    for path in (tmp_path / "other.npz", tmp_path):
        with pytest.raises(FileNotFoundError, match=f"There is no file {path}; it"):
            load_npz(path)


def test_a_kept_file_may_be_read_by_whom_the_umask_lets(tmp_path):
    before = os.umask(0o022)
    try:
        write_npz(tmp_path / "a.npz", {"X": np.zeros((2, 3)), "y": np.zeros(2)})
    finally:
        os.umask(before)
    assert (tmp_path / "a.npz").stat().st_mode & 0o777 == 0o644
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


def test_a_file_that_cannot_be_opened_is_not_called_truncated(tmp_path):
    (tmp_path / "a.npz").mkdir()
    with pytest.raises(OSError, match="directory"):
        read_npz(tmp_path / "a.npz")
