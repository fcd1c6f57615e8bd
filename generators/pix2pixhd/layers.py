"""What generators, encoders and discriminators are put together from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from generators.pix2pixhd.settings import Norm

_SPREAD = 0.02  # standard deviation of the first weights, section 3 of the paper's appendix


def normed(channels: int, norm: Norm) -> nn.Module:
    """Return a norm of maps (N, channels, H, W): by picture (`instance`) or by batch (`batch`).

    Only that of a batch learns anything.
    """
    return nn.InstanceNorm2d(channels) if norm == "instance" else nn.BatchNorm2d(channels)


def stem(before: int, after: int, norm: Norm) -> list[nn.Module]:
    """Return a convolution of 7 by 7 with its norm: (N, before, H, W) → (N, after, H, W)."""
    convolution = nn.Conv2d(before, after, 7)
    return [nn.ReflectionPad2d(3), convolution, normed(after, norm), nn.ReLU(inplace=True)]


def halving(before: int, after: int, norm: Norm) -> list[nn.Module]:
    """Return a convolution that halves the size."""
    convolution = nn.Conv2d(before, after, 3, stride=2, padding=1)
    return [convolution, normed(after, norm), nn.ReLU(inplace=True)]


def doubling(before: int, after: int, norm: Norm) -> list[nn.Module]:
    """Return a transposed convolution that doubles the size."""
    convolution = nn.ConvTranspose2d(before, after, 3, stride=2, padding=1, output_padding=1)
    return [convolution, normed(after, norm), nn.ReLU(inplace=True)]


def picture(before: int, after: int) -> list[nn.Module]:
    """Return the convolution of 7 by 7 that makes a picture within [-1, 1]."""
    return [nn.ReflectionPad2d(3), nn.Conv2d(before, after, 7), nn.Tanh()]


class Residual(nn.Module):
    """Two convolutions, added to what they see: (N, channels, H, W) → the same.

    Parameters
    ----------
    channels
        Of the maps.
    norm
        After each convolution.
    """

    def __init__(self, channels: int, norm: Norm) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            normed(channels, norm),
            nn.ReLU(inplace=True),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            normed(channels, norm),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Add what the convolutions make of maps to the maps."""
        added: torch.Tensor = x + self.conv_block(x)
        return added


def halved(x: torch.Tensor) -> torch.Tensor:
    """Return maps of half the size: means of 3 by 3, at the border of those that are there.

    Examples
    --------
    >>> halved(torch.arange(16.0).view(1, 1, 4, 4))[0, 0].tolist()
    [[2.5, 4.0], [8.5, 10.0]]
    """
    return functional.avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False)


def initialise(network: nn.Module, rng: torch.Generator) -> None:
    """Draw a network's first weights.

    Convolutions from a normal distribution of standard deviation 0.02, their biases as torch does,
    uniformly within one over the root of the inputs; norms round 1.
    """
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, 0.0, _SPREAD, generator=rng)
            if module.bias is not None:
                inputs = module.weight[0].numel()
                nn.init.uniform_(module.bias, -(inputs**-0.5), inputs**-0.5, generator=rng)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, _SPREAD, generator=rng)
