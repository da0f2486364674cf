"""Names of devices to devices that are there."""

import pytest
import torch

from deepdensity.devices import resolve_device


def test_auto_is_cuda_where_there_is_one():
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert resolve_device("auto").type == expected


@pytest.mark.parametrize("device", ["cpu", torch.device("cpu")])
def test_names_and_devices(device):
    assert resolve_device(device) == torch.device("cpu")


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("abacus", "device='abacus' is not known to torch"),
        ("cuda:99", "device='cuda:99' is not there"),
        ("meta", "device='meta' is not there"),
    ],
)
def test_what_is_not_there_is_named(device, message):
    with pytest.raises(ValueError, match=message):
        resolve_device(device)
