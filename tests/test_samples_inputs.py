"""From X as users hold it to the batches that the networks see, and back."""

import tracemalloc
import warnings

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from deepdensity.memory.fingerprint import fingerprint
from deepdensity.samples.inputs import InputFormat, Source, input_format
from deepdensity.samples.layout import image_layout
from deepdensity.samples.rows import Rows, SomeRows

from . import reference
from .common import CPU, unsorted_csr

# -- shift and scale -------------------------------------------------------------------


def vectors(seed, n=50, d=6):
    random = np.random.default_rng(seed)
    return random.standard_normal((n, d)) * [1, 2, 3, 4, 5, 60][:d] + 7


@pytest.mark.parametrize("n", [2, 50, 1024, 2500])  # blocks of 1024
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_vectors_are_centred_and_their_deviations_tempered(n, dtype):
    X = vectors(0, n).astype(dtype)
    format = input_format(X, image_layout((6,)))
    precise = X.astype(np.float64)
    rtol = 1e-10 if dtype == np.float64 else 1e-6
    assert_allclose(format.offset, precise.mean(0), rtol=rtol)
    assert_allclose(format.scale, reference.tempered_scale(precise), rtol=rtol)


def test_mean_variance_of_vectors_becomes_1():
    X = vectors(0)
    batch = Source(X, input_format(X, image_layout((6,))), CPU).read(slice(0, 50))
    assert_allclose(batch.var(0, correction=0).mean(), 1, rtol=1e-6)


def test_deviations_stay_in_their_order_and_come_nearer():
    X = vectors(0)
    before = X.std(0)
    after = (X / input_format(X, image_layout((6,))).scale).std(0)
    assert_array_equal(np.argsort(after), np.argsort(before))
    assert_allclose(after / after[0], np.sqrt(before / before[0]), rtol=1e-10)


def test_features_of_equal_deviation_share_one_scale():
    X = np.random.default_rng(0).permuted(np.tile(np.arange(9.0), (5, 1)), axis=1).T
    scale = input_format(X, image_layout((5,))).scale
    assert_allclose(scale, np.full(5, X[:, 0].std()), rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_images_are_scaled_to_zero_and_one(dtype):
    X = np.random.default_rng(0).integers(10, 250, size=(20, 12)).astype(dtype)
    format = input_format(X, image_layout((12,), (3, 4)))
    assert format.offset == X.min()
    assert format.scale == float(X.max()) - float(X.min())
    batch = Source(X, format, CPU).read(slice(0, 20))
    assert batch.min() == 0
    assert batch.max() == 1


@pytest.mark.parametrize("value", [0.0, 0.1, -3.7, 1e9, 1e-9])
@pytest.mark.parametrize("image_shape", [None, (2, 3)])
def test_constant_data_have_scale_one_and_become_zero(value, image_shape):
    X = np.full((40, 6), value)
    format = input_format(X, image_layout((6,), image_shape))
    assert_array_equal(format.scale, np.ones_like(format.scale))
    batch = Source(X, format, CPU).read(slice(0, 40))
    assert_allclose(batch, np.zeros(batch.shape), atol=1e-6 * max(1, abs(value)))


def test_constant_unsigned_images_have_scale_one():
    X = np.full((4, 6), 200, dtype=np.uint8)
    format = input_format(X, image_layout((6,), (2, 3)))
    assert (format.offset, format.scale) == (200, 1.0)


@pytest.mark.parametrize(("value", "rtol"), [(0.3, 1e-10), (1e9, 1e-6)])
def test_a_constant_feature_is_taken_to_vary_as_the_others_do(value, rtol):
    X = vectors(0)
    X[:, 2] = value  # 1e9: a time stamp, say
    format = input_format(X, image_layout((6,)))
    assert_allclose(format.scale, reference.tempered_scale(X), rtol=rtol)
    assert_allclose(format.scale[2], X.std(0).mean(), rtol=rtol)


@pytest.mark.parametrize("unit", [1e-3, 1e3])
def test_what_a_constant_feature_becomes_later_does_not_depend_on_the_unit(unit):
    X = vectors(0)
    X[:50, 2] = 0.3
    scaled = []
    for factor in (1, unit):
        format = input_format(factor * X[:50], image_layout((6,)))
        scaled.append(Source(factor * X, format, CPU).read(slice(None)))
    torch.testing.assert_close(*scaled, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("image_shape", [None, (2, 3)])
def test_a_spread_beyond_float64_raises(image_shape):
    X = vectors(0)
    X[0] = 1e308 * np.array([-1, 1, -1, 1, -1, 1])
    with np.errstate(all="ignore"), pytest.raises(ValueError, match="not finite"):
        input_format(X, image_layout((6,), image_shape))


def test_entries_stored_in_parts_are_one():
    X = sparse.csr_matrix(vectors(0))
    parts = sparse.csr_matrix(
        (
            np.repeat(X.data, 2) * np.tile([3, -2], X.nnz),
            np.repeat(X.indices, 2),
            2 * X.indptr,
        ),
        shape=X.shape,
    )
    stored = parts.data.copy()
    format, of_parts = (input_format(A, image_layout((6,))) for A in (X, parts))
    assert_allclose(of_parts.scale, format.scale, rtol=1e-10)
    assert_allclose(of_parts.offset, format.offset, atol=1e-10)
    assert_array_equal(parts.data, stored)  # the user's matrix is left alone


@pytest.mark.parametrize(("mean", "deviation"), [(1e9, 300), (5e6, 2)])
def test_what_may_be_rounding_does_not_outgrow_the_other_features(mean, deviation):
    X = vectors(0).astype(np.float32)
    X[:, 2] = mean + deviation * X[:, 2]
    source = Source(X, input_format(X, image_layout((6,))), CPU)
    deviations = source.read(slice(None)).std(0)
    assert deviations[2] < 1
    assert deviations.max() < 5


def test_a_deviation_far_below_the_mean_is_still_one_in_float64():
    X = 1e9 + vectors(0)
    format = input_format(X, image_layout((6,)))
    assert_allclose(format.scale, reference.tempered_scale(X), rtol=1e-6)


def test_normalise_and_restore_are_inverse():
    for image_shape in (None, (2, 3), (2, 1, 3), (3, 1, 2)):
        X = vectors(0)
        format = input_format(X, image_layout((6,), image_shape))
        batch = format.normalise(torch.tensor(X))
        assert batch.shape == (50, *format.layout.shape)
        assert_allclose(format.restore(batch), X, rtol=1e-12)


def some(X):
    return SomeRows(X, np.arange(len(X)))


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array, Rows, some])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.uint8])
def test_a_batch_is_read_without_a_change_to_X(dtype, form):
    X = np.abs(100 * vectors(0)).astype(dtype)
    source = Source(form(X), input_format(X, image_layout((6,))), CPU)
    before = X.copy()
    whole = source.format.normalise(torch.tensor(X, dtype=source.dtype)).float()
    for rows in (slice(0, 50), slice(3, 9), np.arange(50), np.array([4, 4, 1])):
        assert torch.equal(source.read(rows), whole[rows])
        assert_array_equal(X, before)
        stored = source.X[rows]
        stored = stored.toarray() if sparse.issparse(stored) else stored
        assert_array_equal(stored, before[rows])


@pytest.mark.parametrize("image_shape", [None, (2, 3), (3, 1, 2)])
@pytest.mark.parametrize(
    ("dtype", "rtol"), [(np.float64, 1e-10), (np.float32, 1e-6), (np.uint8, 1e-10)]
)
def test_format_of_sparse_data_is_that_of_dense_data(image_shape, dtype, rtol):
    X = np.abs(vectors(0)).astype(dtype)
    X[np.random.default_rng(1).uniform(size=X.shape) < 0.7] = 0
    layout = image_layout((6,), image_shape)
    dense, of_sparse = (
        input_format(X, layout),
        input_format(sparse.csr_array(X), layout),
    )
    assert of_sparse.layout == dense.layout
    assert_allclose(of_sparse.offset, dense.offset, rtol=rtol)
    assert_allclose(of_sparse.scale, dense.scale, rtol=rtol)
    assert of_sparse.offset.dtype == np.float64


# -- reading batches -------------------------------------------------------------------

ROWS = [
    slice(0, 5),
    slice(3, 4),
    np.array([4]),
    np.array([7, 2, 2, 9]),
    np.array([], dtype=int),
]


def expected_batch(X, rows, format):
    values = (np.asarray(X, dtype=np.float64)[rows] - format.offset) / format.scale
    return format.layout.to_network(torch.tensor(values))


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("image_shape", [None, (2, 3), (3, 1, 2), (1, 2, 3), (2, 1, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_rows_are_read_in_the_shape_and_scale_of_the_network(rows, image_shape, dtype):
    X = np.abs(vectors(0, n=12)).astype(dtype)
    source = Source(X, input_format(X, image_layout((6,), image_shape)), CPU)
    single, double = source.read(rows), source.read(rows, torch.float64)
    assert single.dtype == torch.float32
    assert double.dtype == torch.float64
    expected = expected_batch(X, rows, source.format)
    assert single.shape == expected.shape
    rtol = 1e-12 if dtype == np.float64 else 1e-5
    assert_allclose(double, expected, rtol=rtol, atol=rtol)
    assert_allclose(single, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("image_shape", [None, (2, 3), (3, 1, 2)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csr_matrix])
def test_sparse_rows_are_read_as_dense_ones(rows, image_shape, dtype, kind):
    X = np.abs(vectors(0, n=12)).astype(dtype)
    X[np.random.default_rng(1).uniform(size=X.shape) < 0.6] = 0
    format = input_format(X, image_layout((6,), image_shape))
    dense, of_sparse = Source(X, format, CPU), Source(kind(X), format, CPU)
    assert len(of_sparse) == len(dense) == 12
    assert torch.equal(of_sparse.read(rows), dense.read(rows))


def test_sparse_images_keep_their_entries_as_they_were():
    X = unsorted_csr()
    format = input_format(X, image_layout((4,), (2, 2)))
    assert (format.offset, format.scale) == (0, 6)
    assert_array_equal(X.indices, [3, 1, 0, 0])


def test_all_256_values_of_bytes_are_scaled_without_wrapping():
    X = np.arange(256, dtype=np.uint8).reshape(64, 4)
    for image_shape in (None, (2, 2)):
        source = Source(X, input_format(X, image_layout((4,), image_shape)), CPU)
        read = source.read(slice(0, 64)).reshape(64, 4)
        shifted = X.astype(float) - source.format.offset
        assert_allclose(read, shifted / source.format.scale, rtol=1e-6, atol=1e-6)


def test_columns_in_fortran_order_are_read_the_same():
    X = vectors(0, n=12)
    for image_shape in (None, (2, 3), (1, 3, 2), (3, 1, 2)):
        format = input_format(X, image_layout((6,), image_shape))
        turned = Source(np.asfortranarray(X), format, CPU)
        for rows in ROWS:
            assert torch.equal(turned.read(rows), Source(X, format, CPU).read(rows))


@pytest.mark.parametrize("image_shape", [None, (20, 50)])
def test_bytes_are_never_cast_or_copied_as_a_whole(image_shape):
    X = np.random.default_rng(0).integers(256, size=(20_000, 1000)).astype(np.uint8)
    tracemalloc.start()
    try:
        source = Source(X, input_format(X, image_layout((1000,), image_shape)), CPU)
        peak_of_format = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        source.read(np.arange(0, 256))
        source.read(slice(0, 512))
        peak_of_batch = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert source.X is X
    assert peak_of_format < 2 * X.nbytes  # some blocks of 1024 rows; float64 takes 8
    assert peak_of_batch < X.nbytes / 20


def test_bytes_in_sparse_rows_are_never_cast_as_a_whole():
    random = np.random.default_rng(0)
    X = sparse.csr_array(random.integers(256, size=(20_000, 200)).astype(np.uint8))
    tracemalloc.start()
    try:
        input_format(X, image_layout((200,)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * X.data.nbytes  # float64 takes 8


@pytest.fixture
def every_warning_is_an_error():
    before = torch.is_warn_always_enabled()
    torch.set_warn_always(True)  # torch warns once only of arrays that are read-only
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
    torch.set_warn_always(before)


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("kind", ["read-only", "memory map"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_batches_of_data_that_cannot_be_written_can_be(
    tmp_path, every_warning_is_an_error, rows, kind, dtype
):
    X = np.abs(vectors(0, n=12)).astype(dtype)
    kept = X.copy()
    if kind == "memory map":
        np.save(tmp_path / "X.npy", X)
        X = np.load(tmp_path / "X.npy", mmap_mode="r")
        assert isinstance(X, np.memmap)
    X.flags.writeable = False
    source = Source(X, input_format(X, image_layout((6,), (2, 3))), CPU)
    expected = Source(kept, source.format, CPU).read(rows)
    batch = source.read(rows)
    assert torch.equal(batch, expected)
    batch += 1
    assert_array_equal(X, kept)


def test_writing_to_a_batch_never_reaches_x():
    X = np.random.default_rng(0).uniform(size=(10, 6)).astype(np.float32)
    kept = X.copy()
    format = InputFormat(image_layout((6,)), np.zeros(6), np.ones(6))  # changes none
    for rows in ROWS:
        Source(X, format, CPU).read(rows).add_(1)
    assert_array_equal(X, kept)


@pytest.mark.parametrize("n", [1, 511, 512, 513, 1500])
def test_blocks_cover_all_rows_in_order(n):
    X = np.arange(n, dtype=np.float32)[:, None]
    source = Source(X, InputFormat(image_layout((1,)), np.zeros(1), np.ones(1)), CPU)
    blocks = [source.read(block) for block in source.blocks()]
    assert_array_equal(torch.cat(blocks), X)
    assert max(len(block) for block in blocks) <= 512


@pytest.mark.parametrize("dtype", ["u1", "f4", "f8"])
def test_rows_that_are_held_are_read_as_those_that_are_not(dtype):
    X = np.random.default_rng(0).integers(256, size=(10, 6)).astype(dtype)
    source = Source(X, input_format(X, image_layout((6,), (2, 3))), CPU)
    expected = [source.read(rows) for rows in ROWS]
    some = np.array([1, 4, 5, 8])
    expected_part = source.part(some).read(np.array([3, 0]))
    source.hold()
    assert source.held is None  # for a GPU alone
    before = fingerprint(source)
    source.held = torch.from_numpy(X.copy())
    held = source.held.clone()
    assert fingerprint(source) == before  # what a GPU has room for is no input
    source.X = None  # not asked any more
    for rows, batch in zip(ROWS, expected):
        assert torch.equal(source.read(rows), batch)
        source.read(rows).add_(1)
    assert torch.equal(source.held, held)
    source.X = X
    assert torch.equal(source.part(some).read(np.array([3, 0])), expected_part)


def test_a_gpu_reads_as_much_at_once_as_its_room_allows():
    X = np.zeros((30_000, 784), dtype=np.uint8)
    source = Source(X, InputFormat(image_layout((784,)), np.zeros(1), np.ones(1)), CPU)
    assert source.batches_at_once(256) == 1
    source.device = torch.device("cuda")
    assert source.batches_at_once(256) == 10
    assert source.batches_at_once(100_000) == 1
    blocks = list(source.blocks())
    assert blocks[0] == slice(0, 2**21 // 784)
    assert sum(block.stop - block.start for block in blocks) == len(X)


@pytest.mark.parametrize(("room", "kept"), [(2 * 240, True), (2 * 240 - 1, False)])
def test_rows_are_held_if_half_of_the_room_will_do(room, kept, monkeypatch):
    X = np.random.default_rng(0).normal(size=(10, 6)).astype(np.float32)  # 240 bytes
    source = Source(X, input_format(X, image_layout((6,))), CPU)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (room, 10 * room))

    class OnGPU:
        type = "cuda"

    own = torch.empty
    source.device = OnGPU()
    monkeypatch.setattr(torch, "empty", lambda *a, device=None, **k: own(*a, **k))
    source.hold()
    assert (source.held is not None) is kept
    if kept:
        assert_array_equal(source.held, X)
