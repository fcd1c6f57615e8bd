"""What a network is made of: plain numbers that are checked, and that go with its weights."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Literal, TypeVar, get_args

Cfg = Literal["stylegan3-t", "stylegan3-r", "stylegan2"]


@dataclass(frozen=True)
class GeneratorSettings:
    """What a generator is made of.

    Parameters
    ----------
    resolution
        Height and width of its pictures, any number from 8 on.
    channels
        1 for grey.
    cfg
        `stylegan3-t` (equivariant to translation), `stylegan3-r` (to rotation too), `stylegan2`.
    cbase
        A layer has `cbase / 2 f_c` channels, f_c its cutoff (`cbase / size` in `stylegan2`) ...
    cmax
        ... and at most this many. `stylegan3-r` has twice as many of both.
    z_dim, w_dim, c_dim
        Lengths of latent, style and class vectors; `c_dim = 0`: no classes.
    mapping_depth
        Layers of the mapping network; None for 2, in `stylegan2` 8.
    mapping_rate
        What the learning rate of the mapping network is multiplied by.
    num_layers, num_critical
        Alias-free layers without input and output, and how many of them, at the end, have a cutoff
        of half the sampling rate.
    margin_size
        Samples around the picture in which alias-free layers see beyond its border.
    first_cutoff, first_stopband, last_stopband
        Frequencies in cycles a picture where the first layer's passband and transition end; the
        last layer's transition ends at `last_stopband` times half the resolution.
    filter_size
        Taps of a low-pass filter for each factor of its resampling.
    output_scale
        What the last layer's output is multiplied by.
    clamp
        Activations are held within this.

    Raises
    ------
    ValueError
        A number is out of its limits.

    Examples
    --------
    >>> small = GeneratorSettings(resolution=64, cbase=512, cmax=32)
    >>> small.depth, GeneratorSettings.from_json(small.to_json()) == small
    (2, True)
    """

    resolution: int
    channels: int = 1
    cfg: Cfg = "stylegan3-t"
    cbase: int = 32768
    cmax: int = 512
    z_dim: int = 512
    w_dim: int = 512
    c_dim: int = 0
    mapping_depth: int | None = None
    mapping_rate: float = 0.01
    num_layers: int = 14
    num_critical: int = 2
    margin_size: int = 10
    first_cutoff: float = 2.0
    first_stopband: float = 2**2.1
    last_stopband: float = 2**0.3
    filter_size: int = 6
    output_scale: float = 0.25
    clamp: float = 256.0

    def __post_init__(self) -> None:
        if self.cfg not in get_args(Cfg):
            raise ValueError(f"cfg {self.cfg!r} is none of {', '.join(get_args(Cfg))}")
        _within(self, "resolution", 8, 4096)
        for name in ("channels", "z_dim", "w_dim", "cmax"):
            _within(self, name, 1, 2**14)
        _within(self, "cbase", 1, 2**24)
        _within(self, "c_dim", 0, 2**14)
        _within(self, "depth", 1, 64)
        _within(self, "num_layers", 3, 64)
        _within(self, "num_critical", 1, self.num_layers - 1)
        _within(self, "margin_size", 0, 256)
        _within(self, "filter_size", 1, 64)
        _within(self, "first_cutoff", 0.5, self.resolution / 2)
        _within(self, "first_stopband", self.first_cutoff, self.resolution)
        for name in ("mapping_rate", "last_stopband", "output_scale", "clamp"):
            _within(self, name, 1e-6, 1e6)

    @property
    def depth(self) -> int:
        """Layers of the mapping network."""
        if self.mapping_depth is not None:
            return self.mapping_depth
        return 8 if self.cfg == "stylegan2" else 2

    def to_json(self) -> str:
        """Return the settings as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> GeneratorSettings:
        """Read what `to_json` wrote; a ValueError says what is wrong with it."""
        return _read(cls, text)


@dataclass(frozen=True)
class DiscriminatorSettings:
    """What a discriminator is made of.

    Parameters
    ----------
    resolution, channels, c_dim
        As of the generator.
    cbase, cmax
        A block at size s has `cbase / s` channels, at most `cmax`.
    mapping_depth
        Layers of the network that maps classes.
    group
        Samples over which the minibatch's standard deviation is taken.
    clamp
        Activations are held within this.

    Raises
    ------
    ValueError
        A number is out of its limits.
    """

    resolution: int
    channels: int = 1
    cbase: int = 32768
    cmax: int = 512
    c_dim: int = 0
    mapping_depth: int = 8
    group: int = 4
    clamp: float = 256.0

    def __post_init__(self) -> None:
        _within(self, "resolution", 8, 4096)
        for name in ("channels", "cmax", "group"):
            _within(self, name, 1, 2**14)
        _within(self, "cbase", 1, 2**24)
        _within(self, "c_dim", 0, 2**14)
        _within(self, "mapping_depth", 1, 64)
        _within(self, "clamp", 1e-6, 1e6)

    def to_json(self) -> str:
        """Return the settings as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> DiscriminatorSettings:
        """Read what `to_json` wrote; a ValueError says what is wrong with it."""
        return _read(cls, text)


Settings = TypeVar("Settings", GeneratorSettings, DiscriminatorSettings)


def pyramid(resolution: int) -> tuple[int, ...]:
    """Return the sizes of StyleGAN2's blocks, halved while at least 4 are left.

    An odd size is halved upwards: the smaller picture covers all of the larger one.

    Examples
    --------
    >>> pyramid(64), pyramid(50)
    ((64, 32, 16, 8, 4), (50, 25, 13, 7, 4))
    """
    sizes = [resolution]
    while (half := (sizes[-1] + 1) // 2) >= 4:
        sizes.append(half)
    return tuple(sizes)


def _within(settings: object, name: str, low: float, high: float) -> None:
    value = getattr(settings, name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise ValueError(f"{name} = {value!r} is not between {low:g} and {high:g}")


def _read(cls: type[Settings], text: str) -> Settings:
    values = json.loads(text)
    if not isinstance(values, dict):
        raise ValueError("settings are a JSON object")  # noqa: TRY004 - of a file, not of a caller
    whole = {field.name for field in fields(cls) if str(field.type).startswith("int")}
    for name, value in values.items():
        if name in whole and not isinstance(value, (int, type(None))):
            raise ValueError(f"{name} = {value!r} is no whole number")
    try:
        return cls(**values)
    except TypeError as error:
        raise ValueError(f"settings of another kind: {error}") from error
