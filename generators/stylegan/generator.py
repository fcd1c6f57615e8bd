"""A generator: mapping and synthesis together, on disk without anything to execute."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from generators.stylegan.mapping import Mapping
from generators.stylegan.synthesis import Synthesis
from generators.stylegan.synthesis2 import Synthesis2

if TYPE_CHECKING:
    from generators.stylegan.settings import GeneratorSettings

_MEMORY = 0.998  # of the moving average of styles


class Generator(nn.Module):
    """Latents to pictures.

    Parameters
    ----------
    settings
        What it is made of.
    seed
        Of the first weights.

    Examples
    --------
    >>> from generators.stylegan.settings import GeneratorSettings
    >>> tiny = GeneratorSettings(16, cbase=64, cmax=8, z_dim=8, w_dim=8, num_layers=4)
    >>> generator = Generator(tiny, seed=0)
    >>> generator(latents([0, 1], 8)).shape
    torch.Size([2, 1, 16, 16])
    """

    w_average: torch.Tensor  # (w_dim,)

    def __init__(self, settings: GeneratorSettings, seed: int = 0) -> None:
        super().__init__()
        self.settings = settings
        rng = torch.Generator().manual_seed(seed)
        self.mapping = Mapping(
            settings.z_dim,
            settings.c_dim,
            settings.w_dim,
            depth=settings.depth,
            rng=rng,
            rate=settings.mapping_rate,
        )
        self.register_buffer("w_average", torch.zeros(settings.w_dim))
        kind = Synthesis2 if settings.cfg == "stylegan2" else Synthesis
        self.synthesis: Synthesis | Synthesis2 = kind(settings, rng)

    def styles(
        self,
        z: torch.Tensor,
        c: torch.Tensor | None = None,
        *,
        truncation: float = 1.0,
        cutoff: int | None = None,
        update_emas: bool = False,
    ) -> torch.Tensor:
        """Return the styles of latents, the same for each layer.

        Parameters
        ----------
        z
            (N, z_dim), normally distributed.
        c
            (N, c_dim), where the network has classes.
        truncation
            ψ: styles are pulled towards their average, w̄ + ψ (w - w̄) (arXiv 1812.04948,
            appendix B).
        cutoff
            Only the first `cutoff` layers are truncated; None: all.
        update_emas
            Whether the average takes these styles in.

        Returns
        -------
        Tensor
            (N, num_styles, w_dim).

        Raises
        ------
        ValueError
            z or c has another shape.
        """
        w: torch.Tensor = self.mapping(z, c)
        if update_emas:
            with torch.no_grad():
                self.w_average.lerp_(w.detach().mean(0).to(self.w_average), 1 - _MEMORY)
        styles: torch.Tensor = w[:, None].repeat(1, self.synthesis.num_styles, 1)
        if truncation == 1:
            return styles
        cut: torch.Tensor = torch.lerp(self.w_average.to(styles), styles, truncation)
        return cut if cutoff is None else torch.cat([cut[:, :cutoff], styles[:, cutoff:]], 1)

    def forward(
        self,
        z: torch.Tensor,
        c: torch.Tensor | None = None,
        truncation: float = 1.0,
        *,
        update_emas: bool = False,
        transform: torch.Tensor | None = None,
        noise: torch.Generator | None = None,
    ) -> torch.Tensor:
        """Return pictures (N, channels, resolution, resolution).

        Parameters
        ----------
        z, c, truncation
            As for `styles`.
        update_emas
            Whether the moving averages, of styles and of magnitudes, take this batch in.
        transform
            (3, 3) or (N, 3, 3), moves the pictures; see `Synthesis.forward`.
        noise
            What `stylegan2` draws its noise from; None: the same noise each time.

        Raises
        ------
        ValueError
            z or c has another shape.
        """
        styles = self.styles(z, c, truncation=truncation, update_emas=update_emas)
        pictures: torch.Tensor = self.synthesis(
            styles, update_emas=update_emas, transform=transform, noise=noise
        )
        return pictures


def latents(seeds: list[int], z_dim: int) -> torch.Tensor:
    """Return latents (N, z_dim), each from its own seed, the same on every device.

    Examples
    --------
    >>> torch.equal(latents([3, 4], 5)[1], latents([4], 5)[0])
    True
    """
    drawn = [torch.randn(z_dim, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
    return torch.stack(drawn) if drawn else torch.zeros(0, z_dim)
