"""What alias-free networks are made of, in plain torch, on any device, twice differentiable.

Karras et al., "Alias-Free Generative Adversarial Networks", arXiv 2106.12423, section 3 and
appendix D; "Analyzing and Improving the Image Quality of StyleGAN", arXiv 1912.04958, section 2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch  # noqa: TC002 - the examples use it
from torch.nn import functional

from generators.stylegan.banded import apply, resampling
from generators.stylegan.between import bent_between
from generators.stylegan.choice import ops
from generators.stylegan.filters import IDENTITY
from generators.stylegan.fused import (
    available,
    fused_filtered_lrelu,
    fused_resample,
    supports,
    weights,
)

if TYPE_CHECKING:
    from generators.stylegan.filters import Filter

_TINY = 1e-8
# Rows shorter than these begin more often than they are worth to the fused operation, as measured.
_WIDE_BLURRED, _WIDE_BENT = 32, 48


def filtered_lrelu(
    x: torch.Tensor,
    bias: torch.Tensor | None = None,
    scale: torch.Tensor | None = None,
    result_scale: torch.Tensor | None = None,
    *,
    up_filter: Filter,
    down_filter: Filter,
    up: int = 1,
    down: int = 1,
    padding: tuple[int, int] = (0, 0),
    gain: float = 2**0.5,
    slope: float = 0.2,
    clamp: float | None = None,
) -> torch.Tensor:
    """Leaky ReLU between two low-pass filters, at a higher sampling rate.

    A nonlinearity makes frequencies that the sampling rate may not carry. So it is applied at
    `up` times the rate, and what the rate after it cannot carry is filtered away.

    Parameters
    ----------
    x
        (N, C, H, W), floating point.
    bias
        (C,), added first.
    scale
        (N, C), what x is multiplied by before that.
    result_scale
        (N, C, 1, 1), what the result is multiplied by.
    up_filter, down_filter
        Low-pass filters before and after the nonlinearity.
    up, down
        Factors of the sampling rate before and after the nonlinearity.
    padding
        Zeros (before, after) each axis once `up - 1` zeros stand after each sample; a negative
        number crops.
    gain
        Factor on what leaves the leaky ReLU, positive; √2 keeps the magnitude.
    slope
        Of the leaky ReLU below 0, positive.
    clamp
        What leaves the leaky ReLU, gain included, is held within ±clamp.

    Returns
    -------
    Tensor
        (N, C, H', W') with
        `H' = (H * up + sum(padding) - up_filter.taps - down_filter.taps + 1) // down + 1`.

    Raises
    ------
    ValueError
        The padded picture is smaller than the filters.

    Notes
    -----
    arXiv 2106.12423, section 3.2 and appendix D. The derivative at the clamp itself is taken as 0.

    Examples
    --------
    >>> from generators.stylegan.filters import kaiser_filter
    >>> low = kaiser_filter(12, cutoff=2.0, width=2.0, rate=16)
    >>> x = torch.ones(1, 3, 16, 16)
    >>> y = filtered_lrelu(x, up_filter=low, down_filter=low, up=2, down=2, padding=(11, 10))
    >>> y.shape, round(y[0, 0, 8, 8].item(), 3)
    (torch.Size([1, 3, 16, 16]), 1.414)
    """
    bent_first = up == 1 and up_filter == IDENTITY  # as the discriminator has it
    shortest = _WIDE_BENT if down_filter == IDENTITY else _WIDE_BLURRED
    if _goes_fused(x, bias, scale, worth=not bent_first or x.shape[3] >= shortest):
        return fused_filtered_lrelu(
            x,
            bias,
            scale,
            result_scale,
            up_filter=weights(up_filter, x.dtype),
            down_filter=weights(down_filter, x.dtype),
            up=up,
            down=down,
            padding=padding + padding,
            gain=gain,
            slope=slope,
            clamp=clamp,
        )
    if scale is not None:
        x = x * scale[:, :, None, None]
    if bias is not None:
        x = x + bias[:, None, None]
    if bent_first:  # zeros stay zeros
        x = bent(x, gain=gain, slope=slope, clamp=clamp)
        x = _by_matrices(x, down_filter, 1, down, padding)
    else:
        x = bent_between(
            x,
            up_filter=up_filter,
            down_filter=down_filter,
            up=up,
            down=down,
            padding=padding,
            gain=gain,
            slope=slope,
            clamp=clamp,
        )
    return x if result_scale is None else x * result_scale


def bent(x: torch.Tensor, *, gain: float, slope: float, clamp: float | None) -> torch.Tensor:
    """Return `gain` times the leaky ReLU of x, held within ±clamp.

    Examples
    --------
    >>> bent(torch.tensor([1.0, -1.0]), gain=2.0, slope=0.1, clamp=1.5)
    tensor([ 1.5000, -0.2000])
    """
    x = functional.leaky_relu(x, slope) * gain
    return x if clamp is None else x.clamp(-clamp, clamp)


def _goes_fused(*tensors: torch.Tensor | None, worth: bool) -> bool:
    """Whether the fused operation is to do the work; the first time it may have to be built."""
    chosen = ops()
    if chosen == "torch" or not supports(*tensors):
        return False
    return chosen == "fused" or (worth and available())


def resample(
    x: torch.Tensor,
    low: Filter,
    *,
    up: int = 1,
    down: int = 1,
    padding: tuple[int, int] = (0, 0),
    gain: float = 1.0,
) -> torch.Tensor:
    """Insert zeros, pad, filter and decimate pictures; with both factors 1, blur them.

    Parameters
    ----------
    x
        (N, C, H, W), floating point.
    low
        The filter.
    up, down, padding
        As for `filtered_lrelu`.
    gain
        A factor, beside the `up` along each axis that makes up for the zeros.

    Returns
    -------
    Tensor
        (N, C, H', W') with `H' = (H * up + sum(padding) - low.taps) // down + 1`.

    Examples
    --------
    >>> from generators.stylegan.filters import BINOMIAL
    >>> resample(torch.ones(1, 1, 6, 6), BINOMIAL, down=2, padding=(1, 1))[0, 0, 1]
    tensor([0.8750, 1.0000, 0.8750])
    """
    if _goes_fused(x, worth=up == down == 1 and x.shape[3] >= _WIDE_BLURRED):
        return fused_resample(
            x, weights(low, x.dtype), up=up, down=down, padding=padding + padding, gain=gain
        )
    return _by_matrices(x, low, up, down, padding, gain)


def _by_matrices(  # noqa: PLR0917 - what `resample` takes, in its order
    x: torch.Tensor, low: Filter, up: int, down: int, padding: tuple[int, int], gain: float = 1.0
) -> torch.Tensor:
    if low == IDENTITY and (up, down, padding, gain) == (1, 1, (0, 0), 1.0):
        return x
    size = (x.shape[2], x.shape[3])
    filtered = resampling(
        low, size, up=up, down=down, padding=padding, gain=gain, dtype=x.dtype, device=x.device
    )
    return apply(filtered, x)


def upsample(x: torch.Tensor, low: Filter) -> torch.Tensor:
    """Return pictures (N, C, H, W) at twice the rate, (N, C, 2 H, 2 W), about the same centre.

    Examples
    --------
    >>> from generators.stylegan.filters import BINOMIAL
    >>> upsample(torch.tensor([[[[0.0, 4.0, 0.0]]]]), BINOMIAL)[0, 0, 0]
    tensor([0.0000, 0.7500, 2.2500, 2.2500, 0.7500, 0.0000])
    """
    return resample(x, low, up=2, padding=(low.taps // 2, (low.taps - 1) // 2))


def downsample(x: torch.Tensor, low: Filter) -> torch.Tensor:
    """Return pictures (N, C, H, W) at half the rate, (N, C, H / 2, W / 2); even sizes.

    Examples
    --------
    >>> from generators.stylegan.filters import BINOMIAL
    >>> downsample(torch.ones(1, 1, 8, 8), BINOMIAL).shape
    torch.Size([1, 1, 4, 4])
    """
    return resample(x, low, down=2, padding=((low.taps - 1) // 2, low.taps // 2 - 1))


def modulated_conv2d(
    x: torch.Tensor,
    weight: torch.Tensor,
    style: torch.Tensor,
    *,
    demodulate: bool = True,
    padding: int = 0,
    transposed_stride: int | None = None,
) -> torch.Tensor:
    """Convolve each sample with weights whose input channels its style scales.

    Parameters
    ----------
    x
        (N, C, H, W).
    weight
        (D, C, K, K), shared by all samples.
    style
        (N, C), a factor on each input channel.
    demodulate
        Divide each output channel by the norm of its scaled weights, so that inputs of unit
        variance give outputs of unit variance.
    padding
        Zeros around each picture.
    transposed_stride
        None: a correlation. A number: a transposed convolution of this stride, with `weight` as
        it stands; the output has `(H - 1) * transposed_stride + K` rows.

    Returns
    -------
    Tensor
        (N, D, H + 2 padding - K + 1, W + 2 padding - K + 1).

    Notes
    -----
    arXiv 1912.04958, equations 1 to 3: w' = s w and w'' = w' / √(Σ w'² + ε). Here styles scale the
    activations before, and the norm divides them after one convolution for the whole batch, which
    is the same.

    Examples
    --------
    >>> x, weight = torch.ones(1, 2, 1, 1), torch.ones(1, 2, 1, 1)
    >>> modulated_conv2d(x, weight, torch.tensor([[3.0, 4.0]])).item()  # (3 + 4) / √(3² + 4²)
    1.399999976158142
    """
    x = x * style[:, :, None, None]
    if transposed_stride is None:
        y = functional.conv2d(x, weight, padding=padding)
    else:
        y = functional.conv_transpose2d(
            x, weight.transpose(0, 1), stride=transposed_stride, padding=padding
        )
    return y * demodulation(weight, style)[:, :, None, None] if demodulate else y


def demodulation(weight: torch.Tensor, style: torch.Tensor) -> torch.Tensor:
    """Return what `modulated_conv2d` multiplies its output channels by, (N, D).

    Examples
    --------
    >>> demodulation(torch.ones(1, 2, 1, 1), torch.tensor([[3.0, 4.0]])).item()  # 1 / √(3² + 4²)
    0.20000000298023224
    """
    energy = style.square() @ weight.square().sum((2, 3)).T
    return (energy + _TINY).rsqrt()
