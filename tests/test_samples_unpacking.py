"""Arrays in chunks are unpacked once, where there is room."""

import shutil
import tempfile
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from deepdensity.samples.rows import Rows
from deepdensity.samples.unpacking import unpacked

from .common import BOTH, digit_images, digit_vectors, small_conv
from .test_samples_rows import OnDisk


class Counting(OnDisk):
    """Counts the rows that are read of it."""

    n_read = 0

    def __getitem__(self, index):
        block = super().__getitem__(index)
        self.n_read += len(block)
        return block


def free_disk(monkeypatch, n_bytes):
    usage = SimpleNamespace(free=n_bytes)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)


@pytest.mark.parametrize("dtype", ["u1", "f4", "f8", "i2", ">f4", "?"])
@pytest.mark.parametrize("shape", [(5,), (3, 4)])
def test_the_values_are_the_same_and_stored_as_they_were(dtype, shape):
    array = np.random.default_rng(0).integers(0, 9, size=(2100, *shape)).astype(dtype)
    packed = Rows(Counting(array))
    X = unpacked(packed)
    assert packed.array.n_read == 2100
    assert isinstance(X.array, np.memmap)
    assert X.array.dtype == array.dtype
    assert (X.shape, X.dtype) == (packed.shape, packed.dtype)
    for rows in (slice(1000, 1100), np.array([2099, 3, 3, 0])):
        assert_array_equal(X[rows], packed[rows])
    assert packed.array.n_read == 2100 + 100 + 3


def test_what_is_no_array_in_chunks_stays(tmp_path):
    array = digit_vectors(20)[0]
    np.save(tmp_path / "X.npy", array.astype("i2"))
    memmap = np.load(tmp_path / "X.npy", mmap_mode="r")
    for X in (array, sparse.csr_array(array), Rows(array), Rows(memmap)):
        assert unpacked(X) is X


def test_nothing_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    X = unpacked(Rows(OnDisk(digit_vectors(20)[0])))
    assert_array_equal(X[:], digit_vectors(20)[0])
    assert not list(tmp_path.iterdir())


def test_without_room_it_is_read_from_its_chunks_with_a_warning(monkeypatch):
    X = Rows(OnDisk(np.zeros((30, 4), dtype="f4")))  # 480 bytes
    free_disk(monkeypatch, 960)
    assert unpacked(X) is not X
    free_disk(monkeypatch, 959)
    with pytest.warns(UserWarning, match=r"takes 480 bytes, and .* has 959 left"):
        assert unpacked(X) is X


@pytest.mark.parametrize("short", BOTH)
def test_a_fit_without_room_is_that_with_room(short, monkeypatch):
    images = digit_images(120)[0]
    model = short(pretrain_epochs=2, autoencoder=small_conv)
    X, again = Counting(images), Counting(images)
    expected = model.fit(X).embedding_
    assert X.n_read <= 2 * len(images) + 1  # finite? the values; a row for the dtype
    free_disk(monkeypatch, 0)
    with pytest.warns(UserWarning, match="Set TMPDIR"):
        assert_array_equal(model.fit(again).embedding_, expected)
    assert again.n_read > 10 * len(images)


@pytest.mark.parametrize("short", BOTH)
def test_a_batch_of_a_stream_is_unpacked_too(short):
    images = digit_images(120)[0]
    model = short(pretrain_epochs=1, autoencoder=small_conv).partial_fit(images)
    X = Counting(images)
    model.partial_fit(X)
    assert X.n_read <= 2 * len(images) + 1
