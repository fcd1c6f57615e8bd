"""How large and how long shapes are: their sizes and elongations, drawn together."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from generators.shapes import mixture
from generators.shapes.mixture import Mixture
from generators.shapes.styles import STYLES

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import ArrayLike

    from generators.polygons import Floats

COMPONENTS = 6
EACH = 50
"""Shapes to each component, at least."""
_ROUND = 0.01  # what is added to elongations, so that those of round shapes have a logarithm
_KERNEL = 0.02  # of each observation, so that any number of them can be fitted
_DIGITS = 5


@dataclass(frozen=True)
class Frames:
    """The joint distribution of sizes and elongations.

    Attributes
    ----------
    mixture
        Of ln(size) and ln(elongation - 0.99).
    """

    mixture: Mixture

    @classmethod
    def of(cls, frames: Floats) -> Frames:
        """Fit to sizes and elongations.

        Parameters
        ----------
        frames
            (N, 2) sizes, of any unit, and elongations. The median size becomes 1.

        Examples
        --------
        >>> rng = np.random.default_rng(0)
        >>> real = np.stack([rng.lognormal(3, 0.2, 900), 1 + rng.lognormal(-1, 0.5, 900)], axis=1)
        >>> made = Frames.of(real).sample(5000, rng)
        >>> np.quantile(made[:, 1], [0.1, 0.5, 0.9]).round(1).tolist()
        [1.2, 1.4, 1.7]
        """
        sizes = frames[:, 0] / np.median(frames[:, 0])
        rows = _variables(np.stack([sizes, frames[:, 1]], axis=1))
        steps = _KERNEL * np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])
        rows = np.concatenate([rows + step for step in steps])
        components = min(COMPONENTS, 1 + len(frames) // EACH)
        return cls(mixture.fitted(rows, components, np.random.default_rng(0)))

    def sample(
        self,
        n: int,
        rng: Generator,
        size: ArrayLike | None = None,
        elongation: ArrayLike | None = None,
    ) -> Floats:
        """Draw (n, 2) sizes and elongations.

        Parameters
        ----------
        n
            How many.
        rng
            What they are drawn from.
        size, elongation
            One number, or one for each, that is given: the other is drawn to go with it.
        """
        given = {k: v for k, v in enumerate((size, elongation)) if v is not None}
        frames = np.ones((n, 2))
        for column, values in given.items():
            frames[:, column] = values
        known = _variables(frames)[:, list(given)]
        rows = self.mixture.sample(n, rng, list(given), known)
        drawn = np.stack([np.exp(rows[:, 0]), np.exp(rows[:, 1]) + 1 - _ROUND], axis=1)
        for column, name in enumerate(("size", "elongation")):
            if column not in given:
                frames[:, column] = np.clip(drawn[:, column], *STYLES[name][:2])
        return frames

    def to_json(self) -> str:
        """Return the distribution as JSON."""
        parts = {
            "weights": self.mixture.weights,
            "means": self.mixture.means,
            "factors": self.mixture.factors,
        }
        return json.dumps({name: part.round(_DIGITS).tolist() for name, part in parts.items()})

    @classmethod
    def from_json(cls, text: str) -> Frames:
        """Read what `to_json` wrote.

        Raises
        ------
        ValueError, KeyError, TypeError
            If it is something else.
        """
        values = json.loads(text)
        weights, means, factors = (
            np.array(values[name], dtype=np.float64) for name in ("weights", "means", "factors")
        )
        count = weights.size
        whole = np.concatenate([weights.ravel(), means.ravel(), factors.ravel()])
        shapes = (weights.shape, means.shape, factors.shape)
        if shapes != ((count,), (count, 2), (count, 2, 2)) or not np.isfinite(whole).all():
            raise ValueError("sizes and elongations are no mixture of two variables")
        if not count or weights.min() < 0 or factors[:, [0, 1], [0, 1]].min() <= 0:
            raise ValueError("sizes and elongations have a component without a spread")
        return cls(Mixture(weights / weights.sum(), means, factors))


def _variables(frames: Floats) -> Floats:
    rows: Floats = np.log(np.stack([frames[:, 0], frames[:, 1] - 1 + _ROUND], axis=1))
    return rows
