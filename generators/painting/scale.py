"""Grey levels as networks see them: logarithms, so that dim and bright nuclei weigh the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

CONTRAST = 2.6
"""Natural logarithms of light to one unit of what networks see."""
_STEPS = 8.0
_LEAST = 1.0  # grey levels above the offset that darker pixels are taken to have


@dataclass(frozen=True)
class Scale:
    """What grey level stands for what.

    Parameters
    ----------
    offset
        Grey level, below all but stray pixels, that logarithms start from.
    level
        Logarithm of the grey levels above it that become 0.

    Examples
    --------
    >>> scale = Scale(offset=90, level=5.8)
    >>> scale.seen(np.array([155.0, 600.0])).round(3).tolist()
    [-0.625, 0.167]
    >>> scale.grey(scale.seen(np.array([155.0, 600.0]))).round(3).tolist()
    [155.0, 600.0]
    """

    offset: float
    level: float

    @classmethod
    def of(cls, dark: float, bright: float) -> Scale:
        """Return the scale for images of these typical levels of ground and objects.

        The offset lies as far below the ground as a seventh of the objects' light above it, and at
        least eight grey levels, which keeps the logarithm of the ground's noise small; the middle
        of the two becomes 0.

        Examples
        --------
        >>> scale = Scale.of(dark=155, bright=600)
        >>> [round(float(y), 2) for y in scale.seen(np.array([155.0, 600.0]))]
        [-0.4, 0.4]
        """
        offset = dark - max((bright - dark) / 7, _STEPS)
        level = (np.log(dark - offset) + np.log(bright - offset)) / 2
        return cls(float(offset), float(level))

    def seen(self, grey: ArrayLike) -> NDArray[np.float64]:
        """Return what networks see of grey levels."""
        above = np.maximum(np.asarray(grey, dtype=np.float64) - self.offset, _LEAST)
        value: NDArray[np.float64] = (np.log(above) - self.level) / CONTRAST
        return value

    def grey(self, seen: ArrayLike) -> NDArray[np.float64]:
        """Return grey levels of what networks see."""
        value: NDArray[np.float64] = self.offset + np.exp(CONTRAST * np.asarray(seen) + self.level)
        return value
