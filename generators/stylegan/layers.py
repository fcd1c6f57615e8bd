"""Layers that all networks share: weights of unit variance, scaled when they are used.

Karras et al., arXiv 1710.10196, section 4.1 (equalised learning rate); arXiv 1912.04958.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from generators.stylegan.filters import IDENTITY
from generators.stylegan.ops import bent, filtered_lrelu, modulated_conv2d

if TYPE_CHECKING:
    from generators.stylegan.filters import Filter

_SLOPE = 0.2
_TINY = 1e-8


def bend(x: torch.Tensor, clamp: float | None = None) -> torch.Tensor:
    """Return √2 · leaky ReLU of x, which keeps the magnitude, held within ±clamp.

    Examples
    --------
    >>> bend(torch.tensor([1.0, -1.0]))
    tensor([ 1.4142, -0.2828])
    """
    return bent(x, gain=sqrt(2), slope=_SLOPE, clamp=clamp)


def bend_pictures(
    x: torch.Tensor,
    bias: torch.Tensor,
    clamp: float | None = None,
    *,
    gain: float = 1.0,
    low: Filter = IDENTITY,
    padding: tuple[int, int] = (0, 0),
) -> torch.Tensor:
    """Return pictures (N, C, H, W) with a bias (C,) added, bent, times `gain`, and blurred.

    The filter `low` comes last, round which `padding` zeros stand; the clamp is times `gain` too.
    All of it is one operation where that is compiled.

    Examples
    --------
    >>> from generators.stylegan.filters import BINOMIAL
    >>> bend_pictures(torch.zeros(1, 1, 1, 2), torch.ones(1), low=BINOMIAL, padding=(2, 2)).shape
    torch.Size([1, 1, 2, 3])
    """
    return filtered_lrelu(
        x,
        bias,
        up_filter=IDENTITY,
        down_filter=low,
        padding=padding,
        gain=sqrt(2) * gain,
        slope=_SLOPE,
        clamp=None if clamp is None else clamp * gain,
    )


def normalise(x: torch.Tensor) -> torch.Tensor:
    """Return vectors (N, D) divided by the root of their mean square.

    Examples
    --------
    >>> normalise(torch.tensor([[3.0, 4.0]]))
    tensor([[0.8485, 1.1314]])
    """
    return x * (x.square().mean(1, keepdim=True) + _TINY).rsqrt()


class Linear(nn.Module):
    """A fully connected layer (N, inputs) → (N, outputs).

    Parameters
    ----------
    inputs, outputs
        Lengths of the vectors.
    rng
        What the first weights are drawn from.
    bias
        First value of all biases.
    bent
        Whether a leaky ReLU follows.
    rate
        What the learning rate is multiplied by.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        rng: torch.Generator,
        *,
        bias: float = 0.0,
        bent: bool = False,
        rate: float = 1.0,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, generator=rng) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), bias / rate))
        self.gain, self.rate, self.bent = rate / sqrt(inputs), rate, bent

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map vectors."""
        y = functional.linear(x, self.weight * self.gain, self.bias * self.rate)
        return bend(y) if self.bent else y


class Conv(nn.Module):
    """A convolution (N, C, H, W) → (N, D, H, W), or with a stride and no padding.

    Parameters
    ----------
    inputs, outputs
        Channels.
    kernel
        Width, odd.
    rng
        What the first weights are drawn from.
    bent
        Whether bias and leaky ReLU follow; without, there is no bias either.
    stride
        Above 1 only positions that need no padding are convolved.
    gain
        What the result is multiplied by.
    clamp
        What the result is held within, times `gain`.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        rng: torch.Generator,
        *,
        bent: bool = True,
        stride: int = 1,
        gain: float = 1.0,
        clamp: float | None = None,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel, generator=rng))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bent else None
        self.scale = 1 / sqrt(inputs * kernel**2)
        self.stride, self.padding = stride, kernel // 2 if stride == 1 else 0
        self.gain, self.clamp = gain, clamp

    def forward(
        self, x: torch.Tensor, low: Filter = IDENTITY, padding: tuple[int, int] = (0, 0)
    ) -> torch.Tensor:
        """Convolve pictures; what is bent may be blurred by `low`, with zeros round it."""
        if self.bias is None:
            weight = self.weight * (self.scale * self.gain)
            return functional.conv2d(x, weight, stride=self.stride, padding=self.padding)
        weight = self.weight * self.scale
        y = functional.conv2d(x, weight, stride=self.stride, padding=self.padding)
        return bend_pictures(y, self.bias, self.clamp, gain=self.gain, low=low, padding=padding)


class ToPicture(nn.Module):
    """A modulated 1 x 1 convolution, not demodulated, to the picture's channels.

    Parameters
    ----------
    inputs, outputs
        Channels.
    w_dim
        Length of a style.
    rng
        What the first weights are drawn from.
    clamp
        What the picture is held within.
    """

    def __init__(
        self, inputs: int, outputs: int, w_dim: int, rng: torch.Generator, *, clamp: float
    ) -> None:
        super().__init__()
        self.affine = Linear(w_dim, inputs, rng, bias=1.0)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 1, 1, generator=rng))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.clamp = clamp

    def forward(self, x: torch.Tensor, style: torch.Tensor) -> torch.Tensor:
        """Return pictures (N, outputs, H, W) of features (N, inputs, H, W)."""
        scale = self.affine(style) / sqrt(x.shape[1])
        x = modulated_conv2d(x, self.weight, scale, demodulate=False)
        return (x + self.bias[:, None, None]).clamp(-self.clamp, self.clamp)
