"""StyleGAN2's synthesis: a pyramid of convolutions with noise, its pictures added up.

Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", arXiv 1912.04958, section 2
and figure 7 (generator with output skips); configuration `stylegan2`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from generators.stylegan.filters import BINOMIAL
from generators.stylegan.layers import Linear, ToPicture, bend_pictures
from generators.stylegan.ops import modulated_conv2d, resample, upsample
from generators.stylegan.settings import pyramid

if TYPE_CHECKING:
    from generators.stylegan.settings import GeneratorSettings


class Synthesis2(nn.Module):
    """Styles (N, num_styles, w_dim) → pictures (N, channels, resolution, resolution).

    Parameters
    ----------
    settings
        With `cfg="stylegan2"`.
    rng
        What the first weights are drawn from.
    """

    def __init__(self, settings: GeneratorSettings, rng: torch.Generator) -> None:
        super().__init__()
        sizes = pyramid(settings.resolution)[::-1]
        widths = [max(min(settings.cbase // size, settings.cmax), 1) for size in sizes]
        self.constant = nn.Parameter(torch.randn(widths[0], sizes[0], sizes[0], generator=rng))
        self.blocks = nn.ModuleList(
            Block(before, width, size, settings, rng)
            for before, width, size in zip([0, *widths], widths, sizes, strict=False)
        )
        self.num_styles = 2 * len(sizes)

    def forward(
        self,
        styles: torch.Tensor,
        *,
        update_emas: bool = False,  # noqa: ARG002 - these networks have none
        transform: torch.Tensor | None = None,
        noise: torch.Generator | None = None,
    ) -> torch.Tensor:
        """Make pictures.

        Parameters
        ----------
        styles
            (N, num_styles, w_dim): two a block, a picture sharing its style with the layer after.
        update_emas
            Not used; alias-free networks have moving averages.
        transform
            (3, 3) or (N, 3, 3), moves the learned constant, as well as its few samples bear it;
            noise stays. See `Synthesis.forward`.
        noise
            What noise is drawn from; None: the same noise each time.

        Returns
        -------
        Tensor
            (N, channels, resolution, resolution).
        """
        x = self.constant.expand(len(styles), -1, -1, -1)
        if transform is not None:
            x = _moved(x, transform.to(styles))
        picture: torch.Tensor | None = None
        for index, block in enumerate(self.blocks):
            x, picture = block(x, picture, styles[:, max(2 * index - 1, 0) :], noise)
        assert picture is not None
        return picture


class Block(nn.Module):
    """Two layers (in the first block one) and what they add to the picture.

    Parameters
    ----------
    inputs
        Channels of what comes in, at half the size; 0 in the first block.
    outputs
        Channels of what goes out.
    size
        Height and width of what goes out.
    settings
        Of the network.
    rng
        What the first weights are drawn from.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        size: int,
        settings: GeneratorSettings,
        rng: torch.Generator,
    ) -> None:
        super().__init__()
        w_dim, clamp = settings.w_dim, settings.clamp
        self.size = size
        self.up = (
            NoisyLayer(inputs, outputs, size, w_dim, rng, clamp=clamp, up=True) if inputs else None
        )
        self.layer = NoisyLayer(outputs, outputs, size, w_dim, rng, clamp=clamp)
        self.to_picture = ToPicture(outputs, settings.channels, w_dim, rng, clamp=clamp)

    def forward(
        self,
        x: torch.Tensor,
        picture: torch.Tensor | None,
        styles: torch.Tensor,
        noise: torch.Generator | None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return features (N, outputs, size, size) and the picture so far."""
        own = iter(styles.unbind(1))
        if self.up is not None:
            x = self.up(x, next(own), noise)
        x = self.layer(x, next(own), noise)
        added = self.to_picture(x, next(own))
        if picture is not None:
            added = added + upsample(picture, BINOMIAL)[:, :, : self.size, : self.size]
        return x, added


class NoisyLayer(nn.Module):
    """Modulated 3 x 3 convolution, noise, bias, leaky ReLU.

    Parameters
    ----------
    inputs, outputs
        Channels.
    size
        Height and width of what goes out.
    w_dim
        Length of a style.
    rng
        What the first weights and the constant noise are drawn from.
    clamp
        Activations are held within this.
    up
        Whether the size is doubled first, less one where `size` is odd.
    """

    constant_noise: torch.Tensor  # (size, size)

    def __init__(
        self,
        inputs: int,
        outputs: int,
        size: int,
        w_dim: int,
        rng: torch.Generator,
        *,
        clamp: float,
        up: bool = False,
    ) -> None:
        super().__init__()
        self.affine = Linear(w_dim, inputs, rng, bias=1.0)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 3, 3, generator=rng))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.noise_strength = nn.Parameter(torch.zeros(()))
        self.register_buffer("constant_noise", torch.randn(size, size, generator=rng))
        self.size, self.clamp, self.up = size, clamp, up

    def forward(
        self, x: torch.Tensor, style: torch.Tensor, noise: torch.Generator | None
    ) -> torch.Tensor:
        """Return features (N, outputs, size, size)."""
        scale = self.affine(style)
        if self.up:
            x = modulated_conv2d(x, self.weight, scale, transposed_stride=2)
            # What was inserted were zeros: four times the gain makes up for them.
            x = resample(x, BINOMIAL, padding=(1, 1), gain=4.0)
            x = x[:, :, : self.size, : self.size]
        else:
            x = modulated_conv2d(x, self.weight, scale, padding=1)
        x = x + self.noise_strength * self._noise(x, noise)
        return bend_pictures(x, self.bias, self.clamp)

    def _noise(self, x: torch.Tensor, rng: torch.Generator | None) -> torch.Tensor:
        """Return noise that all channels share, (size, size) or (N, 1, size, size)."""
        if rng is None:
            return self.constant_noise
        shape = (len(x), 1, self.size, self.size)
        return torch.randn(shape, generator=rng, device=rng.device, dtype=x.dtype).to(x.device)


def _moved(x: torch.Tensor, transform: torch.Tensor) -> torch.Tensor:
    """Move features (N, C, H, W) by interpolation, the border's value beyond the border."""
    # grid_sample reckons in half widths from the centre, and asks where each sample comes from.
    back = torch.linalg.inv(transform).expand(len(x), 3, 3)[:, :2].clone()
    back[:, :, 2] *= 2
    grid = functional.affine_grid(back, list(x.shape), align_corners=False)
    return functional.grid_sample(
        x, grid, mode="bilinear", padding_mode="border", align_corners=False
    )
