"""Filters that are no product of two axes, as strided convolutions: what a CPU does best with them.

A radial filter of 12 by 12 taps is a sum of four or five separable ones, which on a CPU take two to
five times as long as the convolution itself. Only samples that are kept are computed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from generators.stylegan.filters import Filter


@dataclass(frozen=True)
class Depthwise:
    """Padding, filter and decimation of pictures of one size, or the transpose of it all.

    Parameters
    ----------
    weights
        (taps, taps), as they meet the samples.
    wide, narrow
        Height and width before and after.
    down
        Factor of decimation.
    before
        Zeros before each axis; negative crops.
    backwards
        Whether this is the transpose, which maps narrow pictures to wide ones.
    """

    weights: torch.Tensor
    wide: tuple[int, int]
    narrow: tuple[int, int]
    down: int
    before: int
    backwards: bool = False

    @classmethod
    def of(  # noqa: PLR0917 - what `resampling` takes, in its order
        cls,
        low: Filter,
        size: tuple[int, int],
        down: int,
        padding: tuple[int, int],
        gain: float,
        dtype: torch.dtype,
    ) -> Depthwise:
        """Make the map of pictures of one size.

        Raises
        ------
        ValueError
            The padded picture is smaller than the filter.
        """
        room = [length + sum(padding) - low.taps for length in size]
        if min(room) < 0:
            raise ValueError(f"{size} samples, padded by {padding}, are fewer than {low.taps} taps")
        weights = torch.from_numpy(low.plane * gain).flip(0, 1).to(dtype).contiguous()
        return cls(weights, size, (room[0] // down + 1, room[1] // down + 1), down, padding[0])

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of what comes out."""
        return self.wide if self.backwards else self.narrow

    @property
    def transposed(self) -> Depthwise:
        """The transposed map, which carries gradients back."""
        return replace(self, backwards=not self.backwards)

    def map(self, pictures: torch.Tensor) -> torch.Tensor:
        """Map pictures (..., H, W), out of autograd's sight."""
        if not len(pictures):
            return pictures.new_zeros(*pictures.shape[:-2], *self.size)
        planes = pictures.reshape(1, -1, *pictures.shape[-2:])
        count, taps = planes.shape[1], len(self.weights)
        # Of the padded axis: what the last sample kept still meets, and then nothing.
        met = [(length - 1) * self.down + taps for length in self.narrow]
        bottom, right = (
            reach - length - self.before for reach, length in zip(met, self.wide, strict=True)
        )
        top = left = self.before
        kernel = self.weights.expand(count, 1, taps, taps)
        if self.backwards:
            padded = functional.conv_transpose2d(planes, kernel, stride=self.down, groups=count)
            mapped = functional.pad(padded, (-left, -right, -top, -bottom))
        else:
            padded = functional.pad(planes, (left, right, top, bottom))
            mapped = functional.conv2d(padded, kernel, stride=self.down, groups=count)
        return mapped.reshape(*pictures.shape[:-2], *self.size)
