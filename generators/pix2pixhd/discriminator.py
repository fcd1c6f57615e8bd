"""Discriminators that judge patches, at several scales.

Wang et al., arXiv 1711.11585, section 3.2 and appendix; patches as in Isola et al., arXiv
1611.07004.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from generators.pix2pixhd.layers import halved, initialise, normed

if TYPE_CHECKING:
    from generators.pix2pixhd.settings import Norm

_WIDEST = 512
_SLOPE = 0.2


class MultiscaleDiscriminator(nn.Module):
    """Judges patches of pictures at full size, half, a quarter, ….

    Parameters
    ----------
    input_nc
        Channels of what it sees: conditions and picture together.
    ndf
        Channels of the first layer; each further one has twice as many, up to 512.
    n_layers
        Layers of stride 2; a logit sees 70 by 70 pixels with 3 of them.
    num_D
        Scales.
    norm
        `instance` or `batch`.
    seed
        Of the first weights.

    Examples
    --------
    >>> judge = MultiscaleDiscriminator(2, ndf=4, num_D=2)
    >>> fine, coarse = judge(torch.zeros(1, 2, 32, 32))
    >>> [tuple(features.shape[1:]) for features in fine]
    [(4, 17, 17), (8, 9, 9), (16, 5, 5), (32, 6, 6), (1, 7, 7)]
    >>> tuple(coarse[-1].shape)
    (1, 1, 5, 5)
    """

    def __init__(
        self,
        input_nc: int,
        ndf: int = 64,
        n_layers: int = 3,
        num_D: int = 3,  # noqa: N803 - the name that its users know
        *,
        norm: Norm = "instance",
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.scales, self.groups = num_D, n_layers + 2
        for scale in range(num_D):
            for number, group in enumerate(_groups(input_nc, ndf, n_layers, norm)):
                self.add_module(f"scale{scale}_layer{number}", group)
        initialise(self, torch.Generator().manual_seed(seed))

    def forward(self, x: torch.Tensor) -> list[list[torch.Tensor]]:
        """Judge pictures (N, input_nc, H, W).

        Returns
        -------
        list
            For each scale, the finest first: features (N, C, H, W) of each layer, the last of which
            are the logits (N, 1, H, W), higher for what looks real.
        """
        judged = []
        for scale in reversed(range(self.scales)):  # the last one is the finest, by its name
            features, maps = [], x
            for number in range(self.groups):
                maps = self.get_submodule(f"scale{scale}_layer{number}")(maps)
                features.append(maps)
            judged.append(features)
            if scale:
                x = halved(x)
        return judged


def _groups(input_nc: int, ndf: int, n_layers: int, norm: Norm) -> list[nn.Sequential]:
    """Return the layers of one scale, each with its norm and its bend."""
    bend = nn.LeakyReLU(_SLOPE)
    groups = [nn.Sequential(nn.Conv2d(input_nc, ndf, 4, stride=2, padding=2), bend)]
    before = ndf
    for number in range(1, n_layers + 1):
        after = min(2 * before, _WIDEST)
        stride = 2 if number < n_layers else 1
        convolution = nn.Conv2d(before, after, 4, stride=stride, padding=2)
        groups.append(nn.Sequential(convolution, normed(after, norm), bend))
        before = after
    return [*groups, nn.Sequential(nn.Conv2d(before, 1, 4, padding=2))]
