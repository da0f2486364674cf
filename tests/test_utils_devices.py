"""Names of devices to devices that are there."""

import pytest
import torch

from deepdensity.utils.devices import (
    device_or_cpu,
    has_bfloat16,
    reproducible,
    resolve_device,
    to_device,
)

from .common import overlapping


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


def test_the_cpu_stands_in_for_a_device_that_is_not_there():
    assert device_or_cpu(torch.device("cuda:99")) == torch.device("cpu")
    assert device_or_cpu(torch.device("cpu")) == torch.device("cpu")


@pytest.mark.parametrize(
    ("abilities", "has"),
    [
        ({"amx_bf16": True, "avx512_bf16": False}, True),
        ({"avx512_bf16": True}, True),
        ({"amx_bf16": False, "avx512_bf16": False}, False),
        ({"neon": True}, False),
    ],
)
def test_a_processor_has_bfloat16_by_its_abilities(abilities, has, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: abilities, raising=False)
    assert has_bfloat16(torch.device("cpu")) is has


def test_a_processor_that_does_not_tell_and_other_devices_have_none(monkeypatch):
    assert not has_bfloat16(torch.device("mps"))
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert not has_bfloat16(torch.device("cpu"))


@pytest.mark.parametrize("has", [True, False])
def test_a_gpu_is_asked_for_bfloat16_of_its_own(has, monkeypatch):
    monkeypatch.setattr(
        torch.cuda, "is_bf16_supported", lambda including_emulation: has
    )
    assert has_bfloat16(torch.device("cuda")) is has


def test_values_for_the_cpu_stay_where_they_are():
    values = torch.arange(3)
    assert to_device(values, torch.device("cpu")) is values


@pytest.mark.parametrize("before", [True, False])
def test_convolutions_of_a_gpu_are_reproducible_for_a_while(before, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", before)
    with reproducible(torch.device("cpu")):
        assert torch.backends.cudnn.deterministic is before
    with pytest.raises(ZeroDivisionError), reproducible(torch.device("cuda")):
        assert torch.backends.cudnn.deterministic
        raise ZeroDivisionError
    assert torch.backends.cudnn.deterministic is before
    cuda = reproducible(torch.device("cuda"))
    assert overlapping(cuda, lambda: torch.backends.cudnn.deterministic) is True
    assert torch.backends.cudnn.deterministic is before
