"""Values through JSON and tensors and back."""

import json

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from skorch.history import History

from deepdensity.curriculum import Curriculum
from deepdensity.persistence.plain import from_plain, to_plain
from deepdensity.samples.inputs import InputFormat
from deepdensity.samples.layout import Layout


def there_and_back(value):
    tensors = {}
    text = json.dumps(to_plain(value, tensors, "value"))
    return from_plain(json.loads(text), tensors)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        -3,
        0.1,
        float("inf"),
        "cpu",
        [1, [2.5, None]],
        (1, (2, "a")),
        {"a": 1, "b": {"c": (1,)}},
        {3: 0.5, 4: 0.25},
        {"$type": "tuple", "of": [1]},
        torch.device("cuda:1"),
        Layout((8, 8, 3), 2),
    ],
)
def test_values_come_back_equal_and_of_the_same_type(value):
    back = there_and_back(value)
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize(
    "array",
    [
        np.array(2.5),
        np.arange(6.0).reshape(2, 3).T,
        np.zeros((0, 3), dtype=np.int32),
        np.array([True, False]),
        np.array([1, 255], dtype=np.uint8),
        np.array(["a", "ö"], dtype=object),
    ],
)
def test_arrays(array):
    back = there_and_back(array)
    assert type(back) is np.ndarray
    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    assert_array_equal(back, array)
    if back.dtype != object:
        back[...] = 0  # it may be written to


def test_tensors_scalars_and_formats():
    tensor = torch.arange(6).reshape(2, 3).T
    assert torch.equal(there_and_back(tensor), tensor)
    assert there_and_back([np.float32(0.5), np.int64(3), np.bool_(True)]) == [
        0.5,
        3,
        True,
    ]
    format = InputFormat(Layout((2,), None), np.array([1.0, 2.0]), np.array(3.0))
    back = there_and_back(format)
    assert type(back) is InputFormat and back.layout == format.layout
    assert_array_equal(back.offset, format.offset)
    assert back.scale == 3 and back.scale.shape == ()


def test_history_is_one_of_skorch():
    history = History()
    history.new_epoch()
    history.record("train_loss", np.float64(0.5))
    history.new_batch()
    history.record_batch("train_loss", 0.25)
    back = there_and_back(history)
    assert type(back) is History and back == history
    assert back[-1, "batches", 0, "train_loss"] == 0.25
    back.new_epoch()


@pytest.mark.parametrize("n_epochs", [0, 2])
def test_curriculum(n_epochs):
    curriculum = Curriculum(11, n_epochs or None)
    for epoch in range(n_epochs):
        curriculum.append(0.5, np.arange(epoch, 11, 2))
    back = there_and_back(curriculum)
    assert (len(back), back.n_samples) == (n_epochs, 11)
    assert back.pacing_epochs == (n_epochs or None)
    assert back.fractions == curriculum.fractions
    for epoch in range(n_epochs):
        assert_array_equal(back[epoch], curriculum[epoch])
    back.append(1.0, np.arange(11))
    assert len(back) == n_epochs + 1


def test_a_random_state_goes_on_where_it_was():
    random = np.random.RandomState(3)
    random.normal(size=3)
    assert there_and_back(random).normal() == random.normal()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (print, "thing is a builtin_function_or_method, which cannot be stored"),
        ([{"a": object()}], "thing.0.a is a object"),
        (np.array([1, None]), "thing is an array of objects"),
    ],
)
def test_what_cannot_be_stored_is_named(value, message):
    with pytest.raises(TypeError, match=message):
        to_plain(value, {}, "thing")


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        ({"$type": "array", "of": "0:labels_"}, "the tensor '0:labels_' is missing"),
        ({"$type": "os.system", "of": "ls"}, "unknown type 'os.system'"),
    ],
)
def test_nothing_else_is_read(plain, message):
    with pytest.raises(ValueError, match=message):
        from_plain(plain, {})


@pytest.mark.parametrize("kind", [">i8", ">f4", "<u2"])
def test_arrays_of_another_byte_order_keep_their_values(kind):
    value = np.arange(5).astype(kind)
    back = there_and_back(value)
    assert_array_equal(back, value)
    assert back.dtype == value.dtype.newbyteorder("=")


def test_arrays_with_names_that_look_alike_are_kept_apart():
    back = there_and_back({"x": [np.zeros(2)], "x.0": np.ones(3)})
    assert_array_equal(back["x"][0], np.zeros(2))
    assert_array_equal(back["x.0"], np.ones(3))
