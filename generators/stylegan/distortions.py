"""What augmentation does to the values of pictures: colours, frequencies, holes.

Karras et al., arXiv 2006.06676, appendix B. All of it is linear in the pictures.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from generators.stylegan.filters import kaiser_filter
from generators.stylegan.ops import resample

_TAPS = (13, 25, 49)
"""Of the filters that part the octaves; a lower cutoff takes a longer one."""


def recoloured(pictures: torch.Tensor, colours: torch.Tensor) -> torch.Tensor:
    """Return pictures (N, C, H, W) with channels mixed by matrices (N, C, C + 1).

    Examples
    --------
    >>> brighter = torch.tensor([[[2.0, 0.5]]])
    >>> recoloured(torch.ones(1, 1, 1, 1), brighter).item()
    2.5
    """
    colours = colours.to(pictures)
    still = torch.eye(pictures.shape[1], pictures.shape[1] + 1).to(pictures)
    if bool((colours == still).all()):
        return pictures
    mixed = torch.einsum("ndc,nchw->ndhw", colours[:, :, :-1], pictures)
    return mixed + colours[:, :, -1, None, None]


def about_luma(flip: torch.Tensor, hue: torch.Tensor, saturation: torch.Tensor) -> torch.Tensor:
    """Return matrices (N, 3, 3) on red, green and blue.

    Parameters
    ----------
    flip
        (N,), 1 where brightness is turned round: a reflection through the plane of greys' normal.
    hue
        (N,), angles of a rotation about the axis of greys.
    saturation
        (N,), factors on what is not grey.

    Examples
    --------
    >>> zero, one = torch.zeros(1), torch.ones(1)
    >>> grey = torch.ones(3)
    >>> (about_luma(zero, zero + 1.0, 3 * one)[0] @ grey).allclose(grey)
    True
    >>> (about_luma(one, zero, one)[0] @ grey).allclose(-grey)
    True
    """
    axis = torch.full((3,), 3**-0.5)
    onto = torch.outer(axis, axis)
    still = torch.eye(3)
    x, y, z = axis.tolist()
    cross = torch.tensor([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    flip, hue, saturation = (value[:, None, None] for value in (flip, hue, saturation))
    turned = onto + hue.cos() * (still - onto) + hue.sin() * cross
    return (onto + saturation * (still - onto)) @ turned @ (still - 2 * flip * onto)


def equalised(pictures: torch.Tensor, bands: torch.Tensor) -> torch.Tensor:
    """Return pictures (N, C, S, S) with four octaves (N, 4), the lowest first, multiplied.

    The octaves part at 1/16, 1/8 and 1/4 cycles a pixel.

    Examples
    --------
    >>> x = torch.ones(1, 1, 16, 16)
    >>> round(equalised(x, torch.tensor([[3.0, 1.0, 1.0, 1.0]]))[0, 0, 8, 8].item(), 3)
    3.0
    """
    if bool((bands == 1).all()):
        return pictures
    gains = bands.to(pictures)[:, :, None, None, None]
    whole, result = pictures, torch.zeros_like(pictures)
    for octave, taps in zip((3, 2, 1), _TAPS, strict=True):
        lower = _low_passed(pictures, taps, cutoff=2.0 ** (octave - 5))
        result = result + gains[:, octave] * (whole - lower)
        whole = lower
    return result + gains[:, 0] * whole


def _low_passed(pictures: torch.Tensor, taps: int, cutoff: float) -> torch.Tensor:
    """Blur pictures, mirrored beyond the border; with fewer taps where the picture is small."""
    reach = min(taps // 2, pictures.shape[-1] - 1)
    low = kaiser_filter(2 * reach + 1, cutoff=cutoff, width=cutoff / 2, rate=1)
    return resample(functional.pad(pictures, (reach,) * 4, mode="reflect"), low)


def cut_out(pictures: torch.Tensor, holes: torch.Tensor) -> torch.Tensor:
    """Return pictures (N, C, S, S) with squares set to 0.

    Parameters
    ----------
    pictures
        The pictures.
    holes
        (N, 3): x, y of the centre and side, in picture widths from the corner.

    Examples
    --------
    >>> cut_out(torch.ones(1, 1, 2, 2), torch.tensor([[0.25, 0.25, 0.5]])).flatten().tolist()
    [0.0, 1.0, 1.0, 1.0]
    """
    if not bool(holes[:, 2].any()):
        return pictures
    size = pictures.shape[-1]
    at = (torch.arange(size) + 0.5) / size
    beside = (at - holes[:, :2, None]).abs() >= holes[:, 2, None, None] / 2  # (N, 2, S)
    kept = beside[:, 0, None, :] | beside[:, 1, :, None]
    return pictures * kept[:, None].to(pictures)
