"""What stands at a path is replaced by a whole file, or stays."""

import pytest

from deepdensity.utils.files import refuse_folder, replacing


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    return path


def test_a_whole_file_takes_the_place(path):
    with replacing(str(path)) as beside:
        beside.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_file_and_no_other(path):
    with pytest.raises(RuntimeError, match="full"), replacing(path) as beside:
        beside.write_text("half of it")
        raise RuntimeError("the disk is full")
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


def test_a_place_that_no_file_can_have_is_named_before_anything_is_done(tmp_path):
    with pytest.raises(IsADirectoryError, match=f"{tmp_path} is a folder"):
        refuse_folder(tmp_path)
    with pytest.raises(IsADirectoryError), replacing(tmp_path):
        pytest.fail("the block has run")
    missing = tmp_path / "missing"
    with pytest.raises(FileNotFoundError, match=f"{missing} is no folder to write a"):
        with replacing(missing / "a"):
            pytest.fail("the block has run")
    assert not missing.exists()
