"""Rows that are read when they are asked for, and fits on them."""

import functools

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.base import clone

from deepdensity.inspection import (
    ClusterImagesDisplay,
    EmbeddingDisplay,
    ReconstructionDisplay,
)
from deepdensity.memory.fingerprint import fingerprint
from deepdensity.metrics import embedding_silhouette, resampling_agreement
from deepdensity.samples import inputs, rows, unpacking
from deepdensity.samples.rows import (
    Rows,
    SomeRows,
    is_read_by_slices,
    some_rows,
    take_rows,
)

from .common import BOTH, digit_images, digit_vectors, idcl, small_conv


class OnDisk:
    """An array that slices and no more: it cannot be converted as a whole."""

    def __init__(self, array):
        self.array = array
        self.shape, self.dtype = array.shape, array.dtype
        self.most = 0  # rows read at once

    def __getitem__(self, index):
        if not isinstance(index, slice):
            assert (np.diff(index) > 0).all()  # as h5py wants them
        block = self.array[index]
        self.most = max(self.most, len(block))
        return block

    def __array__(self, *args, **kwargs):
        raise MemoryError("read as a whole")


@pytest.mark.parametrize("dtype", ["u1", "f4", "f8", "i2", ">f4", "?"])
def test_rows_are_those_of_the_array(dtype):
    array = np.random.default_rng(0).integers(0, 9, size=(50, 3, 4)).astype(dtype)
    flat = array.reshape(50, 12)
    X = Rows(OnDisk(array))
    assert X.shape == (50, 12)
    assert X.dtype == (dtype if dtype in ("u1", "f4", "f8") else "f8")
    for index in (slice(3, 40), slice(None, None, 7), np.array([5, 2, 49, 5, 0])):
        block = X[index]
        assert block.dtype == X.dtype
        assert_array_equal(block, flat[index])
    assert (X.min(), X.max()) == (flat.min(), flat.max())


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array, Rows])
def test_some_rows_are_those_of_the_rows(form):
    array, chosen = digit_vectors(40)[0], np.array([3, 4, 20, 39])
    some = SomeRows(form(array), chosen)
    assert some.shape == (4, 64)
    for index in (slice(1, 3), np.array([2, 0])):
        block = some[index]
        block = block.toarray() if sparse.issparse(block) else block
        assert_array_equal(block, array[chosen][index])


def test_some_rows_are_all_or_a_sorted_draw():
    assert_array_equal(some_rows(5, 5, None), np.arange(5))
    drawn = some_rows(100, 20, np.random.RandomState(0))
    assert len(drawn) == 20
    assert (np.diff(drawn) > 0).all()


def test_what_is_read_by_slices():
    array = np.zeros((3, 2))
    assert is_read_by_slices(OnDisk(array))
    for other in (array, [[1, 2]], sparse.csr_array(array), OnDisk(array[0]), None):
        assert not is_read_by_slices(other)


@pytest.mark.parametrize("dtype", ["i2", "i4", "f2", "?", "u1", "f4", "f8"])
def test_a_memory_map_is_never_converted_as_a_whole(dtype, tmp_path):
    values = np.random.default_rng(0).integers(0, 2, size=(60, 4, 5)).astype(dtype)
    np.save(tmp_path / "X.npy", values)
    for shape in ((60, 4, 5), (60, 20)):
        X = np.load(tmp_path / "X.npy", mmap_mode="r").reshape(shape)
        checked, _ = idcl()._check_training_data(X)
        if dtype in ("u1", "f4", "f8"):  # as they are
            assert np.shares_memory(checked, X)
        else:
            assert type(checked) is Rows
            assert checked.array is X
        assert_array_equal(checked[np.array([5, 0])], values.reshape(60, 20)[[5, 0]])


@pytest.mark.parametrize("short", BOTH)
@pytest.mark.parametrize("dtype", ["u1", "f8"])
def test_a_fit_on_disk_is_that_in_memory_and_reads_blocks(short, dtype, monkeypatch):
    for module in (inputs, rows, unpacking):
        monkeypatch.setattr(module, "BLOCK", 50)
    monkeypatch.setattr(inputs, "EMBEDDED", 25)
    short = functools.partial(short, autoencoder=small_conv, batch_size=32)
    images = digit_images(120)[0].astype(dtype)
    expected = short(pretrain_epochs=1).fit(images)
    X = OnDisk(images)
    model = short(pretrain_epochs=1).fit(X)
    assert_array_equal(model.embedding_, expected.embedding_)
    assert_array_equal(model.labels_, expected.labels_)
    assert_array_equal(model.predict(X), expected.labels_)
    assert_array_equal(model.predict_proba(X), expected.predict_proba(images))
    assert X.most <= 50


def test_vectors_on_disk_are_embedded_as_in_the_fit():
    X = OnDisk(digit_vectors(200)[0])
    model = BOTH[1](pretrain_epochs=1).fit(X)
    assert model.n_features_in_ == 64
    assert_array_equal(model.transform(X), model.embedding_)


def test_images_in_another_order_in_memory_are_not_copied():
    images = np.asfortranarray(digit_images(100)[0])
    model = BOTH[0](pretrain_epochs=1, autoencoder=small_conv)
    X, shape = model._check_training_data(images)[0], (100, 64)
    assert isinstance(X, Rows)
    assert X.array is images
    assert X.shape == shape
    expected = clone(model).fit(np.ascontiguousarray(images))
    assert_array_equal(model.fit(images).embedding_, expected.embedding_)


@pytest.mark.parametrize("dtype", [str, "M8[s]", np.int16])
def test_what_is_no_float_is_compared_as_one(dtype):
    array = np.array([[[9, 10], [11, 7]]]).astype(np.int16).astype(dtype)
    rows = Rows(array)
    assert (rows.min(), rows.max()) == (7, 11)  # of strings "10" would be first


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_rows_are_checked_for_nan_and_infinity(bad):
    array = np.zeros((1100, 4))
    array[1050, 2] = bad
    with pytest.raises(ValueError, match="Input X contains"):
        BOTH[0]().fit(OnDisk(array))


def test_rows_are_counted_and_so_are_features():
    with pytest.raises(ValueError, match=r"0 sample\(s\)"):
        BOTH[0]().fit(OnDisk(np.zeros((0, 4))))
    model = BOTH[0](pretrain_epochs=0, max_epochs=0).fit(digit_vectors(50)[0])
    with pytest.raises(ValueError, match="expecting 64 features"):
        model.predict(OnDisk(np.zeros((5, 63))))


def test_the_fingerprint_of_rows_is_of_their_values():
    array = digit_vectors(30)[0]
    changed = array.copy()
    changed[29, 63] += 1
    assert fingerprint(Rows(OnDisk(array))) == fingerprint(Rows(OnDisk(array.copy())))
    assert fingerprint(Rows(OnDisk(array))) != fingerprint(Rows(OnDisk(changed)))


@pytest.mark.parametrize("form", [np.asarray, list, sparse.csr_array, OnDisk])
def test_rows_are_taken_in_the_order_asked_for(form):
    array = digit_vectors(30)[0]
    found = take_rows(form(array), np.array([7, 2, 2, 29]))
    found = found.toarray() if sparse.issparse(found) else found
    assert_array_equal(found, array[[7, 2, 2, 29]])


def test_images_on_disk_are_taken_with_their_shape():
    images = digit_images(20)[0]
    assert_array_equal(take_rows(OnDisk(images), np.array([5, 1])), images[[5, 1]])


@pytest.mark.parametrize("short", BOTH)
def test_scores_and_displays_take_rows_on_disk(short):
    images = digit_images(150)[0].astype(np.float32)
    X = OnDisk(images)
    model = short(autoencoder=small_conv).fit(images)
    assert embedding_silhouette(model, X, max_samples=50, random_state=0) == (
        embedding_silhouette(model, images, max_samples=50, random_state=0)
    )
    assert np.isfinite(resampling_agreement(model, X, n_resamples=2, random_state=0))
    for display in (EmbeddingDisplay, ReconstructionDisplay, ClusterImagesDisplay):
        display.from_estimator(model, X)
    plt.close("all")
