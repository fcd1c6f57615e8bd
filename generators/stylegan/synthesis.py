"""Alias-free synthesis: styles to a picture that moves and turns with its input.

Karras et al., "Alias-Free Generative Adversarial Networks", arXiv 2106.12423, section 3;
configurations `stylegan3-t` and `stylegan3-r`.
"""

from __future__ import annotations

from math import pi, sqrt
from typing import TYPE_CHECKING, cast

import torch
from torch import nn
from torch.nn import functional

from generators.stylegan.layers import Linear, ToPicture
from generators.stylegan.ops import demodulation, filtered_lrelu
from generators.stylegan.schedule import Layer, Signal, schedule

if TYPE_CHECKING:
    from generators.stylegan.settings import GeneratorSettings

_MEMORY = 0.999  # of the moving average of a layer's input magnitude


class Synthesis(nn.Module):
    """Styles (N, num_styles, w_dim) → pictures (N, channels, resolution, resolution).

    Parameters
    ----------
    settings
        With `cfg` one of `stylegan3-t`, `stylegan3-r`.
    rng
        What the first weights are drawn from.
    """

    magnitude: torch.Tensor  # (), moving average of the last convolution's input's mean square

    def __init__(self, settings: GeneratorSettings, rng: torch.Generator) -> None:
        super().__init__()
        plan = schedule(settings)
        w_dim, clamp = settings.w_dim, settings.clamp
        self.input = FourierInput(plan.start, w_dim, rng)
        self.layers = nn.ModuleList(
            AliasFree(layer, w_dim, rng, clamp=clamp) for layer in plan.layers
        )
        last = plan.layers[-1].result.channels
        self.picture = ToPicture(last, plan.picture.channels, w_dim, rng, clamp=clamp)
        self.register_buffer("magnitude", torch.ones(()))
        self.num_styles = len(plan.layers) + 2
        self.output_scale = settings.output_scale

    def forward(
        self,
        styles: torch.Tensor,
        *,
        update_emas: bool = False,
        transform: torch.Tensor | None = None,
        noise: torch.Generator | None = None,  # noqa: ARG002 - these networks have none
    ) -> torch.Tensor:
        """Make pictures.

        Parameters
        ----------
        styles
            (N, num_styles, w_dim): one for the input, one a layer, one for the last convolution.
        update_emas
            Whether the moving averages of magnitudes take these activations in.
        transform
            (3, 3) or (N, 3, 3), moves the pictures: what was at (x, y, 1) comes to stand at
            `transform @ (x, y, 1)`. In picture widths from the centre, x to the right, y down.
        noise
            Not used; `stylegan2` has it.

        Returns
        -------
        Tensor
            (N, channels, resolution, resolution), around [-1, 1] once trained.
        """
        first, *between, last = styles.unbind(1)
        x = self.input(first, transform)
        layers = cast("list[AliasFree]", list(self.layers))
        scales = [layer.affine(style) for layer, style in zip(layers, between, strict=True)]
        if update_emas or torch.is_grad_enabled():
            x = self._learn(x, layers, scales, update_emas=update_emas)
        else:
            x = self._make(x, layers, scales)
        picture: torch.Tensor = self.picture(x, last) * self.output_scale
        return picture

    def _learn(
        self,
        x: torch.Tensor,
        layers: list[AliasFree],
        scales: list[torch.Tensor],
        *,
        update_emas: bool,
    ) -> torch.Tensor:
        """Return what the last convolution takes in; magnitudes follow, where they are to."""
        for layer, scale in zip(layers, scales, strict=True):
            if update_emas:
                update_magnitude(layer.magnitude, x)
            x = layer(x * layer.gain(scale), scale)
        if update_emas:
            update_magnitude(self.magnitude, x)
        return x * self.magnitude.rsqrt()

    def _make(
        self, x: torch.Tensor, layers: list[AliasFree], scales: list[torch.Tensor]
    ) -> torch.Tensor:
        """Return the same; each layer makes what the next one wants, which saves passes."""
        gains = [layer.gain(scale) for layer, scale in zip(layers, scales, strict=True)]
        last = self.magnitude.rsqrt() * torch.ones_like(layers[-1].bias)
        gains.append(last.expand(len(x), -1)[:, :, None, None])
        x = x * gains[0]
        for layer, scale, gain in zip(layers, scales, gains[1:], strict=True):
            x = layer(x, scale, gain)
        return x


class FourierInput(nn.Module):
    """Waves of random frequency and phase, turned and moved as the style says.

    The features are known at every point of the plane, so that any move of them is exact.
    Frequencies are uniform in the disc within the cutoff.

    Parameters
    ----------
    signal
        What the features are.
    w_dim
        Length of a style.
    rng
        What frequencies, phases and first weights are drawn from.
    """

    frequencies: torch.Tensor  # (C, 2), cycles a picture width along x and y
    phases: torch.Tensor  # (C,), in turns

    def __init__(self, signal: Signal, w_dim: int, rng: torch.Generator) -> None:
        super().__init__()
        self.signal = signal
        count = signal.channels
        radius = signal.cutoff * torch.rand(count, generator=rng).sqrt()
        angle = 2 * pi * torch.rand(count, generator=rng)
        self.register_buffer(
            "frequencies", torch.stack([radius * angle.cos(), radius * angle.sin()], 1)
        )
        self.register_buffer("phases", torch.rand(count, generator=rng) - 0.5)
        self.weight = nn.Parameter(torch.randn(count, count, generator=rng))
        # (r_c, r_s, t_x, t_y); at first the same for all styles: no turn, no move.
        self.affine = Linear(w_dim, 4, rng)
        with torch.no_grad():
            self.affine.weight.zero_()
            self.affine.bias.copy_(torch.tensor([1.0, 0.0, 0.0, 0.0]))

    def forward(self, style: torch.Tensor, transform: torch.Tensor | None) -> torch.Tensor:
        """Return features (N, C, size, size)."""
        signal = self.signal
        to_features = self._turn_and_move(style)
        if transform is not None:
            to_features = to_features @ torch.linalg.inv(transform.to(style))
        # A wave f at the point M p + t is the wave Mᵀ f, ahead by f · t, at the point p.
        frequencies = self.frequencies @ to_features[:, :2, :2]  # (N, C, 2)
        phases = self.phases + (self.frequencies @ to_features[:, :2, 2:]).squeeze(2)  # (N, C)
        # A transform that shrinks the picture must not bring in what the rate cannot carry.
        beyond = frequencies.norm(dim=2) - signal.cutoff
        amplitudes = (1 - beyond / (signal.rate / 2 - signal.cutoff)).clamp(0, 1)
        at = torch.arange(signal.size, dtype=style.dtype, device=style.device)
        at = (at - (signal.size - 1) / 2) / signal.rate
        along_x = frequencies[:, :, 0, None] * at  # (N, C, size)
        along_y = frequencies[:, :, 1, None] * at + phases[:, :, None]
        turns = along_y[:, :, :, None] + along_x[:, :, None, :]
        waves = torch.sin(2 * pi * turns) * amplitudes[:, :, None, None]
        mixed = torch.einsum("dc,nchw->ndhw", self.weight / sqrt(len(self.weight)), waves)
        return mixed.contiguous()

    def _turn_and_move(self, style: torch.Tensor) -> torch.Tensor:
        """Return matrices (N, 3, 3) from points of the picture to points of the features."""
        learned = self.affine(style)
        learned = learned / learned[:, :2].norm(dim=1, keepdim=True)
        cosine, sine, move_x, move_y = learned.unbind(1)
        zero, one = torch.zeros_like(cosine), torch.ones_like(cosine)
        turn = torch.stack([cosine, -sine, zero, sine, cosine, zero, zero, zero, one], 1)
        move = torch.stack([one, zero, -move_x, zero, one, -move_y, zero, zero, one], 1)
        return turn.reshape(-1, 3, 3) @ move.reshape(-1, 3, 3)


class AliasFree(nn.Module):
    """Modulated convolution, bias, and a nonlinearity between low-pass filters.

    Parameters
    ----------
    layer
        Sizes, rates and filters.
    w_dim
        Length of a style.
    rng
        What the first weights are drawn from.
    clamp
        Activations are held within this.
    """

    magnitude: torch.Tensor  # (), moving average of the input's mean square

    def __init__(self, layer: Layer, w_dim: int, rng: torch.Generator, *, clamp: float) -> None:
        super().__init__()
        inputs, outputs = layer.source.channels, layer.result.channels
        self.affine = Linear(w_dim, inputs, rng, bias=1.0)
        self.weight = nn.Parameter(
            torch.randn(outputs, inputs, layer.kernel, layer.kernel, generator=rng)
        )
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.register_buffer("magnitude", torch.ones(()))
        self.layer, self.clamp = layer, clamp
        self.up_filter, self.down_filter = layer.up_filter, layer.down_filter

    def gain(self, scale: torch.Tensor) -> torch.Tensor:
        """Return what the source is to be multiplied by, (N, C, 1, 1), of scales (N, C).

        The scales are those that the style asks for; the rest brings the source to unit variance.
        """
        return (scale * self.magnitude.rsqrt())[:, :, None, None]

    def forward(
        self, x: torch.Tensor, scale: torch.Tensor, gain: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Map the layer's source, times its gain, to its result, times the next layer's."""
        x = functional.conv2d(x, self.weight, padding=self.layer.kernel - 1)
        return filtered_lrelu(
            x,
            self.bias,
            demodulation(self.weight, scale),  # here it costs nothing, and so does the gain
            gain,
            up_filter=self.up_filter,
            down_filter=self.down_filter,
            up=self.layer.up,
            down=self.layer.down,
            padding=self.layer.padding,
            clamp=self.clamp,
        )


def update_magnitude(magnitude: torch.Tensor, x: torch.Tensor) -> None:
    """Move a moving average towards the mean square of x (arXiv 2106.12423, section 3.1)."""
    with torch.no_grad():
        square = torch.linalg.vector_norm(x.detach()).square() / x.numel()
        magnitude.lerp_(square.to(magnitude), 1 - _MEMORY)
