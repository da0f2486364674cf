"""The file: what it keeps, and what is wrong with one that is no good."""

import json
import sys
from multiprocessing.pool import ThreadPool

import pytest
import torch
from safetensors.torch import save_file

from deepdensity import __version__
from deepdensity.persistence import state_file
from deepdensity.persistence.state_file import read_state, write_state

CONTENT = {"name": "ö", "numbers": [1, 0.1]}
TENSORS = {
    "a": torch.arange(6.0).reshape(2, 3),
    "b": torch.tensor(True),
    "c": torch.zeros(0, 2, dtype=torch.int64),
}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "state.safetensors"
    write_state(path, CONTENT, TENSORS)
    return path


def test_there_and_back(path):
    content, tensors = read_state(str(path))
    assert content == CONTENT
    assert tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert tensors[name].dtype == tensor.dtype
        assert torch.equal(tensors[name], tensor)


def test_the_file_is_as_readable_as_any_other(path):
    path.with_name("other").write_text("")
    assert path.stat().st_mode == path.with_name("other").stat().st_mode


def test_a_failed_write_leaves_the_old_file_and_no_other(path):
    before = path.read_bytes()
    with pytest.raises(TypeError):
        write_state(path, {"a": object()}, {})
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    folder = tmp_path / "missing"
    with pytest.raises(FileNotFoundError, match=f"{folder} is no folder to write a"):
        write_state(folder / "a", CONTENT, TENSORS)
    assert not folder.exists()


def test_a_folder_in_the_place_of_the_file_is_named(tmp_path):
    for use in (
        lambda: write_state(tmp_path, CONTENT, {}),
        lambda: read_state(tmp_path),
    ):
        with pytest.raises(
            IsADirectoryError, match=f"{tmp_path} is a folder: give the"
        ):
            use()
    assert not list(tmp_path.parent.glob("*.part"))


def test_threads_that_write_to_one_path_leave_one_of_their_files(path):
    def write(number):
        for _ in range(20):
            write_state(path, {"number": number}, {"a": torch.full((9,), number)})

    with ThreadPool(4) as pool:
        pool.map(write, range(4))
    content, tensors = read_state(path)
    assert (tensors["a"] == content["number"]).all()
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("length", [0, 5, 200, -1])
def test_a_truncated_file(path, length):
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ValueError, match=f"{path.name} is damaged or no file"):
        read_state(path)


@pytest.mark.parametrize("position", [b'"name', b"numbers", b"\x00\x00\x40\x40"])
def test_a_changed_byte(path, position):
    data = bytearray(path.read_bytes())
    at = data.rindex(position) + len(position) - 1
    data[at] ^= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match="is damaged"):
        read_state(path)


@pytest.mark.parametrize(("said", "lie"), [(b"[2,3]", b"[3,2]"), (b'"F32"', b'"I32"')])
def test_a_tensor_under_another_shape_or_type(path, said, lie):
    data = path.read_bytes()
    assert data.count(said) == 1
    path.write_bytes(data.replace(said, lie))
    with pytest.raises(ValueError, match="is damaged: its checksum"):
        read_state(path)


def test_what_was_read_stays_whatever_becomes_of_the_file(path):
    _, tensors = read_state(path)
    with path.open("r+b") as file:
        file.write(b"\xff" * path.stat().st_size)
    for name, tensor in TENSORS.items():
        assert torch.equal(tensors[name], tensor)


def test_foreign_files(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_state(tmp_path / "nothing")
    (tmp_path / "text").write_text("labels, 1, 2, 3, and more of that")
    with pytest.raises(ValueError, match="no file that save"):
        read_state(tmp_path / "text")
    for metadata in (None, {"deepdensity_format": "new"}):
        save_file(TENSORS, tmp_path / "weights", metadata)
        with pytest.raises(ValueError, match="none that save.. has written"):
            read_state(tmp_path / "weights")


def test_a_later_format_is_named_with_both_versions(path, monkeypatch):
    monkeypatch.setattr(state_file, "FORMAT", 2)
    monkeypatch.setattr(state_file, "__version__", "7.1")
    write_state(path, CONTENT, TENSORS)
    monkeypatch.undo()
    message = f"format 2, written by deepdensity 7.1; this is deepdensity {__version__}"
    with pytest.raises(ValueError, match=message):
        read_state(path)


def test_an_earlier_format_is_read(path, monkeypatch):
    monkeypatch.setattr(state_file, "FORMAT", 2)
    assert read_state(path)[0] == json.loads(json.dumps(CONTENT))


def test_without_safetensors_the_message_says_what_to_install(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(ImportError, match="pip install safetensors"):
        read_state(path)
