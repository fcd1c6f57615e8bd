"""How a painter of spots is trained: what the user says."""

from __future__ import annotations

import math
from dataclasses import dataclass

from benchmark.errors import RunError


@dataclass(frozen=True)
class SpotOptions:
    """What the result depends on, beside the images.

    Parameters
    ----------
    channels
        Channels of the generator.
    layers
        Its convolutions between the first and the last.
    latent
        Numbers that say what a whole spot is like.
    noise
        Maps of noise that come in.
    ndf
        Channels of the discriminator's first layer.
    batch
        Crops a step.
    glr, dlr
        Learning rates of generator and discriminator.
    decay
        Share of the crops, at the end, over which the rates fall to nothing.
    ema_kimg
        Half-life of the averaged generator in thousands of crops.
    lambda_feat
        Weight of feature matching.
    lambda_mean
        Weight of the difference of crops that are blurred a little.
    seed
        Of all that is drawn.
    """

    channels: int = 24
    layers: int = 2
    latent: int = 8
    noise: int = 2
    ndf: int = 24
    batch: int = 16
    glr: float = 1e-3
    dlr: float = 5e-4
    decay: float = 0.4
    ema_kimg: float = 2.0
    lambda_feat: float = 1.0
    lambda_mean: float = 2.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name, (low, high) in _LIMITS.items():
            value = getattr(self, name)
            if not low <= value <= high or not math.isfinite(value):
                raise RunError(
                    f"--{name.replace('_', '-')} {value:g} is out of its limits",
                    mend=f"give it a value from {low:g} to {high:g}",
                )

    def rate(self, way: float) -> float:
        """Return what rates are multiplied by, so far on the way.

        Examples
        --------
        >>> options = SpotOptions(decay=0.4)
        >>> options.rate(0.5), options.rate(1)
        (1.0, 0.0)
        """
        return 1.0 if self.decay == 0 else min((1 - way) / self.decay, 1.0)


_LIMITS = {
    "channels": (1, 256),
    "layers": (1, 16),
    "latent": (1, 256),
    "noise": (1, 32),
    "ndf": (1, 256),
    "batch": (1, 256),
    "glr": (0, 0.1),
    "dlr": (0, 0.1),
    "decay": (0, 1),
    "ema_kimg": (0.001, 1000),
    "lambda_feat": (0, 1000),
    "lambda_mean": (0, 1000),
    "seed": (0, 2**62),
}


@dataclass(frozen=True)
class SpotCourse:
    """How long it goes, and what is shown; of these only `kimg` changes what is learned.

    Parameters
    ----------
    kimg
        Thousands of crops to learn from in all.
    tick
        Thousands of crops between checkpoints and lines of statistics.
    snap
        Ticks between snapshots and metrics.
    threads
        Processor threads; by default one a processor. With 1, the same bytes come out each time.
    """

    kimg: float = 45.0
    tick: float = 5.0
    snap: int = 5
    threads: int | None = None

    def __post_init__(self) -> None:
        for name in ("kimg", "tick", "snap"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise RunError(f"--{name} {value:g} is not above 0")
