"""The filtered leaky ReLU as one compiled operation on a CPU: an accelerator, never a need.

Between its two filters a layer works on four to sixteen times as many samples as it takes and
gives. In `fused.cpp` these never reach memory: planes are streamed by rows, and of each sample two
bits are kept for the way back. The backward pass is the same operation transposed, and the
backward pass of that is the first again, so gradients of any order come from one function.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace
from functools import cache, lru_cache
from importlib.resources import files
from math import lcm
from typing import TYPE_CHECKING, Any

import torch

from adapters.console import err
from adapters.errors import BuildError
from generators.stylegan.building import build

if TYPE_CHECKING:
    from torch import Tensor

    from generators.stylegan.filters import Filter


@cache
def load() -> None:
    """Load the operation, compiled first where this machine has not done so yet.

    Raises
    ------
    BuildError
        There is no compiler, it failed, or what it made cannot be kept or loaded.
    """
    build(files("generators.stylegan").joinpath("fused.cpp").read_bytes())


@cache
def available() -> bool:
    """Whether the operation is there, compiled first where this machine has not done so yet.

    Where it is not, the first call of a process says why in one line on stderr.
    """
    try:
        load()
    except BuildError as error:
        where = "" if error.where is None else f" ({error.where})"
        err.print(f"no fused op: {error.what}{where}; pure torch does its work", soft_wrap=True)
        return False
    return True


def supports(*tensors: Tensor | None) -> bool:
    """Whether the operation takes these tensors: float32 or float64, on a CPU, alike.

    Examples
    --------
    >>> supports(torch.zeros(1, 1, 4, 4)), supports(torch.zeros(1, 1, 4, 4).half())
    (True, False)
    """
    given = [tensor for tensor in tensors if tensor is not None]
    return all(
        tensor.device.type == "cpu"
        and tensor.dtype in {torch.float32, torch.float64}
        and tensor.dtype == given[0].dtype
        for tensor in given
    )


def fused_filtered_lrelu(
    x: Tensor,
    bias: Tensor | None = None,
    scale: Tensor | None = None,
    result_scale: Tensor | None = None,
    *,
    up_filter: Tensor | None,
    down_filter: Tensor | None,
    up: int,
    down: int,
    padding: tuple[int, int, int, int],
    gain: float,
    slope: float,
    clamp: float | None,
) -> Tensor:
    """Scale, add a bias, raise the sampling rate, bend, and lower the rate again.

    Each step is that of arXiv 2106.12423, section 3.2: insert `up - 1` zeros after every sample,
    pad, filter, apply `gain` times the leaky ReLU, clamp, filter, keep every `down`-th sample.

    Parameters
    ----------
    x
        (N, C, H, W), float32 or float64, on a CPU (see `supports`).
    bias
        (C,), added to `x`; the padding has none.
    scale
        (N, C), what `x` is multiplied by before the bias is added.
    result_scale
        (N, C, 1, 1), what the result is multiplied by.
    up_filter, down_filter
        (taps,) for both axes, (taps, taps) for a filter that is not separable, None for none.
        Convolved with the samples; all filters of the paper are symmetric. They get no gradient.
    up, down
        Factors of the two rates. The first filter's gain is `up` squared, so a constant stays.
    padding
        Samples (left, right, top, bottom) at the raised rate; negative ones are cut off.
    gain
        Factor after the leaky ReLU.
    slope
        Of the leaky ReLU, below zero.
    clamp
        Limit of the absolute value after the gain, or None.

    Returns
    -------
    Tensor
        (N, C, H', W'), H' = ⌊(up H + top + bottom - taps_up - taps_down + 1) / down⌋ + 1.

    Raises
    ------
    ValueError
        If nothing is left.
    BuildError
        If the operation cannot be had; ask `available` first.
    """
    load()
    x = x.contiguous()
    bias, scale, result_scale = (
        None if t is None else t.contiguous() for t in (bias, scale, result_scale)
    )
    first, second = _turned(_taps(up_filter, x)), _turned(_taps(down_filter, x))
    geometry = _geometry(x, (len(first), len(second)), (up, down), padding)
    first *= up**first.ndim  # along one axis, or along both at once
    stage = _Stage(first, second, geometry, (gain, slope, -1.0 if clamp is None else clamp))
    given = (x, bias, scale, result_scale)
    if not torch.is_grad_enabled() or not any(t is not None and t.requires_grad for t in given):
        return stage.run(x, bias, scale, result_scale)
    result: Tensor = _Bent.apply(x, bias, scale, stage)  # type: ignore[no-untyped-call]
    return result if result_scale is None else result * result_scale


def fused_resample(
    x: Tensor,
    low: Tensor | None,
    *,
    up: int,
    down: int,
    padding: tuple[int, int, int, int],
    gain: float,
) -> Tensor:
    """Raise the sampling rate, filter, and lower it again, without a bend.

    Parameters
    ----------
    x, up, down, padding
        As for `fused_filtered_lrelu`.
    low
        A filter, as there.
    gain
        Factor, beside the `up` squared that makes up for inserted zeros.

    Returns
    -------
    Tensor
        (N, C, H', W'), H' = ⌊(up H + top + bottom - taps) / down⌋ + 1.

    Raises
    ------
    ValueError
        If nothing is left.
    BuildError
        If the operation cannot be had; ask `available` first.
    """
    load()
    taps, one = _turned(_taps(low, x)), x.detach().new_ones(1)
    first, second = (one, taps) if up == 1 else (taps * up**taps.ndim, one)
    geometry = _geometry(x, (len(first), len(second)), (up, down), padding)
    stage = _Stage(first, second, geometry, (gain, 1.0, -1.0))
    return _Linear.apply(x, None, stage)  # type: ignore[no-any-return,no-untyped-call]


@lru_cache(maxsize=256)
def weights(low: Filter, dtype: torch.dtype) -> Tensor | None:
    """Return a filter as the operation takes it: along both axes alike, or a plane.

    Examples
    --------
    >>> from generators.stylegan.filters import BINOMIAL, IDENTITY
    >>> weights(BINOMIAL, torch.float32), weights(IDENTITY, torch.float32)
    (tensor([0.1250, 0.3750, 0.3750, 0.1250]), None)
    """
    along_y, along_x = low.terms[0]
    if len(low.terms) > 1 or along_y != along_x:
        return torch.from_numpy(low.plane).to(dtype)
    return None if along_x == (1.0,) else torch.tensor(along_x, dtype=dtype)


@dataclass(frozen=True)
class _Geometry:
    """What meets what: the fields of `Sizes` in `fused.cpp`, in their order."""

    up: int
    down: int
    up_offset_y: int
    up_offset_x: int
    down_offset_y: int
    down_offset_x: int
    in_height: int
    in_width: int
    mid_height: int
    mid_width: int
    out_height: int
    out_width: int


@dataclass(frozen=True)
class _Stage:
    """One pass: two filters with their gains, sizes, and the nonlinearity (gain, slope, clamp)."""

    up_filter: Tensor
    down_filter: Tensor
    geometry: _Geometry
    slopes: tuple[float, float, float]

    def run(
        self,
        x: Tensor,
        bias: Tensor | None = None,
        scale: Tensor | None = None,
        result_scale: Tensor | None = None,
        mask: Tensor | None = None,
        *,
        write: bool = False,
    ) -> Tensor:
        sizes = list(astuple(self.geometry))
        result: Tensor = torch.ops.cellgen_bench.filtered_lrelu(
            x,
            scale,
            bias,
            result_scale,
            mask,
            self.up_filter,
            self.down_filter,
            sizes,
            *self.slopes,
            write,
        )
        return result

    def new_mask(self, x: Tensor) -> Tensor:
        shape = self.geometry
        width = torch.ops.cellgen_bench.mask_bytes(shape.mid_width, lcm(shape.up, shape.down))
        return x.new_empty((x.shape[0] * x.shape[1], shape.mid_height, width), dtype=torch.uint8)

    @property
    def transposed(self) -> _Stage:
        """The pass whose matrix is the transpose of this one's."""
        at = self.geometry
        up_taps, down_taps = len(self.up_filter), len(self.down_filter)
        geometry = replace(
            at,
            up=at.down,
            down=at.up,
            up_offset_y=down_taps - 1 + at.down_offset_y,
            up_offset_x=down_taps - 1 + at.down_offset_x,
            down_offset_y=at.up_offset_y - (up_taps - 1),
            down_offset_x=at.up_offset_x - (up_taps - 1),
            in_height=at.out_height,
            in_width=at.out_width,
            out_height=at.in_height,
            out_width=at.in_width,
        )
        return _Stage(_turned(self.down_filter), _turned(self.up_filter), geometry, self.slopes)


class _Bent(torch.autograd.Function):
    """The operation, which remembers where it bent."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, bias: Tensor | None, scale: Tensor | None, stage: _Stage
    ) -> Tensor:
        mask = stage.new_mask(x)
        # What comes in matters to the gradient of what it is multiplied by alone.
        ctx.save_for_backward(mask, scale, None if scale is None else x)
        ctx.stage = stage
        return stage.run(x, bias, scale, mask=mask, write=True)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None, None]:
        mask, scale, x = ctx.saved_tensors
        to_x = _Linear.apply(grad, mask, ctx.stage.transposed)  # type: ignore[no-untyped-call]
        to_bias = to_x.sum((2, 3)).sum(0) if ctx.needs_input_grad[1] else None
        if scale is None:
            return to_x, to_bias, None, None
        to_scale = torch.einsum("nchw,nchw->nc", to_x, x) if ctx.needs_input_grad[2] else None
        return to_x * scale[:, :, None, None], to_bias, to_scale, None


class _Linear(torch.autograd.Function):
    """The operation with the slopes that a mask holds, or none: its gradient is its transpose."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, mask: Tensor | None, stage: _Stage) -> Tensor:
        ctx.save_for_backward(mask)
        ctx.stage = stage
        return stage.run(x.contiguous(), mask=mask)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        (mask,) = ctx.saved_tensors
        return _Linear.apply(grad, mask, ctx.stage.transposed), None, None  # type: ignore[no-untyped-call]


def _taps(weights: Tensor | None, x: Tensor) -> Tensor:
    return x.new_ones(1) if weights is None else weights.detach().to(x)


def _turned(weights: Tensor) -> Tensor:
    """Return taps in reverse, as a weighted sum of what follows needs them."""
    return weights.flip(tuple(range(weights.ndim)))


def _geometry(
    x: Tensor, taps: tuple[int, int], factors: tuple[int, int], padding: tuple[int, int, int, int]
) -> _Geometry:
    (up, down), (left, right, top, bottom) = factors, padding
    height, width = x.shape[2:]
    spare = sum(taps) - 1
    out_height = (up * height + top + bottom - spare) // down + 1
    out_width = (up * width + left + right - spare) // down + 1
    if min(out_height, out_width, height, width) < 1:
        raise ValueError(f"nothing is left of {height} x {width} samples with padding {padding}")
    return _Geometry(
        up=up,
        down=down,
        up_offset_y=top,
        up_offset_x=left,
        down_offset_y=0,
        down_offset_x=0,
        in_height=height,
        in_width=width,
        # What the second filter does not reach is not made.
        mid_height=down * (out_height - 1) + taps[1],
        mid_width=down * (out_width - 1) + taps[1],
        out_height=out_height,
        out_width=out_width,
    )
