"""Who tells painted light from real light: Pix2PixHD's patch discriminators, without norms.

An instance norm takes out of a patch how strong its texture is, which is just what has to be
judged here: with it the verdicts never left one half (docs/models/painter-nuclei.md).
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from generators.painting.conditioning import CHANNELS
from generators.painting.filters import blurred

_SLOPE = 0.2
_FINE = 2.0
"""Standard deviation in px of the Gaussian below whose width structure is shown on its own."""
_LAYERS = 3


class Judge(nn.Module):
    """Judges patches at several scales, each half the size of the one before.

    Parameters
    ----------
    ndf
        Channels of the first layer; twice as many in each further one.
    scales
        How many; a verdict sees 34 by 34 pixels of its scale.
    seed
        Of the first weights.

    Examples
    --------
    >>> fine, coarse = Judge(ndf=4)(torch.zeros(1, CHANNELS, 64, 64), torch.zeros(1, 1, 64, 64))
    >>> [tuple(features.shape[1:]) for features in fine]
    [(4, 32, 32), (8, 16, 16), (16, 16, 16), (1, 16, 16)]
    >>> tuple(coarse[-1].shape)
    (1, 1, 8, 8)
    """

    def __init__(self, ndf: int = 16, scales: int = 2, seed: int = 0) -> None:
        super().__init__()
        self.scales = nn.ModuleList(_patches(ndf) for _ in range(scales))
        rng = torch.Generator().manual_seed(seed)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, _SLOPE, generator=rng)
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]

    def forward(self, maps: torch.Tensor, pictures: torch.Tensor) -> list[list[torch.Tensor]]:
        """Judge pictures (N, 1, H, W) of scenes (N, CHANNELS, H, W).

        Returns
        -------
        list
            For each scale, the finest first: features of each layer, the last of which are the
            verdicts, higher for what looks real.
        """
        fine = 3 * torch.tanh(5 * (pictures - blurred(pictures, _FINE)))
        x = torch.cat([maps, pictures, fine], dim=1).contiguous(memory_format=torch.channels_last)
        verdicts = []
        for number, layers in enumerate(self.scales):
            if number:
                x = functional.avg_pool2d(x, 2)
            features, seen = [], x
            for layer in layers:  # type: ignore[attr-defined]
                seen = layer(seen)
                features.append(seen)
            verdicts.append(features)
        return verdicts


def _patches(ndf: int) -> nn.ModuleList:
    """Return the layers of one scale."""
    wide = [CHANNELS + 2, *(ndf * 2**k for k in range(_LAYERS))]
    layers: list[nn.Module] = []
    for number, (before, after) in enumerate(pairwise(wide)):
        size, stride = (3, 1) if number == _LAYERS - 1 else (4, 2)
        convolution = nn.Conv2d(before, after, size, stride, padding=1)
        layers.append(nn.Sequential(convolution, nn.LeakyReLU(_SLOPE)))
    return nn.ModuleList([*layers, nn.Conv2d(wide[-1], 1, 3, padding=1)])
