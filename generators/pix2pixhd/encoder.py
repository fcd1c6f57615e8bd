"""The encoder of instances: from pictures to a code for each instance.

Wang et al., arXiv 1711.11585, section 3.4.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

import torch
from torch import nn

from generators.pix2pixhd.layers import doubling, halving, initialise, picture, stem
from generators.pix2pixhd.settings import Norm  # noqa: TC001 - settings are read by their types


@dataclass(frozen=True)
class EncoderSettings:
    """What an encoder is made of.

    Parameters
    ----------
    output_nc
        Channels of the pictures that it sees.
    feat_num
        Length of a code.
    nef
        Channels of its first layer.
    n_downsample
        Halvings.
    norm
        `instance` or `batch`.
    """

    output_nc: int
    feat_num: int = 3
    nef: int = 16
    n_downsample: int = 4
    norm: Norm = "instance"

    def to_json(self) -> str:
        """Return the settings as JSON."""
        return json.dumps(asdict(self))


class Encoder(nn.Module):
    """Pictures (N, output_nc, H, W) and their instances → codes (N, feat_num, H, W).

    All pixels of an instance have its code: the mean of its features. H and W are multiples of
    2^n_downsample.

    Parameters
    ----------
    settings
        What it is made of.
    seed
        Of its first weights; None leaves them as torch made them.
    """

    def __init__(self, settings: EncoderSettings, seed: int | None = 0) -> None:
        super().__init__()
        self.settings = settings
        width, depth, norm = settings.nef, settings.n_downsample, settings.norm
        layers = stem(settings.output_nc, width, norm)
        for level in range(depth):
            layers += halving(width * 2**level, width * 2 ** (level + 1), norm)
        for level in reversed(range(depth)):
            layers += doubling(width * 2 ** (level + 1), width * 2**level, norm)
        self.model = nn.Sequential(*layers, *picture(width, settings.feat_num))
        if seed is not None:
            initialise(self, torch.Generator().manual_seed(seed))

    def forward(self, pictures: torch.Tensor, instances: torch.Tensor) -> torch.Tensor:
        """Return the codes of the instances (N, 1, H, W) of pictures."""
        return pooled(self.model(pictures).float(), instances)


def pooled(features: torch.Tensor, instances: torch.Tensor) -> torch.Tensor:
    """Return features as their means over each instance of each picture.

    Parameters
    ----------
    features
        (N, C, H, W).
    instances
        (N, 1, H, W), whole numbers.

    Examples
    --------
    >>> features = torch.tensor([[[[1.0, 3.0, 8.0]]]])
    >>> pooled(features, torch.tensor([[[[5, 5, 0]]]]))[0, 0].tolist()
    [[2.0, 2.0, 8.0]]
    """
    n, channels, height, width = features.shape
    picture_of = torch.arange(n, device=features.device).view(n, 1, 1, 1).expand_as(instances)
    pairs = torch.stack([picture_of.flatten(), instances.flatten().long()])
    found, which = torch.unique(pairs, dim=1, return_inverse=True)
    rows = features.movedim(1, 3).reshape(-1, channels)
    sums = rows.new_zeros(found.shape[1], channels).index_add(0, which, rows)
    counts = torch.bincount(which, minlength=found.shape[1])
    means: torch.Tensor = (sums / counts[:, None])[which]
    return means.view(n, height, width, channels).movedim(3, 1)
