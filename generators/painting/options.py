"""How a painter is trained: what the user says."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Literal

from benchmark.errors import RunError


@dataclass(frozen=True)
class Options:
    """What the result depends on, beside the images.

    Parameters
    ----------
    ngf
        Channels of the generator at full size.
    downs
        Halvings.
    blocks
        Residual blocks at the smallest size.
    noise
        Maps of noise that come in at each size.
    ndf
        Channels of the discriminator's first layer.
    scales
        Sizes that it looks at.
    crop
        Height and width in px of what is learned from.
    batch
        Pictures painted a step: two, with other noise, of each crop.
    late_crop
        Height and width in px of later crops, as many fewer of them a step as they are larger.
    late
        Share of the pictures, at the end, that are painted from late crops; 0: none.
    glr, dlr
        Learning rates of generator and discriminator.
    decay
        Share of the pictures, at the end, over which the rates fall to nothing.
    ema_kimg
        Half-life of the averaged generator in thousands of pictures.
    lambda_feat
        Weight of feature matching.
    lambda_mean
        Weight of the difference of pictures whose 8 by 8 px are averaged.
    lambda_codes
        Weight of differences in the objects' brightness, unevenness and grain.
    lambda_edge
        Weight of the difference near outlines, of pictures that are blurred a little.
    camera
        common: all images have noise and sharpness in common; image: each has its own, and of each
        object the sharpness of its image is known in place of its grain.
    seed
        Of all that is drawn.
    """

    ngf: int = 16
    downs: int = 3
    blocks: int = 5
    noise: int = 2
    ndf: int = 16
    scales: int = 2
    crop: int = 128
    batch: int = 4
    late_crop: int = 256
    late: float = 0.0
    glr: float = 5e-4
    dlr: float = 1e-3
    decay: float = 0.4
    ema_kimg: float = 1.0
    lambda_feat: float = 1.0
    lambda_mean: float = 5.0
    lambda_codes: float = 1.5
    lambda_edge: float = 2.0
    camera: Literal["common", "image"] = "common"
    seed: int = 0

    def __post_init__(self) -> None:
        for name, (low, high) in _LIMITS.items():
            value = getattr(self, name)
            if not low <= value <= high or not math.isfinite(value):
                raise RunError(
                    f"--{name.replace('_', '-')} {value:g} is out of its limits",
                    mend=f"give it a value from {low:g} to {high:g}",
                )
        if self.batch % 2:
            raise RunError(f"--batch {self.batch} is odd", mend="each crop is painted twice")
        for name in ("crop", "late_crop"):
            if getattr(self, name) % 2**self.downs:
                raise RunError(
                    f"--{name.replace('_', '-')} {getattr(self, name)} cannot be halved "
                    f"{self.downs} times",
                    mend=f"take a multiple of {2**self.downs}",
                )

    @property
    def largest(self) -> int:
        """Height and width in px of the largest crops."""
        return max(self.crop, self.late_crop) if self.late > 0 else self.crop

    def at(self, way: float) -> tuple[int, int, float]:
        """Return size and number of crops, and what rates are multiplied by, so far on the way.

        Examples
        --------
        >>> options = Options(late=0.25, decay=0.4)
        >>> options.at(0.5), options.at(1)
        ((128, 4, 1.0), (256, 2, 0.0))
        """
        rate = 1.0 if self.decay == 0 else min((1 - way) / self.decay, 1.0)
        if way < 1 - self.late or self.late == 0:
            return self.crop, self.batch, rate
        fewer = round(self.batch / 2 * (self.crop / self.late_crop) ** 2)
        return self.late_crop, 2 * max(fewer, 1), rate


_LIMITS = {
    "ngf": (1, 256),
    "downs": (1, 6),
    "blocks": (1, 32),
    "noise": (1, 32),
    "ndf": (1, 256),
    "scales": (1, 4),
    "crop": (32, 1024),
    "batch": (2, 256),
    "late_crop": (32, 1024),
    "late": (0, 1),
    "glr": (0, 0.1),
    "dlr": (0, 0.1),
    "decay": (0, 1),
    "ema_kimg": (0.001, 1000),
    "lambda_feat": (0, 1000),
    "lambda_mean": (0, 1000),
    "lambda_codes": (0, 1000),
    "lambda_edge": (0, 1000),
    "seed": (0, 2**62),
}
assert set(_LIMITS) == {field.name for field in fields(Options)} - {"camera"}


@dataclass(frozen=True)
class Course:
    """How long it goes, and what is shown; of these only `kimg` changes what is learned.

    Parameters
    ----------
    kimg
        Thousands of pictures to paint in all.
    tick
        Thousands of pictures between checkpoints and lines of statistics.
    snap
        Ticks between snapshots and metrics.
    measured
        Images, evenly taken, that are painted anew and measured at each snapshot; 0: none.
    threads
        Processor threads; by default one a processor. With 1, the same bytes come out each time.
    """

    kimg: float = 4.5
    tick: float = 0.2
    snap: int = 5
    measured: int = 8
    threads: int | None = None

    def __post_init__(self) -> None:
        for name in ("kimg", "tick", "snap"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise RunError(f"--{name} {value:g} is not above 0")
        if self.measured < 0:
            raise RunError(f"--measured {self.measured} is below 0")
