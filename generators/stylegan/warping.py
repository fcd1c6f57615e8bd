"""Pictures moved by affine transforms: linear maps whose second derivatives exist.

Moving a picture is a linear map of its pixels. Its gradient is the transposed map, whose gradient
is the map again; so R1 can go through it, which it cannot through torch's own sampling.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional

from generators.stylegan.banded import apply
from generators.stylegan.filters import kaiser_filter
from generators.stylegan.ops import resample

# Half the lattice's own rate is kept, as far as twelve taps can tell (40 dB beyond).
_LOW = kaiser_filter(12, cutoff=0.5, width=0.2, rate=2)
_MARGIN = 6  # pixels around the picture, as many as the filters reach
_BILINEAR, _REFLECT = 0, 2  # as torch's sampling counts its modes


def moved_exactly(pictures: torch.Tensor, transforms: torch.Tensor) -> torch.Tensor:
    """Move pictures by transforms that take pixels onto pixels; mirrored beyond the border.

    Parameters
    ----------
    pictures
        (N, C, S, S).
    transforms
        (N, 3, 3), where a point goes, in picture widths from the centre, x to the right, y down.

    Examples
    --------
    >>> right = torch.tensor([[[1.0, 0, 1 / 2], [0, 1, 0], [0, 0, 1]]])
    >>> moved_exactly(torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]), right).flatten().tolist()
    [1.0, 1.0, 3.0, 3.0]
    """
    return _warped(pictures, transforms, pictures.shape[-1], pictures.shape[-1])


def moved_smoothly(pictures: torch.Tensor, transforms: torch.Tensor) -> torch.Tensor:
    """Move pictures by any transforms, sampled at twice the rate; mirrored beyond the border.

    Parameters
    ----------
    pictures, transforms
        As for `moved_exactly`.

    Notes
    -----
    Filters of the networks raise and lower the rate, so that little aliases.

    Examples
    --------
    >>> half = torch.diag(torch.tensor([2.0, 2.0, 1.0]))[None]
    >>> x = torch.linspace(-1, 1, 16).expand(1, 1, 16, 16)
    >>> near = moved_smoothly(x, half)[0, 0, 8, 6:10] / x[0, 0, 8, 6:10]
    >>> [round(ratio, 1) for ratio in near.tolist()]
    [0.5, 0.5, 0.5, 0.5]
    """
    size, margin = pictures.shape[-1], min(_MARGIN, pictures.shape[-1] - 1)
    around = functional.pad(pictures, (margin,) * 4, mode="reflect")
    # Twice the rate, the picture's own area alone: what lies beyond is mirrored by the sampling.
    crop = -2 * margin
    fine = resample(around, _LOW, up=2, padding=(crop + _LOW.taps // 2, crop + _LOW.taps // 2 - 1))
    reach = _LOW.taps // 2 - 1
    moved = _warped(fine, transforms, 2 * size + 2 * reach, 2 * size)
    return resample(moved, _LOW, down=2)


def _warped(
    pictures: torch.Tensor, transforms: torch.Tensor, size: int, width: int
) -> torch.Tensor:
    """Return (N, C, size, size) samples, `width` of them to a picture width, of moved pictures."""
    # torch asks where each sample comes from, in half widths of what comes out and what goes in.
    back = torch.linalg.inv(transforms.cpu().double())[:, :2].clone()
    back[:, :, :2] *= size / width
    back[:, :, 2] *= 2
    shape = [len(pictures), 1, size, size]
    grid = functional.affine_grid(back, shape, align_corners=False).to(pictures)
    return apply(_Warp(grid, (pictures.shape[-2], pictures.shape[-1])), pictures)


@dataclass(frozen=True)
class _Warp:
    """Bilinear samples at a grid (N, h, w, 2) of pictures of a given size."""

    grid: torch.Tensor
    given: tuple[int, int]

    @property
    def size(self) -> tuple[int, int]:
        return self.grid.shape[1], self.grid.shape[2]

    @property
    def transposed(self) -> _Spread:
        return _Spread(self)

    def map(self, pictures: torch.Tensor) -> torch.Tensor:
        return functional.grid_sample(
            pictures, self.grid, mode="bilinear", padding_mode="reflection", align_corners=False
        )


@dataclass(frozen=True)
class _Spread:
    """The transposed of a warp: each sample given back to the pixels that it was taken from."""

    warp: _Warp

    @property
    def size(self) -> tuple[int, int]:
        return self.warp.given

    @property
    def transposed(self) -> _Warp:
        return self.warp

    def map(self, pictures: torch.Tensor) -> torch.Tensor:
        like = pictures.new_empty((*pictures.shape[:2], *self.size))
        spread: torch.Tensor = torch.ops.aten.grid_sampler_2d_backward(
            pictures.contiguous(), like, self.warp.grid, _BILINEAR, _REFLECT, False, [True, False]
        )[0]
        return spread
