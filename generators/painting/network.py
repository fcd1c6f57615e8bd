"""The network that paints: after Pix2PixHD's global generator (arXiv 1711.11585), small.

Three things differ. It adds to a picture of even objects that it is given. Its norms go over the
channels of each position, so a part of a picture does not depend on what is far away, and nothing
is blown up where a picture is empty. And maps and fresh noise come in again at each size, so edges
are exact and texture is drawn, not remembered.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from generators.painting.conditioning import BASE, CHANNELS
from generators.painting.filters import blurred

if TYPE_CHECKING:
    from collections.abc import Sequence

LENS = 0.8
"""Standard deviation in px of the blur of what is added: no lens shows anything finer, and what is
finer is the camera's noise, which is not the network's to paint."""
_EPSILON = 1e-2
_QUIET = 0.02  # first weights of what is added to the picture of even objects


@dataclass(frozen=True)
class NetworkSettings:
    """What the network is made of.

    Parameters
    ----------
    ngf
        Channels at full size; twice as many at each halving.
    downs
        Halvings.
    blocks
        Residual blocks at the smallest size.
    noise
        Maps of noise that come in at each size.

    Raises
    ------
    ValueError
        A number is below 1.

    Examples
    --------
    >>> settings = NetworkSettings(ngf=8)
    >>> settings.step, NetworkSettings.from_json(settings.to_json()) == settings
    (8, True)
    """

    ngf: int = 16
    downs: int = 3
    blocks: int = 5
    noise: int = 2

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not (isinstance(value, int) and 1 <= value <= 1024):
                raise ValueError(f"{field.name} is {value!r}, not one of 1 to 1024")

    @property
    def step(self) -> int:
        """Height and width of a picture are multiples of this."""
        return int(2**self.downs)

    def to_json(self) -> str:
        """Return them as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> NetworkSettings:
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


class Normed(nn.Module):
    """Maps (N, C, H, W) brought to a mean square of 1 over the channels of each position."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Divide by the root of the mean square."""
        return x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + _EPSILON)


class Residual(nn.Module):
    """Two convolutions whose result is added to what they see."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm = Normed()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Add."""
        y = self.first(functional.relu(self.norm(x)))
        added: torch.Tensor = self.second(functional.relu(self.norm(y)))
        return x + added


class Rising(nn.Module):
    """Maps at twice the size, and conditions and noise of that size with them."""

    def __init__(self, before: int, joined: int, after: int) -> None:
        super().__init__()
        self.narrow = nn.Conv2d(before, after, 1)
        self.wide = nn.Conv2d(after + joined, after, 3, padding=1)

    def forward(self, x: torch.Tensor, joined: torch.Tensor) -> torch.Tensor:
        """Double the size, bilinearly."""
        x = functional.interpolate(self.narrow(x), scale_factor=2.0, mode="bilinear")
        return functional.leaky_relu(self.wide(torch.cat([x, joined], dim=1)), 0.2)


class Network(nn.Module):
    """Maps of a scene and noise to a picture.

    Parameters
    ----------
    settings
        What it is made of.
    seed
        Of its first weights.

    Examples
    --------
    >>> network = Network(NetworkSettings(ngf=4, blocks=1))
    >>> noise = network.drawn(1, 32, 40, torch.Generator().manual_seed(0))
    >>> [tuple(level.shape) for level in noise]
    [(1, 2, 4, 5), (1, 2, 8, 10), (1, 2, 16, 20), (1, 2, 32, 40)]
    >>> network(torch.zeros(1, 9, 32, 40), noise).shape
    torch.Size([1, 1, 32, 40])
    """

    def __init__(self, settings: NetworkSettings, seed: int = 0) -> None:
        super().__init__()
        self.settings = settings
        wide = [settings.ngf * 2**k for k in range(settings.downs + 1)]
        self.stem = nn.Conv2d(CHANNELS, wide[0], 3, padding=1)
        self.falling = nn.ModuleList(
            nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairwise(wide)
        )
        self.joining = nn.Conv2d(wide[-1] + settings.noise, wide[-1], 1)
        self.blocks = nn.ModuleList(Residual(wide[-1]) for _ in range(settings.blocks))
        joined = CHANNELS + settings.noise
        self.rising = nn.ModuleList(Rising(b, joined, a) for a, b in reversed(list(pairwise(wide))))
        self.last = nn.Conv2d(wide[0], 1, 3, padding=1)
        self.norm = Normed()
        self._begin(torch.Generator().manual_seed(seed))

    def _begin(self, rng: torch.Generator) -> None:
        """Draw the first weights: each layer keeps the variance (He et al., arXiv 1502.01852)."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                gain = (2 / module.weight[0].numel()) ** 0.5
                nn.init.normal_(module.weight, 0.0, gain, generator=rng)
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]
        with torch.no_grad():
            self.last.weight *= _QUIET

    def drawn(self, n: int, height: int, width: int, rng: torch.Generator) -> list[torch.Tensor]:
        """Draw noise for n pictures, from the smallest size to the full one."""
        sizes = [2**k for k in reversed(range(self.settings.downs + 1))]
        return [
            torch.randn(n, self.settings.noise, height // s, width // s, generator=rng)
            for s in sizes
        ]

    def forward(self, maps: torch.Tensor, noise: Sequence[torch.Tensor]) -> torch.Tensor:
        """Paint.

        Parameters
        ----------
        maps
            (N, CHANNELS, H, W), as `generators.painting.conditioning.maps` gives them.
        noise
            As `drawn` gives it.

        Returns
        -------
        (N, 1, H, W)
            The picture as networks see it, without the camera's noise.
        """
        x = functional.leaky_relu(self.stem(maps), 0.2)
        for layer in self.falling:
            x = functional.leaky_relu(self.norm(layer(x)), 0.2)
        x = self.joining(torch.cat([x, noise[0]], dim=1))
        for block in self.blocks:
            x = block(x)
        sizes = [maps]
        for _ in range(self.settings.downs - 1):
            sizes.append(functional.avg_pool2d(sizes[-1], 2))
        for rising, own, level in zip(self.rising, reversed(sizes), noise[1:], strict=True):
            x = rising(self.norm(x), torch.cat([own, level], dim=1))
        return maps[:, BASE : BASE + 1] + blurred(self.last(x), LENS)
