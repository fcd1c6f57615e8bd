"""Cutoffs, stopbands, sampling rates and sizes of the layers of an alias-free network.

Karras et al., "Alias-Free Generative Adversarial Networks", arXiv 2106.12423, section 3.2
(flexible layers): layers grow geometrically in what they can carry.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log2
from typing import TYPE_CHECKING

from generators.stylegan.filters import Filter, jinc_filter, kaiser_filter

if TYPE_CHECKING:
    from generators.stylegan.settings import GeneratorSettings

_OVERSAMPLING = 2  # the nonlinearity runs at this multiple of the higher of a layer's two rates


@dataclass(frozen=True)
class Signal:
    """What passes from one layer to the next.

    Parameters
    ----------
    channels
        Number of feature maps.
    size
        Samples along each axis of the canvas: the picture, and its margins.
    rate
        Samples a picture width.
    cutoff
        Cycles a picture width that are kept, `f_c`.
    width
        Half-width of the transition band, `f_h`.
    """

    channels: int
    size: int
    rate: float
    cutoff: float
    width: float


@dataclass(frozen=True)
class Layer:
    """An alias-free layer: convolution, up, nonlinearity, down.

    Parameters
    ----------
    source, result
        The signals before and after.
    kernel
        Width of the convolution, which sees `kernel - 1` zeros on each side.
    radial
        Whether the filter after the nonlinearity is radial.
    filter_size
        Taps for each factor of resampling.
    """

    source: Signal
    result: Signal
    kernel: int
    radial: bool
    filter_size: int

    @property
    def rate(self) -> float:
        """Sampling rate of the nonlinearity."""
        return _OVERSAMPLING * max(self.source.rate, self.result.rate)

    @property
    def up(self) -> int:
        """Factor from the source's rate to the nonlinearity's."""
        return round(self.rate / self.source.rate)

    @property
    def down(self) -> int:
        """Factor from the nonlinearity's rate to the result's."""
        return round(self.rate / self.result.rate)

    @property
    def up_filter(self) -> Filter:
        """Keeps what the source can carry."""
        taps = self.filter_size * self.up
        return kaiser_filter(taps, self.source.cutoff, self.source.width, self.rate)

    @property
    def down_filter(self) -> Filter:
        """Keeps what the result can carry."""
        design = jinc_filter if self.radial else kaiser_filter
        taps = self.filter_size * self.down
        return design(taps, self.result.cutoff, self.result.width, self.rate)

    @property
    def padding(self) -> tuple[int, int]:
        """Zeros (before, after) once zeros are inserted, such that the centre stays the centre.

        A sample m of the result stands at `m * down + (taps of both filters - 2) / 2 - before`
        among the inserted zeros. The middle of the result, m = (size - 1) / 2, has to stand at
        the middle of the source's samples; up and down are even, so that `before` is whole.
        """
        length = self.source.size + self.kernel - 1
        taps = self.filter_size * (self.up + self.down)
        last = (self.result.size - 1) * self.down
        before = (last + taps - 2 - (length - 1) * self.up) // 2
        return before, last + taps - 1 - length * self.up - before


@dataclass(frozen=True)
class Schedule:
    """All layers of an alias-free network.

    Parameters
    ----------
    start
        What the Fourier features carry.
    layers
        The alias-free layers, the first to the last.
    picture
        What the last 1 x 1 convolution gives, without a nonlinearity.
    """

    start: Signal
    layers: tuple[Layer, ...]
    picture: Signal


def schedule(settings: GeneratorSettings) -> Schedule:
    """Lay out the layers.

    Notes
    -----
    arXiv 2106.12423, section 3.2. With N layers, of which N_c are critically sampled,
    r_i = min(i / (N - N_c), 1) and s_N the resolution,

        f_c[i] = f_c,0 (f_c,N / f_c,0)^r_i,   f_c,N = s_N / 2
        f_t[i] = f_t,0 (f_t,N / f_t,0)^r_i,   f_t,N = 2^0.3 s_N / 2
        s[i]   = the power of two, at most s_N, next above 2 f_t[i]
        f_h[i] = max(f_t[i], s[i] / 2) - f_c[i]
        C[i]   = min(cbase / 2 f_c[i], cmax)

    Rates here are s_N over a power of two, which is the same where s_N is a power of two. Canvases
    have margins on all sides, but for the last layer's and the picture.

    Examples
    --------
    >>> from generators.stylegan.settings import GeneratorSettings
    >>> made = schedule(GeneratorSettings(resolution=256))
    >>> [layer.result.size for layer in made.layers]
    [36, 36, 36, 52, 52, 84, 84, 148, 148, 148, 276, 276, 276, 256]
    """
    radial = settings.cfg == "stylegan3-r"
    signals = [_signal(settings, index) for index in range(settings.num_layers + 1)]
    layers = tuple(
        Layer(
            source=signals[max(index - 1, 0)],
            result=signals[index],
            kernel=1 if radial else 3,
            radial=radial and index < settings.num_layers - settings.num_critical,
            filter_size=settings.filter_size,
        )
        for index in range(settings.num_layers)
    )
    return Schedule(signals[0], layers, signals[-1])


def _signal(settings: GeneratorSettings, index: int) -> Signal:
    """Return what layer `index` gives; index `num_layers` is the picture."""
    share = min(index / (settings.num_layers - settings.num_critical), 1)
    highest = settings.resolution / 2
    cutoff = _between(settings.first_cutoff, highest, share)
    stopband = _between(settings.first_stopband, highest * settings.last_stopband, share)
    halvings = ceil(log2(min(2 * stopband / settings.resolution, 1)) - 1e-9)
    rate = settings.resolution * 2.0**halvings
    widening = 2 if settings.cfg == "stylegan3-r" else 1
    if index == settings.num_layers:
        channels = settings.channels
    else:
        wanted = round(widening * settings.cbase / 2 / cutoff)
        channels = max(min(wanted, widening * settings.cmax), 1)
    margins = 0 if index >= settings.num_layers - 1 else 2 * settings.margin_size
    return Signal(
        channels=channels,
        size=ceil(rate) + margins,
        rate=rate,
        cutoff=cutoff,
        width=max(stopband, rate / 2) - cutoff,
    )


def _between(first: float, last: float, share: float) -> float:
    """Return the geometric mean of two frequencies, `share` of the way from one to the other."""
    return float(first * (last / first) ** share)
