"""The discriminator: a residual network, with the spread of its batch as a feature.

Karras et al., arXiv 1912.04958, section 4.1 and figure 7 (residual discriminator); arXiv
1710.10196, section 3 (minibatch standard deviation); classes by projection as in Miyato and Koyama,
arXiv 1802.05637.
"""

from __future__ import annotations

from itertools import pairwise
from math import sqrt
from typing import TYPE_CHECKING

import torch
from torch import nn

from generators.stylegan.filters import BINOMIAL
from generators.stylegan.layers import Conv, Linear
from generators.stylegan.mapping import Mapping
from generators.stylegan.ops import resample
from generators.stylegan.settings import pyramid

if TYPE_CHECKING:
    from generators.stylegan.settings import DiscriminatorSettings

_TINY = 1e-8


class Discriminator(nn.Module):
    """Pictures (N, channels, resolution, resolution) and classes → logits (N,).

    Parameters
    ----------
    settings
        What it is made of.
    seed
        Of the first weights.

    Examples
    --------
    >>> from generators.stylegan.settings import DiscriminatorSettings
    >>> judge = Discriminator(DiscriminatorSettings(16, cbase=64, cmax=8))
    >>> judge(torch.zeros(4, 1, 16, 16)).shape
    torch.Size([4])
    """

    def __init__(self, settings: DiscriminatorSettings, seed: int = 0) -> None:
        super().__init__()
        self.settings = settings
        rng = torch.Generator().manual_seed(seed)
        sizes = pyramid(settings.resolution)
        widths = [max(min(settings.cbase // size, settings.cmax), 1) for size in sizes]
        clamp, last = settings.clamp, widths[-1]
        self.from_picture = Conv(settings.channels, widths[0], 1, rng, clamp=clamp)
        self.blocks = nn.Sequential(
            *(Residual(before, after, rng, clamp=clamp) for before, after in pairwise(widths))
        )
        self.conv = Conv(last + 1, last, 3, rng, clamp=clamp)
        self.dense = Linear(last * sizes[-1] ** 2, last, rng, bent=True)
        self.out = Linear(last, last if settings.c_dim else 1, rng)
        self.classes = (
            Mapping(0, settings.c_dim, last, depth=settings.mapping_depth, rng=rng)
            if settings.c_dim
            else None
        )

    def forward(self, pictures: torch.Tensor, c: torch.Tensor | None = None) -> torch.Tensor:
        """Judge pictures; the higher a logit, the more real.

        Parameters
        ----------
        pictures
            (N, channels, resolution, resolution).
        c
            (N, c_dim), where the network has classes.

        Raises
        ------
        ValueError
            Pictures or classes have another shape.
        """
        side = self.settings.resolution
        if tuple(pictures.shape[1:]) != (self.settings.channels, side, side):
            raise ValueError(
                f"pictures are {tuple(pictures.shape)},"
                f" not (N, {self.settings.channels}, {side}, {side})"
            )
        x = self.blocks(self.from_picture(pictures))
        x = self.conv(with_spread(x, self.settings.group))
        logits: torch.Tensor = self.out(self.dense(x.flatten(1)))
        if self.classes is None:
            return logits.squeeze(1)
        projected = self.classes(None, c)
        judged: torch.Tensor = (logits * projected).sum(1) / sqrt(projected.shape[1])
        return judged


class Residual(nn.Module):
    """Two 3 x 3 convolutions to half the size, and a 1 x 1 convolution past them.

    Parameters
    ----------
    inputs, outputs
        Channels.
    rng
        What the first weights are drawn from.
    clamp
        Activations are held within this.
    """

    def __init__(self, inputs: int, outputs: int, rng: torch.Generator, *, clamp: float) -> None:
        super().__init__()
        half = sqrt(0.5)  # the sum of two has the variance of one
        self.skip = Conv(inputs, outputs, 1, rng, bent=False, gain=half)
        self.first = Conv(inputs, inputs, 3, rng, clamp=clamp)
        self.second = Conv(inputs, outputs, 3, rng, stride=2, gain=half, clamp=clamp)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features (N, outputs, H / 2, W / 2), halves rounded up."""
        # Blurs before samples are left out keep aliasing low. An odd size is halved upwards.
        odd = x.shape[2] % 2
        past: torch.Tensor = self.skip(resample(x, BINOMIAL, down=2, padding=(1, 1 + odd)))
        through: torch.Tensor = self.second(self.first(x, BINOMIAL, (2, 2 + odd)))
        return past + through


def with_spread(x: torch.Tensor, group: int) -> torch.Tensor:
    """Append how much samples of a group differ, as a channel.

    Parameters
    ----------
    x
        (N, C, H, W).
    group
        Samples in a group, at most; the largest divisor of N up to it is taken.

    Returns
    -------
    Tensor
        (N, C + 1, H, W). The last channel is one number a group: the standard deviation over the
        group, averaged over channels and pixels.

    Notes
    -----
    arXiv 1710.10196, section 3. Groups are interleaved: sample n is in group n modulo N / group.

    Examples
    --------
    >>> with_spread(torch.tensor([1.0, 3.0]).reshape(2, 1, 1, 1), group=2).flatten().tolist()
    [1.0, 1.0, 3.0, 1.0]
    """
    n, _, height, width = x.shape
    size = max(k for k in range(1, min(group, max(n, 1)) + 1) if n % k == 0)
    groups = x.reshape(size, n // size, -1)
    variance = (groups - groups.mean(0)).square().mean(0)
    spread = (variance + _TINY).sqrt().mean(1)
    channel = spread.repeat(size)[:, None, None, None].expand(n, 1, height, width)
    return torch.cat([x, channel], 1)
