"""Layers that all networks share: weights of unit variance, scaled when they are used.

Karras et al., arXiv 1710.10196, section 4.1 (equalised learning rate); arXiv 1912.04958.
"""

from __future__ import annotations

from math import sqrt

import torch
from torch import nn
from torch.nn import functional

from generators.stylegan.filters import BINOMIAL
from generators.stylegan.ops import modulated_conv2d, resample

_SLOPE = 0.2
_TINY = 1e-8


def bend(x: torch.Tensor, clamp: float | None = None) -> torch.Tensor:
    """Return √2 · leaky ReLU of x, which keeps the magnitude, held within ±clamp.

    Examples
    --------
    >>> bend(torch.tensor([1.0, -1.0]))
    tensor([ 1.4142, -0.2828])
    """
    x = functional.leaky_relu(x, _SLOPE) * sqrt(2)
    return x if clamp is None else x.clamp(-clamp, clamp)


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
    """A convolution (N, C, H, W) → (N, D, H, W), or half of H and W rounded up.

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
    down
        Whether the size is halved, after a blur that keeps aliasing low.
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
        down: bool = False,
        gain: float = 1.0,
        clamp: float | None = None,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel, generator=rng))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bent else None
        self.scale = 1 / sqrt(inputs * kernel**2)
        self.kernel, self.down, self.gain, self.clamp = kernel, down, gain, clamp

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Convolve pictures."""
        weight = self.weight * self.scale
        if not self.down:
            y = functional.conv2d(x, weight, self.bias, padding=self.kernel // 2)
        elif self.kernel == 1:
            odd = x.shape[2] % 2
            y = functional.conv2d(
                resample(x, BINOMIAL, down=2, padding=(1, 1 + odd)), weight, self.bias
            )
        else:
            odd, side = x.shape[2] % 2, self.kernel // 2 + 1
            blurred = resample(x, BINOMIAL, padding=(side, side + odd))
            y = functional.conv2d(blurred, weight, self.bias, stride=2)
        if self.bias is not None:
            y = bend(y, self.clamp)
        return y if self.gain == 1 else y * self.gain


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
