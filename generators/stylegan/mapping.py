"""The mapping network: latent and class to style.

Karras et al., arXiv 1812.04948, section 2, and arXiv 2106.12423, section 3.1 (two layers).
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

from generators.stylegan.layers import Linear, normalise


class Mapping(nn.Module):
    """z (N, z_dim) and class c (N, c_dim) → w (N, w_dim).

    Both are brought to unit mean square before they are joined: z as drawn, c after a linear layer.

    Parameters
    ----------
    z_dim, c_dim, w_dim
        Lengths; one of `z_dim` and `c_dim` may be 0.
    depth
        Number of layers.
    rng
        What the first weights are drawn from.
    rate
        What the learning rate is multiplied by.

    Examples
    --------
    >>> mapping = Mapping(8, 0, 16, depth=2, rng=torch.Generator().manual_seed(0))
    >>> mapping(torch.ones(3, 8)).shape
    torch.Size([3, 16])
    """

    def __init__(
        self,
        z_dim: int,
        c_dim: int,
        w_dim: int,
        *,
        depth: int,
        rng: torch.Generator,
        rate: float = 0.01,
    ) -> None:
        super().__init__()
        self.z_dim, self.c_dim = z_dim, c_dim
        self.embed = Linear(c_dim, w_dim, rng) if c_dim else None
        widths = [z_dim + (w_dim if c_dim else 0)] + [w_dim] * depth
        self.layers = nn.Sequential(
            *(
                Linear(before, after, rng, bent=True, rate=rate)
                for before, after in pairwise(widths)
            )
        )

    def forward(self, z: torch.Tensor | None, c: torch.Tensor | None = None) -> torch.Tensor:
        """Map latents and classes to styles."""
        parts = []
        if self.z_dim:
            parts.append(normalise(_vectors(z, self.z_dim, "z")))
        if self.embed is not None:
            c = _vectors(c, self.c_dim, "c").to(self.embed.weight)
            parts.append(normalise(self.embed(c)))
        w: torch.Tensor = self.layers(torch.cat(parts, 1).to(next(self.parameters())))
        return w


def _vectors(given: torch.Tensor | None, length: int, name: str) -> torch.Tensor:
    """Return what was given, if it is vectors of the right length."""
    if given is None:
        raise ValueError(f"this network needs {name}, (N, {length})")
    if given.ndim != 2 or given.shape[1] != length:
        raise ValueError(f"{name} is {tuple(given.shape)}, not (N, {length})")
    return given
