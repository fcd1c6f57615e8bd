"""The generators of Pix2PixHD: one that sees the whole, and enhancers for finer detail.

Wang et al., arXiv 1711.11585, section 3.2 and appendix. Parameters have the names that
`*_net_G.pth` files give them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from generators.pix2pixhd.layers import (
    Residual,
    doubling,
    halved,
    halving,
    initialise,
    picture,
    stem,
)

if TYPE_CHECKING:
    from generators.pix2pixhd.settings import GeneratorSettings


class GlobalGenerator(nn.Module):
    """Maps (N, input_nc, H, W) → pictures (N, output_nc, H, W) within [-1, 1].

    H and W are multiples of `settings.multiple`.

    Parameters
    ----------
    settings
        What it is made of.

    Examples
    --------
    >>> from generators.pix2pixhd.settings import GeneratorSettings
    >>> with torch.device("meta"):
    ...     network = GlobalGenerator(GeneratorSettings(36, 3))
    >>> f"{sum(p.numel() for p in network.parameters()):,}"
    '182,546,755'
    """

    def __init__(self, settings: GeneratorSettings) -> None:
        super().__init__()
        self.settings = settings
        self.model = nn.Sequential(
            *_trunk(settings, settings.ngf), *picture(settings.ngf, settings.output_nc)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Make pictures."""
        made: torch.Tensor = self.model(x)
        return made


class LocalEnhancer(nn.Module):
    """The same, with enhancers: each sees the input at twice the size of what is below it.

    The last maps of the global generator are added to what an enhancer makes of the finer input
    before its residual blocks; figure 3 of the paper.

    Parameters
    ----------
    settings
        What it is made of.
    """

    def __init__(self, settings: GeneratorSettings) -> None:
        super().__init__()
        self.settings = settings
        count, norm = settings.n_local_enhancers, settings.norm
        self.model = nn.Sequential(*_trunk(settings, settings.ngf * 2**count))
        for number in range(1, count + 1):
            channels = settings.ngf * 2 ** (count - number)
            wide = 2 * channels
            sees = [*stem(settings.input_nc, channels, norm), *halving(channels, wide, norm)]
            blocks = [Residual(wide, norm) for _ in range(settings.n_blocks_local)]
            makes = [*blocks, *doubling(wide, channels, norm)]
            if number == count:
                makes += picture(channels, settings.output_nc)
            self.add_module(f"model{number}_1", nn.Sequential(*sees))
            self.add_module(f"model{number}_2", nn.Sequential(*makes))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Make pictures."""
        count = self.settings.n_local_enhancers
        inputs = [x]
        for _ in range(count):
            inputs.append(halved(inputs[-1]))
        made: torch.Tensor = self.model(inputs[-1])
        for number in range(1, count + 1):
            sees, makes = (self.get_submodule(f"model{number}_{part}") for part in (1, 2))
            made = makes(sees(inputs[count - number]) + made)
        return made

    def outermost(self) -> list[nn.Parameter]:
        """Return the parameters of the last enhancer, which learn alone at first."""
        start = f"model{self.settings.n_local_enhancers}_"
        return [value for name, value in self.named_parameters() if name.startswith(start)]


Generator = GlobalGenerator | LocalEnhancer


def build(settings: GeneratorSettings, seed: int | None = 0) -> Generator:
    """Return a generator.

    Parameters
    ----------
    settings
        What it is made of.
    seed
        Of its first weights; None leaves them as torch made them, for weights that are loaded.
    """
    kind = GlobalGenerator if settings.net_g == "global" else LocalEnhancer
    network = kind(settings)
    if seed is not None:
        initialise(network, torch.Generator().manual_seed(seed))
    return network


def _trunk(settings: GeneratorSettings, ngf: int) -> list[nn.Module]:
    """Return the layers of the global generator before those that make the picture."""
    norm, depth = settings.norm, settings.n_downsample_global
    layers = stem(settings.input_nc, ngf, norm)
    for level in range(depth):
        layers += halving(ngf * 2**level, ngf * 2 ** (level + 1), norm)
    layers += [Residual(ngf * 2**depth, norm) for _ in range(settings.n_blocks_global)]
    for level in reversed(range(depth)):
        layers += doubling(ngf * 2 ** (level + 1), ngf * 2**level, norm)
    return layers
