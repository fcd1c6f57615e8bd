"""Blur of pictures, in torch."""

from __future__ import annotations

import torch
from torch.nn import functional


def blurred(pictures: torch.Tensor, sigma: float) -> torch.Tensor:
    """Return pictures (N, 1, H, W) through a Gaussian; the border mirrors them.

    Examples
    --------
    >>> point = torch.zeros(1, 1, 9, 9)
    >>> point[0, 0, 4, 4] = 1
    >>> round(float(blurred(point, 1.0)[0, 0, 4, 4]), 2)  # 1 / 2π
    0.16
    """
    reach = int(3 * sigma + 0.5)
    at = torch.arange(-reach, reach + 1, dtype=pictures.dtype)
    kernel = torch.exp(-((at / sigma) ** 2) / 2)
    kernel /= kernel.sum()
    wide = functional.pad(pictures, (reach,) * 4, mode="reflect")
    return functional.conv2d(
        functional.conv2d(wide, kernel.view(1, 1, -1, 1)), kernel.view(1, 1, 1, -1)
    )
