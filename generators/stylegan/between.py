"""The filtered leaky ReLU as products with banded matrices: plain torch, on any device."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import prod
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from generators.stylegan.banded import LinearMap, apply, resampling

if TYPE_CHECKING:
    from generators.stylegan.filters import Filter

_IN_CACHE = 2**19  # samples at the high rate that are worked on at once: 2 MiB of float32
_SIDE_BY_SIDE = 16  # planes


def bent_between(
    x: torch.Tensor,
    *,
    up_filter: Filter,
    down_filter: Filter,
    up: int,
    down: int,
    padding: tuple[int, int],
    gain: float,
    slope: float,
    clamp: float | None,
) -> torch.Tensor:
    """Bend x between two filters, as `ops.filtered_lrelu` says, without a bias."""
    matrices = partial(resampling, dtype=x.dtype, device=x.device)
    # lrelu(g x) = g lrelu(x) for g > 0: the gain costs nothing in the first filter.
    rise = matrices(up_filter, (x.shape[2], x.shape[3]), up=up, padding=padding, gain=gain)
    fall = matrices(down_filter, rise.size, down=down)
    y: torch.Tensor = _Between.apply(x, rise, fall, slope, clamp)  # type: ignore[no-untyped-call]
    return y


class _Between(torch.autograd.Function):
    """fall(clamp(lrelu(rise(x))))."""

    @staticmethod
    def forward(  # noqa: PLR0917 - autograd passes arguments by position
        ctx: Any,
        x: torch.Tensor,
        rise: LinearMap,
        fall: LinearMap,
        slope: float,
        clamp: float | None,
    ) -> torch.Tensor:
        planes = x.reshape(-1, *x.shape[-2:])
        step = _planes_at_once(rise.size) if x.device.type == "cpu" else None
        made, pieces = [], []
        for some in torch.split(planes, step or max(len(planes), 1)):
            high = rise.map(some)
            if ctx.needs_input_grad[0]:
                pieces.append(_pieces(high, slope, clamp))
            functional.leaky_relu_(high, slope)
            if clamp is not None:
                high.clamp_(-clamp, clamp)
            made.append(fall.map(high))
        ctx.near = _Near(rise, fall, slope, tuple(pieces))
        return torch.cat(made).reshape(*x.shape[:-2], *fall.size)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        return apply(ctx.near.transposed, gradients[0]), None, None, None, None


def _planes_at_once(size: tuple[int, int]) -> int:
    """Return how many planes fit the cache, in the multiples that convolutions work on at once."""
    return max(_IN_CACHE // prod(size) // _SIDE_BY_SIDE, 1) * _SIDE_BY_SIDE


@dataclass(frozen=True)
class _Near:
    """What `_Between` is near the x that it was given: linear, for its pieces are straight.

    The pieces come in parts of as many planes as fit the processor's cache at the high rate.
    """

    rise: LinearMap
    fall: LinearMap
    slope: float
    pieces: tuple[tuple[torch.Tensor, torch.Tensor | None], ...]

    @property
    def transposed(self) -> _Near:
        return _Near(self.fall.transposed, self.rise.transposed, self.slope, self.pieces)

    def map(self, pictures: torch.Tensor) -> torch.Tensor:
        planes = pictures.reshape(-1, *pictures.shape[-2:])
        made = []
        parts = torch.split(planes, [len(positive) for positive, _ in self.pieces])
        for some, (positive, clamped) in zip(parts, self.pieces, strict=True):
            high = self.rise.map(some)
            high = torch.where(positive, high, high * self.slope)
            if clamped is not None:
                high.masked_fill_(clamped, 0)
            made.append(self.fall.map(high))
        return torch.cat(made).reshape(*pictures.shape[:-2], *self.fall.size)


def _pieces(
    high: torch.Tensor, slope: float, clamp: float | None
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Return where samples are above 0, and where they will be clamped; None for nowhere."""
    positive = high > 0
    if clamp is None or not high.numel():
        return positive, None
    if high.device.type == "cpu":  # to ask a GPU would be to wait for it
        low, top = torch.aminmax(high)
        if top < clamp and low > -clamp / slope:  # nearly always
            return positive, None
    return positive, (high >= clamp) | (high <= -clamp / slope)
