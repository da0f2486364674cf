"""The loader of traffic signs, its image format and the resizing."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from deepdensity.datasets import _signs, fetch_gtsrb
from deepdensity.datasets._ppm import read_ppm, resize

from .test_datasets_archives import bytes_of, offer, zip_of


def ppm(image):
    height, width, _ = image.shape
    return f"P6\n{width} {height}\n255\n".encode() + image.tobytes()


def sign_files(n_images, side=32):
    """GTSRB's, with two frames a track: class -> number of images."""
    images = {
        f"GTSRB/Final_Training/Images/{k:05}/{i // 2:05}_{i % 2:05}.ppm": bytes_of(
            side, side, 3
        )
        for k, n in n_images.items()
        for i in range(n)
    }
    files = {name: ppm(image) for name, image in images.items()}
    files["GTSRB/Readme-Images-Final-test.txt"] = b"text"
    return files, images


def test_the_most_frequent_signs(tmp_path, monkeypatch):
    files, images = sign_files({3: 4, 14: 6, 40: 2})
    content = zip_of(files)
    archive = offer(monkeypatch, _signs, "ARCHIVE", content)
    (tmp_path / archive.file).write_bytes(content)
    bunch = fetch_gtsrb(n_classes=2, data_home=tmp_path)
    assert_array_equal(bunch.class_ids, [3, 14])
    assert list(bunch.target_names) == ["speed limit 60 km/h", "stop"]
    assert_array_equal(bunch.target, [0] * 4 + [1] * 6)
    assert_array_equal(bunch.track, [0, 0, 1, 1, 0, 0, 1, 1, 2, 2])
    assert_array_equal(bunch.images, np.stack(list(images.values())[:10]))
    again = fetch_gtsrb(n_classes=2, data_home=tmp_path)  # from its npz file
    assert_array_equal(again.data, bunch.data)
    assert_array_equal(again.track, bunch.track)
    with pytest.raises(ValueError, match="not the expected.* images of 3 classes"):
        fetch_gtsrb(data_home=tmp_path)


def test_a_spoilt_sign(tmp_path, monkeypatch):
    files, _ = sign_files({k: 1 for k in range(5)})
    files["GTSRB/Final_Training/Images/00003/00000_00000.ppm"] = b"P6\n32 32\n255\nabc"
    content = zip_of(files)
    archive = offer(monkeypatch, _signs, "ARCHIVE", content)
    (tmp_path / archive.file).write_bytes(content)
    with pytest.raises(
        ValueError, match="not the expected .*32 x 32 pixels has 3 byte"
    ):
        fetch_gtsrb(data_home=tmp_path)


def test_signs_are_resized(tmp_path, monkeypatch):
    files, images = sign_files({k: 1 for k in range(5)}, side=40)
    content = zip_of(files)
    archive = offer(monkeypatch, _signs, "ARCHIVE", content)
    (tmp_path / archive.file).write_bytes(content)
    found = fetch_gtsrb(data_home=tmp_path).images
    expected = np.stack([naive_resize(image, 32) for image in images.values()])
    assert np.abs(found - expected).max() <= 0.5 + 1e-4


def naive_resize(image, side):
    """Mean under a triangle around each new pixel, two new pixels wide; loops."""
    rows = np.array([triangle(i, side, image.shape[0]) for i in range(side)])
    columns = np.array([triangle(i, side, image.shape[1]) for i in range(side)])
    return np.einsum("ih, hwc, jw -> ijc", rows, image, columns)


def triangle(i, n_new, n_old):
    """Weights of the old pixels for new pixel i."""
    scale = max(n_old / n_new, 1)
    centre = (i + 0.5) * n_old / n_new
    weights = np.zeros(n_old)
    for k in range(n_old):
        weights[k] = max(0, 1 - abs(k + 0.5 - centre) / scale)
    return weights / weights.sum()


@pytest.mark.parametrize("shape", [(15, 50, 3), (32, 32, 3), (250, 33, 3)])
def test_resize_is_a_mean_under_triangles(shape):
    image = bytes_of(*shape)
    resized = resize(image, 32, 32)
    assert resized.shape == (32, 32, 3) and resized.dtype == np.uint8
    assert np.abs(resized - naive_resize(image, 32)).max() <= 0.5 + 1e-3


@pytest.mark.parametrize("header", [b"P6\n5 4\n255\n", b"P6 # a\n# b\n5\t4 #c\n255 "])
def test_ppm(header):
    image = bytes_of(4, 5, 3)
    assert_array_equal(read_ppm(header + image.tobytes()), image)


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "no binary PPM"),
        (b"P5\n5 4\n255\n" + bytes(20), "no binary PPM"),
        (b"P6\n5 4\n65535\n" + bytes(120), "no binary PPM"),
        (b"P6\n5 4\n255\n" + bytes(59), "5 x 4 pixels has 59 bytes"),
    ],
)
def test_no_ppm(content, message):
    with pytest.raises(ValueError, match=message):
        read_ppm(content)
