"""Where networks are to be, as the user says it."""

from __future__ import annotations

import torch

from benchmark.errors import RunError


def require_device(name: str) -> torch.device:
    """Return a device that is there.

    Raises
    ------
    RunError
        There is none of the name.

    Examples
    --------
    >>> require_device("cpu")
    device(type='cpu')
    """
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise RunError(f"no such device: {name!r}", mend="cpu, cuda or mps") from error
    if (device.type == "cuda" and not torch.cuda.is_available()) or (
        device.type == "mps" and not torch.backends.mps.is_available()
    ):
        raise RunError(f"torch finds no {device.type} here", mend="leave out --device")
    return device
