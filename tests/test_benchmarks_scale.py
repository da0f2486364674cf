"""The benchmark of scale: its images, its figures, and a fit."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from benchmarks.scale import __main__ as scale
from benchmarks.scale import fits, samples
from benchmarks.scale.memory import Peak

from .common import digit_images


@pytest.fixture
def folder(tmp_path):
    """A data home and a folder of images, of 40 digits."""
    X = np.kron(digit_images(20)[0], np.ones((4, 4)))[:, 2:-2, 2:-2] * 15
    np.savez(tmp_path / "mnist.npz", X=X.astype(np.uint8))
    samples.write(tmp_path, tmp_path, 40)
    return tmp_path


def test_the_slope_is_the_exponent():
    rows = [{"n_samples": n, "seconds": 3 * n**1.5} for n in (10, 100, 1000)]
    assert scale.slope(rows) == pytest.approx(1.5)


def test_the_layouts_hold_the_same_images(folder):
    images = np.load(folder / "40.npy")
    assert images.shape == (40, 28, 28)
    assert images.dtype == np.uint8
    assert images.std() > 20
    assert_array_equal(samples.read("memmap", folder, 40), images)
    flat = images.reshape(40, -1)
    assert_array_equal(samples.read("flat memmap", folder, 40), flat)
    sparse = samples.read("csr", folder, 40)
    assert_array_equal(sparse.toarray(), np.where(flat < samples.INK, 0, flat))


def test_the_peak_is_of_memory_that_is_held_and_given_back():
    with Peak() as peak:
        held = np.ones(2**27, dtype=np.uint8)  # 128 MiB
        with Peak() as inner:
            pass
        del held
    assert 0.7 * 2**27 < peak.peak - peak.start < 2**28
    assert inner.peak - inner.start < 2**25


@pytest.mark.parametrize("estimator", scale.ESTIMATORS)
def test_a_fit_is_timed(estimator, folder):
    row = fits.fit(estimator, "csr", folder, 40)
    assert row["seconds"] > row["predict_seconds"] > 0
    counts = f"n =        40, {row['n_found']} of 10 clusters: fit"
    assert f"{estimator}, csr, {counts}" in scale.line(row)
