"""Loaders that read an archive: found in the data home, or downloaded into it."""

import functools
import gzip
import hashlib
import http.server
import io
import socket
import sys
import tarfile
import threading
import types
import zipfile

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from deepdensity.datasets import (
    _cache,
    _letters,
    _objects,
    _signs,
    fetch_cifar10,
    fetch_emnist_letters,
    fetch_stl10,
)
from deepdensity.datasets._archive import Archive

RNG = np.random.default_rng(0)


def bytes_of(*shape):
    return RNG.integers(0, 256, size=shape, dtype=np.uint8)


def tar_of(files):
    """Bytes of a gzipped tar archive: name -> bytes."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return content.getvalue()


def zip_of(files):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


def stl10_files(images, labels):
    """STL-10's: pixel by pixel, by the loops of its description."""
    files = {"stl10_binary/class_names.txt": b"airplane\n"}
    halves = {"train": slice(0, 2), "test": slice(2, None)}
    for part, rows in halves.items():
        pixels = [
            image[row, column, channel]
            for image in images[rows]
            for channel in range(3)
            for column in range(96)
            for row in range(96)
        ]
        files[f"stl10_binary/{part}_X.bin"] = bytes(pixels)
        files[f"stl10_binary/{part}_y.bin"] = bytes(labels[rows] + 1)
    files["stl10_binary/unlabeled_X.bin"] = b"1234"
    return files


def cifar10_files(images, labels):
    """CIFAR-10's: two images a file, the red plane, the green one and the blue one."""
    names = [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]
    files = {}
    for i, name in enumerate(names):
        content = b""
        for image, label in zip(images[2 * i : 2 * i + 2], labels[2 * i : 2 * i + 2]):
            planes = b"".join(image[:, :, channel].tobytes() for channel in range(3))
            content += bytes([label]) + planes
        files[f"cifar-10-batches-bin/{name}.bin"] = content
    return files


def letter_files(images, labels):
    """EMNIST's: transposed images, labels from 1; the first 20 are for training."""
    files = {}
    for part, rows in {"train": slice(0, 20), "test": slice(20, None)}.items():
        lying = np.stack([image.T for image in images[rows]])
        n = len(lying).to_bytes(4, "big")
        side = (28).to_bytes(4, "big")
        content = {
            "images-idx3": b"\0\0\x08\x03" + n + side + side + lying.tobytes(),
            "labels-idx1": b"\0\0\x08\x01" + n + bytes(labels[rows] + 1),
        }
        for kind, data in content.items():
            name = f"gzip/emnist-letters-{part}-{kind}-ubyte.gz"
            files[name] = gzip.compress(data)
    return files


def offer(monkeypatch, module, name, content):
    """Make `content` what the archive of a loader should be."""
    checksum = "sha256:" + hashlib.sha256(content).hexdigest()
    archive = getattr(module, name)._replace(checksum=checksum)
    monkeypatch.setattr(module, name, archive)
    return archive


# loader, where its archive is known, and bytes of an archive of n images
ARCHIVES = [
    (fetch_stl10, _objects, "STL10_ARCHIVE", stl10_files, tar_of, (96, 96, 3), 5),
    (
        fetch_cifar10,
        _objects,
        "CIFAR10_ARCHIVE",
        cifar10_files,
        tar_of,
        (32, 32, 3),
        12,
    ),
    (fetch_emnist_letters, _letters, "ARCHIVE", letter_files, zip_of, (28, 28), 30),
]


@pytest.fixture(params=ARCHIVES, ids=lambda case: case[0].__name__)
def case(request, monkeypatch):
    """A loader, its archive, the bytes of that, and what is in it."""
    loader, module, name, files, pack, shape, n = request.param
    images = bytes_of(n, *shape)
    labels = (np.arange(n) % 10).astype(np.uint8)
    content = pack(files(images, labels))
    archive = offer(monkeypatch, module, name, content)
    return loader, archive, content, images, labels


def no_download(*args, **kwargs):
    raise AssertionError("nothing should be downloaded")


def stand_in(monkeypatch, retrieve):
    """A pooch of one function."""
    pooch = types.SimpleNamespace(retrieve=retrieve)
    monkeypatch.setitem(sys.modules, "pooch", pooch)


def test_an_archive_in_the_data_home(tmp_path, monkeypatch, case):
    loader, archive, content, images, labels = case
    stand_in(monkeypatch, no_download)
    (tmp_path / archive.file).write_bytes(content)
    bunch = loader(data_home=tmp_path, download_if_missing=False)
    assert_array_equal(bunch.images, images)
    assert_array_equal(bunch.target, labels)
    (tmp_path / archive.file).unlink()
    again = loader(data_home=tmp_path, download_if_missing=False)  # from its npz file
    assert_array_equal(again.data, bunch.data)
    assert_array_equal(again.target, bunch.target)


def test_a_downloaded_archive(tmp_path, monkeypatch, case):
    loader, archive, content, images, labels = case
    asked = []

    def retrieve(url, known_hash, fname, path):
        asked.append((url, known_hash, fname))
        (path / fname).write_bytes(content)

    stand_in(monkeypatch, retrieve)
    bunch = loader(data_home=tmp_path)
    assert_array_equal(bunch.images, images)
    loader(data_home=tmp_path)
    assert asked == [(archive.url, archive.checksum, archive.file)]


def test_an_archive_of_another_checksum(tmp_path, monkeypatch, case):
    loader, archive, content, _, _ = case
    stand_in(monkeypatch, no_download)
    (tmp_path / archive.file).write_bytes(content[:-100])
    with pytest.raises(ValueError, match=f"{archive.file} has the sha256 checksum"):
        loader(data_home=tmp_path)
    assert not list(tmp_path.glob("*.npz"))


def test_a_truncated_archive_of_the_right_checksum(tmp_path, monkeypatch, case):
    loader, archive, content, _, _ = case
    part = content[: len(content) // 2]
    where = [row for row in ARCHIVES if row[0] is loader][0]
    offer(monkeypatch, where[1], where[2], part)
    (tmp_path / archive.file).write_bytes(part)
    with pytest.raises(ValueError, match=f"{archive.file} is not the expected archive"):
        loader(data_home=tmp_path)
    assert not list(tmp_path.glob("*.npz"))


def test_a_download_of_another_checksum(tmp_path, monkeypatch, case):
    loader, archive, _, _, _ = case

    def retrieve(url, known_hash, fname, path):
        raise ValueError("SHA256 hash of downloaded file does not match")

    stand_in(monkeypatch, retrieve)
    with pytest.raises(ValueError, match=f"{archive.url} gave has not the checksum"):
        loader(data_home=tmp_path)


def test_no_network(tmp_path, monkeypatch, case):
    loader, archive, _, _, _ = case

    def retrieve(url, known_hash, fname, path):
        raise ConnectionError("no route to host")

    stand_in(monkeypatch, retrieve)
    message = rf"{archive.url} could not .*no route.*{archive.file}\. Put \w+\.npz into"
    with pytest.raises(OSError, match=message):
        loader(data_home=tmp_path)


def test_no_pooch(tmp_path, monkeypatch, case):
    loader, archive, _, _, _ = case
    monkeypatch.setitem(sys.modules, "pooch", None)  # as if it were not installed
    message = (
        rf"pip install pooch.*yourself at .*{archive.file}\. Put \w+\.npz into "
        rf"{tmp_path}: an npz file of X"
    )
    with pytest.raises(ImportError, match=message):
        loader(data_home=tmp_path)


def test_the_published_checksums_are_whole():
    for module, name in [(_signs, "ARCHIVE"), *(case[1:3] for case in ARCHIVES)]:
        algorithm, _, digest = getattr(module, name).checksum.partition(":")
        assert len(bytes.fromhex(digest)) == hashlib.new(algorithm).digest_size


def test_a_data_home_that_may_only_be_read(tmp_path, monkeypatch, case):
    loader, archive, content, images, _ = case
    (tmp_path / archive.file).write_bytes(content)

    def write_npz(path, arrays):
        raise PermissionError("read-only file system")

    monkeypatch.setattr(_cache, "write_npz", write_npz)
    with pytest.warns(UserWarning, match=r"could not be kept as .*npz.*read-only"):
        bunch = loader(data_home=tmp_path)
    assert_array_equal(bunch.images, images)


# archives of the right checksum that hold something else, and what the error says
WRONG = [
    (0, {"stl10_binary/train_X.bin": b"123"}, r"lacks \['train_y.bin', 'test_X.bin'"),
    (1, {"cifar-10-batches-bin/data_batch_1.bin": b"123"}, "lacks"),
    (2, {"gzip/readme": b"text"}, "no item named"),
]


@pytest.mark.parametrize("row, files, message", WRONG)
def test_archives_without_the_files(tmp_path, monkeypatch, row, files, message):
    loader, module, name, _, pack, _, _ = ARCHIVES[row]
    content = pack(files)
    archive = offer(monkeypatch, module, name, content)
    (tmp_path / archive.file).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        loader(data_home=tmp_path)


# what to do with one file of an otherwise sound archive, and what the error says
SPOILT = [
    (0, "train_X.bin", lambda data: data[:-1], "bytes of pixels for 5 labels"),
    (0, "test_y.bin", lambda data: b"\x0b" + data[1:], "bytes of pixels for 5 labels"),
    (1, "data_batch_2.bin", lambda data: data[:-1], "no multiple of 3073"),
    (1, "test_batch.bin", lambda data: b"\x0a" + data[1:], "label is above 9"),
    (2, "train-labels-idx1-ubyte.gz", lambda data: data[:-9], "Compressed file|CRC"),
    (2, "test-labels-idx1-ubyte.gz", lambda data: gzip.compress(b"\0"), "no idx file"),
]


@pytest.mark.parametrize("row, name, spoil, message", SPOILT)
def test_spoilt_files_in_archives(tmp_path, monkeypatch, row, name, spoil, message):
    loader, module, constant, make, pack, shape, n = ARCHIVES[row]
    files = make(bytes_of(n, *shape), (np.arange(n) % 10).astype(np.uint8))
    files = {k: spoil(v) if k.endswith(name) else v for k, v in files.items()}
    content = pack(files)
    archive = offer(monkeypatch, module, constant, content)
    (tmp_path / archive.file).write_bytes(content)
    with pytest.raises(ValueError, match=f"not the expected archive.*({message})"):
        loader(data_home=tmp_path)


def test_letters_after_j_are_left_out(tmp_path, monkeypatch):
    images = bytes_of(26, 28, 28)
    content = zip_of(letter_files(images, np.arange(26, dtype=np.uint8)))
    archive = offer(monkeypatch, _letters, "ARCHIVE", content)
    (tmp_path / archive.file).write_bytes(content)
    assert_array_equal(fetch_emnist_letters(data_home=tmp_path).images, images[:10])
    every = fetch_emnist_letters(letters="A-Z", data_home=tmp_path)
    assert_array_equal(every.images, images)
    assert_array_equal(every.target, np.arange(26))


# -- pooch itself, on this computer alone ----------------------------------------------


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Gives the files of a folder and writes no log."""

    def log_message(self, *args):
        pass


@pytest.fixture
def address(tmp_path, monkeypatch):
    """Where a server of this computer gives letters.zip, of the bytes "letters"."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "letters.zip").write_bytes(b"letters")
    handler = functools.partial(Quiet, directory=tmp_path / "served")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def archive_at(url, content=b"letters"):
    checksum = "sha256:" + hashlib.sha256(content).hexdigest()
    return Archive("mine.zip", url, checksum)


def test_pooch_downloads_into_the_data_home(tmp_path, address):
    path = archive_at(f"{address}/letters.zip").locate(tmp_path, True)
    assert path == tmp_path / "mine.zip"
    assert path.read_bytes() == b"letters"


def test_what_pooch_finds_wrong_is_not_kept(tmp_path, address):
    archive = archive_at(f"{address}/letters.zip", b"others")
    with pytest.raises(ValueError, match="has not the checksum sha256:.*not kept"):
        archive.locate(tmp_path, True)
    assert [path.name for path in tmp_path.iterdir()] == ["served"]


def test_pooch_without_the_file_at_the_address(tmp_path, address):
    archive = archive_at(f"{address}/none.zip")
    message = r"none\.zip could not be downloaded \(404.*by hand .*mine\.zip"
    with pytest.raises(OSError, match=message):
        archive.locate(tmp_path, True)


def test_pooch_without_a_network(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]  # closed from here on
    archive = archive_at(f"http://127.0.0.1:{port}/letters.zip")
    monkeypatch.setattr(_letters, "ARCHIVE", archive)
    message = rf"{archive.url} could not be downloaded .*Put \w+\.npz into {tmp_path}"
    with pytest.raises(OSError, match=message):
        fetch_emnist_letters(data_home=tmp_path)
    assert not list(tmp_path.iterdir())
