"""The network that paints spots: from noise to the weights of a cloud of narrow Gaussians.

A spot is a lattice of narrow Gaussians about its position, in units of its width. So its place can
be any fraction of a pixel, its light is the sum of the weights, and no structure is finer than a
lens would show. The network multiplies the weights of a round or stretched spot of two widths.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields

import torch
from torch import nn
from torch.nn import functional

from generators.spottexture.lattice import NARROW, SIDE, SPACING, widths

_MOST = 3.0  # of the logarithm of what a weight is multiplied by
_QUIET = 0.1  # first weights of that
_BROAD, _SHARE = 2.2, 0.25  # first width, and light, of the wider Gaussian that a spot begins as


MOST = {"kinds": 1024, "channels": 128, "layers": 16, "latent": 256, "noise": 16}
"""Largest settings; a network is built before its weights are seen, and must fit into memory."""


@dataclass(frozen=True)
class SpotSettings:
    """What the network is made of.

    Parameters
    ----------
    kinds
        Images that it learns from; each has spots of its own kind.
    channels
        Of its layers.
    layers
        Convolutions between the first and the last.
    latent
        Numbers that say what a whole spot is like.
    noise
        Maps of noise.

    Raises
    ------
    ValueError
        A number is below 1.

    Examples
    --------
    >>> settings = SpotSettings(kinds=2)
    >>> SpotSettings.from_json(settings.to_json()) == settings, settings.drawn
    (True, 890)
    """

    kinds: int = 1
    channels: int = 24
    layers: int = 2
    latent: int = 8
    noise: int = 2

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not (isinstance(value, int) and 1 <= value <= MOST[field.name]):
                raise ValueError(f"{field.name} is {value!r}, not one of 1 to {MOST[field.name]}")

    @property
    def drawn(self) -> int:
        """How many standard normal variates a spot takes."""
        return self.latent + self.noise * SIDE * SIDE

    def to_json(self) -> str:
        """Return them as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> SpotSettings:
        """Return what `to_json` gave.

        Raises
        ------
        ValueError
            It is something else.
        """
        try:
            return cls(**json.loads(text))
        except TypeError as error:
            raise ValueError(str(error)) from error


class SpotNetwork(nn.Module):
    """Noise, kind and stretch of spots to weights of their Gaussians.

    Parameters
    ----------
    settings
        What it is made of.
    seed
        Of its first weights.

    Examples
    --------
    >>> network = SpotNetwork(SpotSettings(channels=4))
    >>> noise = torch.zeros(3, network.settings.drawn)
    >>> weights = network(torch.zeros(3, dtype=torch.int64), torch.zeros(3, 2), noise)
    >>> tuple(weights.shape), weights.sum((1, 2)).round(decimals=1).tolist()
    ((3, 21, 21), [1.0, 1.0, 1.0])
    """

    lattice: torch.Tensor

    def __init__(self, settings: SpotSettings, seed: int = 0) -> None:
        super().__init__()
        self.settings = settings
        at = (torch.arange(SIDE, dtype=torch.float32) - SIDE // 2) * SPACING
        self.register_buffer("lattice", at, persistent=False)
        wide = settings.channels
        self.form = nn.Parameter(
            torch.tensor([[0.0, math.log(_BROAD), math.log(_SHARE), 0.0, 0.0]]).repeat(
                settings.kinds, 1
            )
        )
        self.stem = nn.Conv2d(1 + settings.noise, wide, 3, padding=1)
        self.told = nn.Linear(settings.latent + settings.kinds + 2, wide)
        self.middle = nn.ModuleList(
            nn.Conv2d(wide, wide, 3, padding=1) for _ in range(settings.layers)
        )
        self.last = nn.Conv2d(wide, 1, 3, padding=1)
        self._begin(torch.Generator().manual_seed(seed))

    def _begin(self, rng: torch.Generator) -> None:
        """Draw the first weights: each layer keeps the variance (He et al., arXiv 1502.01852)."""
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                gain = (2 / module.weight[0].numel()) ** 0.5
                nn.init.normal_(module.weight, 0.0, gain, generator=rng)
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]
        with torch.no_grad():
            self.last.weight *= _QUIET

    def forward(
        self, kinds: torch.Tensor, stretch: torch.Tensor, noise: torch.Tensor
    ) -> torch.Tensor:
        """Paint.

        Parameters
        ----------
        kinds
            (N,) int64.
        stretch
            (N, 2), as in `generators.spottexture.fitting.Fitted`.
        noise
            (N, drawn) standard normal variates.

        Returns
        -------
        (N, SIDE, SIDE)
            Weights; their sum is about 1.
        """
        base = self._base(kinds, stretch)
        settings = self.settings
        latent = noise[:, : settings.latent]
        maps = noise[:, settings.latent :].reshape(-1, settings.noise, SIDE, SIDE)
        x = self.stem(torch.cat([base[:, None] / 5 + 1, maps], dim=1))
        one = functional.one_hot(kinds, settings.kinds).float()
        x = x + self.told(torch.cat([latent, one, 3 * stretch], dim=1))[:, :, None, None]
        for layer in self.middle:
            x = layer(functional.leaky_relu(x, 0.2))
        added = self.last(functional.leaky_relu(x, 0.2))[:, 0]
        weights: torch.Tensor = torch.exp(base + _MOST * torch.tanh(added / _MOST))
        return weights

    def scaled(
        self, kinds: torch.Tensor, weights: torch.Tensor, sigmas: torch.Tensor
    ) -> torch.Tensor:
        """Return (N,) px that a width of the lattice is, for spots to be as wide as asked.

        However the network spreads a spot's light, its width is that of others of its kind.
        """
        wide: torch.Tensor = torch.tensor(widths(weights.detach().numpy()), dtype=sigmas.dtype)
        scales: torch.Tensor = sigmas * self.form[kinds, 4].exp() / wide
        return scales

    def _base(self, kinds: torch.Tensor, stretch: torch.Tensor) -> torch.Tensor:
        """Return (N, SIDE, SIDE) logarithms of the weights of a narrow and a wide Gaussian."""
        size = stretch.square().sum(dim=1).add(1e-12).sqrt()
        even, skew = torch.cosh(size), torch.sinh(size) / size
        along, across = (even - skew * stretch[:, 0]), (even + skew * stretch[:, 0])
        y, x = self.lattice[:, None], self.lattice[None, :]
        squared = along[:, None, None] * y * y + across[:, None, None] * x * x
        squared = squared - 2 * (skew * stretch[:, 1])[:, None, None] * y * x
        narrow, broad, share, light, _ = self.form[kinds].T[:, :, None, None]
        parts = []
        for width, part in ((narrow, 0.0), (broad, share)):
            variance = (torch.exp(2 * width) - NARROW**2).clamp(min=0.15)
            area = 2 * math.pi * variance / SPACING**2
            parts.append(part - torch.log(area) - squared / (2 * variance))
        whole = torch.logsumexp(torch.stack(parts), dim=0) - torch.log1p(torch.exp(share))
        logarithms: torch.Tensor = whole + light
        return logarithms


def centres(weights: torch.Tensor, lattice: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return (N,) rows and (N,) columns of the centroids of weights, in widths."""
    light = weights.sum(dim=(1, 2))
    rows = (weights.sum(dim=2) * lattice).sum(dim=1) / light
    columns = (weights.sum(dim=1) * lattice).sum(dim=1) / light
    return rows, columns


def placed(
    weights: torch.Tensor, positions: torch.Tensor, sigmas: torch.Tensor, size: int
) -> torch.Tensor:
    """Return pictures (N, size, size) of spots whose centroids are at positions, in px.

    Parameters
    ----------
    weights
        (N, SIDE, SIDE).
    positions, sigmas
        (N, 2) and (N,) px.
    size
        Height and width of the pictures.
    """
    at = (torch.arange(SIDE, dtype=weights.dtype) - SIDE // 2) * SPACING
    edges = torch.arange(size + 1, dtype=weights.dtype) - 0.5
    shares = []
    for axis, centre in enumerate(centres(weights, at)):
        own = positions[:, axis, None] + sigmas[:, None] * (at - centre[:, None])
        away = (edges[None, :, None] - own[:, None, :]) / (NARROW * sigmas)[:, None, None]
        shares.append(torch.special.erf(away * 2**-0.5).diff(dim=1) / 2)
    pictures: torch.Tensor = shares[0] @ weights @ shares[1].transpose(1, 2)
    return pictures
