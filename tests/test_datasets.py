"""The loaders of data sets, from npz files in a data home."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from deepdensity import IDCLClustering, datasets
from deepdensity.datasets import (
    fetch_cifar10,
    fetch_emnist_letters,
    fetch_fashion_mnist,
    fetch_gtsrb,
    fetch_mnist,
    fetch_reuters10k,
    fetch_stl10,
    fetch_usps,
    fetch_ytf,
)

RNG = np.random.default_rng(0)
CLASSES = np.array([1, 2, 12, 13, 38])


def bytes_of(*shape):
    """Random images of bytes, 20 of them."""
    return RNG.integers(0, 256, size=(20, *shape), dtype=np.uint8)


# loader -> file, image shape, number of classes, the arrays of the file beside y
LOADERS = {
    fetch_usps: (
        "usps.npz",
        (16, 16),
        10,
        {"X": RNG.integers(0, 2001, (20, 16, 16)).astype(np.uint16), "scale": 2000},
    ),
    fetch_mnist: ("mnist.npz", (28, 28), 10, {"X": bytes_of(28, 28)}),
    fetch_fashion_mnist: ("fashion_mnist.npz", (28, 28), 10, {"X": bytes_of(784)}),
    fetch_emnist_letters: (
        "emnist_letters_aj.npz",
        (28, 28),
        10,
        {"X": bytes_of(28, 28)},
    ),
    fetch_gtsrb: (
        "gtsrb5.npz",
        (32, 32, 3),
        5,
        {"X": bytes_of(32, 32, 3), "classes": CLASSES, "track": np.arange(20) // 4},
    ),
    fetch_reuters10k: ("reuters10k.npz", None, 4, {"X": RNG.random((20, 50))}),
    fetch_ytf: ("ytf.npz", (5, 4, 3), 3, {"X": bytes_of(5, 4, 3)}),
    fetch_stl10: ("stl10.npz", (96, 96, 3), 10, {"X": bytes_of(96, 96, 3)}),
    fetch_cifar10: ("cifar10.npz", (32, 32, 3), 10, {"X": bytes_of(32, 32, 3)}),
}
GREY = [fetch_usps, fetch_mnist, fetch_fashion_mnist, fetch_emnist_letters]
COLOUR = [fetch_gtsrb, fetch_ytf, fetch_stl10, fetch_cifar10]


def put(folder, loader, **changes):
    """Write the file of a loader; a change to None leaves the array out."""
    file, _, n_classes, arrays = LOADERS[loader]
    arrays = {**arrays, "y": np.arange(20) % n_classes, **changes}
    arrays = {key: array for key, array in arrays.items() if array is not None}
    np.savez_compressed(folder / file, **arrays)
    return arrays


@pytest.mark.parametrize("loader", LOADERS)
def test_a_local_file_is_loaded(tmp_path, loader):
    arrays = put(tmp_path, loader)
    _, shape, n_classes, _ = LOADERS[loader]
    bunch = loader(data_home=tmp_path, download_if_missing=False)
    X = arrays["X"].reshape(20, -1)
    if loader is fetch_usps:
        assert bunch.data.dtype == np.float32
        assert_array_equal(bunch.data, X.astype(np.float32) / np.float32(2000))
    else:
        assert bunch.data.dtype == X.dtype
        assert_array_equal(bunch.data, X)
    assert_array_equal(bunch.target, arrays["y"])
    assert bunch.target.dtype == np.int64
    assert len(bunch.target_names) == n_classes
    assert bunch.image_shape == shape
    if shape is not None:
        assert_array_equal(bunch.images, bunch.data.reshape(20, *shape))
    for words in (":Number of samples: 20", f":Number of classes: {n_classes}"):
        assert words in bunch.DESCR
    for field in (":Values:", ":Source:", ":Citation:"):
        assert field in bunch.DESCR


@pytest.mark.parametrize("loader", LOADERS)
def test_return_X_y(tmp_path, loader):
    put(tmp_path, loader)
    X, y = loader(data_home=str(tmp_path), return_X_y=True)
    bunch = loader(data_home=tmp_path)
    assert_array_equal(X, bunch.data)
    assert_array_equal(y, bunch.target)


@pytest.mark.parametrize("loader", GREY)
def test_data_frames(tmp_path, loader):
    put(tmp_path, loader)
    bunch = loader(data_home=tmp_path)
    framed = loader(data_home=tmp_path, as_frame=True)
    side = bunch.image_shape[1]
    assert bunch.frame is None
    assert list(framed.data.columns) == bunch.feature_names
    pixel = framed.frame[f"pixel_3_{side - 1}"].to_numpy()
    assert_array_equal(pixel, bunch.images[:, 3, side - 1])
    assert set(framed.data.dtypes) == {bunch.data.dtype}
    assert list(framed.frame.columns[-2:]) == [f"pixel_{side - 1}_{side - 1}", "target"]
    assert framed.target.name == "target"
    X, y = loader(data_home=tmp_path, as_frame=True, return_X_y=True)
    assert X.equals(framed.data) and y.equals(framed.target)


def test_each_public_name_is_tested_here():
    tested = {loader.__name__ for loader in LOADERS} | {"load_npz"}
    assert tested == set(datasets.__all__)


def test_the_default_data_home_is_that_of_scikit_learn(tmp_path, monkeypatch):
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    arrays = put(tmp_path, fetch_mnist)
    assert_array_equal(fetch_mnist().images, arrays["X"])


@pytest.mark.parametrize("loader", [*GREY, *COLOUR])
def test_flat_rows_and_images_are_the_same(tmp_path, loader):
    put(tmp_path, loader)
    if loader is fetch_ytf:  # flat rows are taken for square images there
        put(tmp_path, loader, X=bytes_of(4, 4, 3))
    bunch = loader(data_home=tmp_path)
    X = np.load(tmp_path / LOADERS[loader][0])["X"]
    put(tmp_path, loader, X=X.reshape(20, -1))
    flat = loader(data_home=tmp_path)
    assert flat.image_shape == bunch.image_shape
    assert_array_equal(flat.images, bunch.images)


def test_usps_takes_floats_and_has_a_default_scale(tmp_path):
    X = put(tmp_path, fetch_usps)["X"]
    bunch = fetch_usps(data_home=tmp_path)
    put(tmp_path, fetch_usps, scale=None)
    assert_array_equal(fetch_usps(data_home=tmp_path).data, bunch.data)
    put(tmp_path, fetch_usps, X=X / 2000)
    assert_array_equal(fetch_usps(data_home=tmp_path).data, bunch.data)


def test_labels_are_indices_of_names(tmp_path):
    for loader in LOADERS:
        put(tmp_path, loader)
    bunches = {loader: loader(data_home=tmp_path) for loader in LOADERS}
    names = {loader: b.target_names[b.target[4]] for loader, b in bunches.items()}
    assert names == {
        fetch_usps: "4",
        fetch_mnist: "4",
        fetch_fashion_mnist: "Coat",
        fetch_emnist_letters: "E",
        fetch_gtsrb: "keep right",
        fetch_reuters10k: "CCAT",
        fetch_ytf: "1",
        fetch_stl10: "deer",
        fetch_cifar10: "deer",
    }


@pytest.mark.parametrize("loader", [fetch_ytf, fetch_reuters10k])
def test_the_file_may_name_the_classes(tmp_path, loader):
    names = np.array(["Ann", "Bob", "Cy", "Di"])
    put(tmp_path, loader, target_names=names)
    assert_array_equal(loader(data_home=tmp_path).target_names, names)


def test_all_letters_have_a_file_of_their_own(tmp_path):
    put(tmp_path, fetch_emnist_letters)
    X = bytes_of(28, 28)
    np.savez(tmp_path / "emnist_letters.npz", X=X, y=np.arange(20) + 6)
    bunch = fetch_emnist_letters(letters="A-Z", data_home=tmp_path)
    assert_array_equal(bunch.images, X)
    assert bunch.target_names[bunch.target[-1]] == "Z"


def test_signs_keep_the_numbers_and_tracks_of_the_benchmark(tmp_path):
    arrays = put(tmp_path, fetch_gtsrb)
    bunch = fetch_gtsrb(data_home=tmp_path)
    assert_array_equal(bunch.class_ids, CLASSES)
    assert_array_equal(bunch.track, arrays["track"])
    put(tmp_path, fetch_gtsrb, track=None)
    assert "track" not in fetch_gtsrb(data_home=tmp_path)


def test_sparse_text(tmp_path):
    X = sparse.random_array((20, 50), density=0.1, rng=RNG, format="csr")
    y = np.arange(20) % 4
    parts = {"data": X.data, "indices": X.indices, "indptr": X.indptr}
    path = tmp_path / "reuters10k.npz"
    np.savez(path, y=y, shape=X.shape, format=b"csr", **parts)
    bunch = fetch_reuters10k(data_home=tmp_path)
    assert sparse.issparse(bunch.data) and bunch.data.format == "csr"
    assert_array_equal(bunch.data.toarray(), X.toarray())
    assert_array_equal(bunch.target, y)


# -- what is wrong with a file -------------------------------------------------------

# changes to the file of MNIST, and what the error must say
BAD_FILES = [
    ({"X": None}, r"mnist\.npz has no array 'X'; it has \['y'\]"),
    ({"y": None}, r"mnist\.npz has no array 'y'; it has \['X'\]"),
    ({"X": bytes_of(27, 28)}, r"shape \(27, 28\).*\(28, 28\) or flat rows of 784"),
    ({"X": bytes_of(28, 28)[0, 0]}, r"samples of shape \(\)"),
    ({"X": bytes_of(28, 28) / 255}, "float64.*whole numbers from 0 to 255"),
    ({"X": bytes_of(28, 28) + np.ones(1, int)}, "int64.*whole numbers from 0 to 255"),
    ({"X": np.full((20, 28, 28), "a")}, "<U1.*whole numbers from 0 to 255"),
    ({"X": bytes_of(28, 28)[:0], "y": np.arange(0)}, r"shape \(0, 784\)"),
    ({"y": np.arange(19) % 10}, r"y in mnist\.npz has shape \(19,\).* for 20 samples"),
    ({"y": np.arange(20) % 11}, r"goes up to 10, but .* y must be 0 to 9"),
    ({"y": np.arange(20) - 1}, "class number of at least 0"),
    ({"y": np.linspace(0, 9, 20)}, "float64.*class number"),
    ({"X": np.array([None] * 20)}, r"mnist\.npz cannot be read.*allow_pickle=False"),
]


@pytest.mark.parametrize("changes, message", BAD_FILES)
def test_bad_arrays(tmp_path, changes, message):
    put(tmp_path, fetch_mnist, **changes)
    with pytest.raises(ValueError, match=message):
        fetch_mnist(data_home=tmp_path)


def test_whole_numbers_of_another_type_are_bytes(tmp_path):
    X = put(tmp_path, fetch_mnist)["X"]
    put(tmp_path, fetch_mnist, X=X.astype(np.float64))
    bunch = fetch_mnist(data_home=tmp_path)
    assert bunch.data.dtype == np.uint8
    assert_array_equal(bunch.images, X)


@pytest.mark.parametrize("X", [np.full((20, 16, 16), 2001), np.full((20, 256), -0.1)])
def test_usps_out_of_range(tmp_path, X):
    put(tmp_path, fetch_usps, X=X)
    with pytest.raises(ValueError, match=f"{X.dtype} and values outside the range"):
        fetch_usps(data_home=tmp_path)


def test_usps_of_bytes_must_tell_its_scale(tmp_path):
    X = np.arange(20 * 256, dtype=np.uint8).reshape(20, 256)
    put(tmp_path, fetch_usps, X=X, scale=None)
    with pytest.raises(ValueError, match="uint8, and `scale` is missing"):
        fetch_usps(data_home=tmp_path)
    put(tmp_path, fetch_usps, X=X, scale=np.int64(255))
    assert_allclose(fetch_usps(data_home=tmp_path).data, X / 255, rtol=1e-6)


@pytest.mark.parametrize("classes", [None, CLASSES[:4], CLASSES + 10])
def test_signs_need_the_numbers_of_their_classes(tmp_path, classes):
    put(tmp_path, fetch_gtsrb, classes=classes)
    with pytest.raises(ValueError, match=r"`classes` of 5 numbers from 0 to 42"):
        fetch_gtsrb(data_home=tmp_path)


@pytest.mark.parametrize("shape", [(47,), (5, 4), (5, 4, 1)])
def test_faces_must_be_in_colour(tmp_path, shape):
    put(tmp_path, fetch_ytf, X=bytes_of(*shape))
    with pytest.raises(ValueError, match=r"must be \(height, width, 3\)"):
        fetch_ytf(data_home=tmp_path)


@pytest.mark.parametrize("n_kept", [0, 100, -100])
@pytest.mark.parametrize("loader", [fetch_usps, fetch_reuters10k])
def test_truncated_files(tmp_path, loader, n_kept):
    put(tmp_path, loader)
    path = tmp_path / LOADERS[loader][0]
    path.write_bytes(path.read_bytes()[:n_kept])
    with pytest.raises(
        ValueError, match=rf"{path.name} is no npz file, or a truncated"
    ):
        loader(data_home=tmp_path)


def test_a_flipped_byte_is_noticed(tmp_path):
    put(tmp_path, fetch_mnist)
    path = tmp_path / "mnist.npz"
    content = bytearray(path.read_bytes())
    content[3000] ^= 255
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"mnist\.npz cannot be read"):
        fetch_mnist(data_home=tmp_path)


@pytest.mark.parametrize("loader", LOADERS)
def test_without_a_file_and_without_download(tmp_path, loader):
    file = LOADERS[loader][0]
    with pytest.raises(OSError, match=rf"Put {file} into .*{tmp_path.name}.* y \(n,\)"):
        loader(data_home=tmp_path, download_if_missing=False)


@pytest.mark.parametrize("loader", LOADERS)
def test_a_data_home_that_is_not_there_is_not_made_for_nothing(tmp_path, loader):
    folder = tmp_path / "mistyped"
    with pytest.raises(OSError, match="mistyped"):
        loader(data_home=folder, download_if_missing=False)
    with pytest.raises(OSError, match="mistyped"):
        fetch_ytf(data_home=folder)  # which is never downloaded
    assert not folder.exists()


def test_a_data_home_that_is_a_file(tmp_path):
    put(tmp_path, fetch_mnist)
    with pytest.raises(
        NotADirectoryError, match="data_home='.*mnist.npz' must be a fo"
    ):
        fetch_mnist(data_home=tmp_path / "mnist.npz")


def test_faces_cannot_be_downloaded(tmp_path):
    with pytest.raises(OSError, match="no download of known checksum"):
        fetch_ytf(data_home=tmp_path)


@pytest.mark.parametrize("n_classes", [0, 44, 2.0, "5"])
def test_bad_number_of_signs(n_classes):
    with pytest.raises(ValueError, match=f"n_classes={n_classes!r} should be an int"):
        fetch_gtsrb(n_classes=n_classes)


def test_bad_letters():
    with pytest.raises(ValueError, match="letters='a-z' should be one of"):
        fetch_emnist_letters(letters="a-z")


def test_colour_images_go_into_the_estimator_as_they_are(tmp_path):
    put(tmp_path, fetch_cifar10)
    bunch = fetch_cifar10(data_home=tmp_path)
    model = IDCLClustering(
        2,
        image_shape=bunch.image_shape,
        pretrain_epochs=1,
        max_epochs=1,
        init="k-means",
        guard=False,
        random_state=0,
    ).fit(bunch.data)
    assert model.labels_.shape == (20,)
    assert model.inverse_transform(model.embedding_).shape == (20, 3072)
