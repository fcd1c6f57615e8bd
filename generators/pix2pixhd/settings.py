"""What a network is made of: plain numbers that are checked, and that go with its weights."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Literal, get_args

Norm = Literal["instance", "batch"]
NetG = Literal["global", "local"]


@dataclass(frozen=True)
class GeneratorSettings:
    """What a generator is made of.

    Parameters
    ----------
    input_nc
        Channels of all that it sees: label maps or pictures, edges, codes of instances.
    output_nc
        Channels of its pictures.
    net_g
        `global`, or `local` with enhancers round the global one.
    ngf
        Channels of the first layer.
    n_downsample_global
        Halvings of the global generator.
    n_blocks_global
        Residual blocks of the global generator.
    n_local_enhancers
        Enhancers, each of which doubles the size; of no meaning in `global`.
    n_blocks_local
        Residual blocks of an enhancer.
    norm
        `instance` or `batch`.

    Raises
    ------
    ValueError
        A number is out of its limits.

    Examples
    --------
    >>> made = GeneratorSettings(36, 3, net_g="local", ngf=32)
    >>> made.multiple, GeneratorSettings.from_json(made.to_json()) == made
    (32, True)
    """

    input_nc: int
    output_nc: int
    net_g: NetG = "global"
    ngf: int = 64
    n_downsample_global: int = 4
    n_blocks_global: int = 9
    n_local_enhancers: int = 1
    n_blocks_local: int = 3
    norm: Norm = "instance"

    def __post_init__(self) -> None:
        for name, known in (("net_g", get_args(NetG)), ("norm", get_args(Norm))):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} = {getattr(self, name)!r} is none of {', '.join(known)}")
        for name in ("input_nc", "output_nc", "ngf"):
            _within(self, name, 1, 2**12)
        for name in ("n_downsample_global", "n_local_enhancers"):
            _within(self, name, 1, 8)
        for name in ("n_blocks_global", "n_blocks_local"):
            _within(self, name, 0, 64)

    @property
    def halvings(self) -> int:
        """How often the size is halved on the way in."""
        return self.n_downsample_global + (self.n_local_enhancers if self.net_g == "local" else 0)

    @property
    def multiple(self) -> int:
        """What height and width of what it sees are multiples of."""
        return int(2**self.halvings)

    def to_json(self) -> str:
        """Return the settings as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> GeneratorSettings:
        """Read what `to_json` wrote; a ValueError says what is wrong with it."""
        values = json.loads(text)
        if not isinstance(values, dict) or not values.keys() <= {f.name for f in fields(cls)}:
            raise ValueError("settings of another kind")
        try:
            return cls(**values)
        except TypeError as error:
            raise ValueError(f"settings of another kind: {error}") from error


@dataclass(frozen=True)
class Inputs:
    """What a generator sees, one below the other in its channels.

    Parameters
    ----------
    label_nc
        Labels, each a channel of zeros and ones; 0: it sees pictures.
    input_nc
        Channels of those pictures; of no meaning with labels.
    edges
        Whether the edges of instances are a channel.
    feat_num
        Channels of codes, one vector an instance; 0: none.
    label_feat
        Whether codes are those of labels, not of instances.

    Raises
    ------
    ValueError
        A number is out of its limits.

    Examples
    --------
    >>> Inputs(label_nc=35).channels, Inputs(label_nc=0, input_nc=1, edges=False).channels
    (36, 1)
    """

    label_nc: int = 35
    input_nc: int = 3
    edges: bool = True
    feat_num: int = 0
    label_feat: bool = False

    def __post_init__(self) -> None:
        _within(self, "label_nc", 0, 2**12)
        _within(self, "input_nc", 1, 2**12)
        _within(self, "feat_num", 0, 2**8)
        if self.label_feat and not (self.feat_num and self.label_nc):
            raise ValueError("label_feat needs labels, and feat_num above 0")

    @property
    def conditions(self) -> int:
        """Channels that both generator and discriminator see."""
        return (self.label_nc or self.input_nc) + self.edges

    @property
    def channels(self) -> int:
        """Channels that the generator sees."""
        return self.conditions + self.feat_num


def _within(settings: object, name: str, low: int, high: int) -> None:
    value = getattr(settings, name)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name} = {value!r} is not a whole number between {low} and {high}")
