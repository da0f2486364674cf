"""The files of this and of every earlier release are read, and give what they gave."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import deepdensity

from .write_fixture import FIXTURES, METHODS, MODELS, write

FILES = sorted(FIXTURES.glob("*/*.safetensors"))


def assert_gives_what_it_gave(path):
    model = deepdensity.load(path)
    expected = json.loads(path.with_suffix(".json").read_text())
    X = np.array(expected["X"])
    assert_array_equal(model.labels_, expected["predict"])
    assert_array_equal(model.predict(X), expected["predict"])
    for method in METHODS:
        assert_allclose(getattr(model, method)(X), expected[method], 1e-5, 1e-7)
    back = model.inverse_transform(model.embedding_)
    assert_allclose(back, expected["inverse_transform"], 1e-5, 1e-7)
    model.partial_fit(X)  # and it can be trained on
    model.set_params(warm_start=True).fit(X)


@pytest.mark.parametrize("path", FILES, ids=lambda path: "/".join(path.parts[-2:]))
def test_files_of_releases(path):
    assert_gives_what_it_gave(path)


def test_there_is_one_of_each_estimator_in_every_folder():
    folders = list(FIXTURES.iterdir())
    assert folders
    for folder in folders:
        assert {path.stem for path in folder.glob("*.safetensors")} == set(MODELS)


def test_the_script_writes_what_the_test_reads(tmp_path):
    write(tmp_path / "next")
    for name in MODELS:
        assert_gives_what_it_gave(tmp_path / "next" / f"{name}.safetensors")
    with pytest.raises(FileExistsError):
        write(tmp_path / "next")
