"""The device that a fit runs on."""

import torch

__all__ = ["resolve_device"]


def resolve_device(device):
    """The torch device for "auto" (CUDA if there, else the CPU), a name or a device.

    Raises a ValueError that names the parameter where there is no such device.
    """
    if isinstance(device, str) and device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
    except RuntimeError:
        raise ValueError(
            f"device={device!r} is not known to torch; it must be 'auto', 'cpu', "
            "'cuda', 'cuda:1', 'mps' or the like."
        ) from None
    try:
        torch.empty(1, device=resolved).cpu()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"device={device!r} is not there ({reason}); device='auto' takes what is."
        ) from None
    return resolved
