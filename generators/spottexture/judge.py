"""Who tells painted spots from real ones: patch discriminators as in Pix2PixHD, without norms."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

from generators.painting.filters import blurred

_SLOPE = 0.2
_FINE = 1.0
"""Standard deviation in px of the Gaussian below whose width structure is shown on its own."""


class SpotJudge(nn.Module):
    """Judges crops, and says so for each place of them.

    Parameters
    ----------
    ndf
        Channels of the first layer; twice as many in the others.
    seed
        Of the first weights.

    Examples
    --------
    >>> features = SpotJudge(ndf=4)(torch.zeros(2, 1, 32, 32), torch.zeros(2, 1, 32, 32))
    >>> [tuple(one.shape[1:]) for one in features]
    [(4, 16, 16), (8, 8, 8), (8, 8, 8), (1, 8, 8)]
    """

    def __init__(self, ndf: int = 24, seed: int = 0) -> None:
        super().__init__()
        wide = [3, ndf, 2 * ndf, 2 * ndf]
        shapes = [(4, 2), (4, 2), (3, 1)]
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Conv2d(a, b, size, stride, padding=1), nn.LeakyReLU(_SLOPE))
            for (a, b), (size, stride) in zip(pairwise(wide), shapes, strict=True)
        )
        self.layers.append(nn.Conv2d(wide[-1], 1, 3, padding=1))
        rng = torch.Generator().manual_seed(seed)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, _SLOPE, generator=rng)
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]

    def forward(self, plain: torch.Tensor, pictures: torch.Tensor) -> list[torch.Tensor]:
        """Judge pictures (N, 1, H, W) of spots that, were they Gaussians, would look `plain`.

        Returns
        -------
        list
            Features of each layer, the last of which are the verdicts, higher for what looks real.
        """
        fine = 5 * (pictures - blurred(pictures, _FINE))
        seen, features = torch.cat([plain, pictures, fine], dim=1), []
        for layer in self.layers:
            seen = layer(seen)
            features.append(seen)
        return features
