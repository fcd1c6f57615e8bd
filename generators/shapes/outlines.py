"""Learned outlines: elliptic Fourier coefficients drawn from a mixture fitted to real ones.

A shape is a row of numbers: ln(diameter), ln(ratio of the axes of its first harmonic), and the real
and imaginary parts of its further coefficients at a diameter of 1. Half turns and mirror images of
a shape are as likely as the shape itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np

from generators.errors import ShapeError
from generators.polygons import area, is_simple
from generators.shapes import fourier
from generators.shapes.geometry import moments, posed
from generators.shapes.mixture import Mixture, fitted
from generators.shapes.styles import restyled, styled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.random import Generator
    from numpy.typing import ArrayLike

    from generators.polygons import Floats

SHIPPED = Path(__file__).with_name("models") / "outlines.npz"
HARMONICS, COMPONENTS = 13, 64
VERTICES = 128
_ARRAYS = ("mean", "deviation", "weights", "means", "factors")
_MEND = "name a file that `bench train outlines` wrote"
ROUNDS = 50
"""Times that what crosses itself is drawn anew before that is an error."""


@dataclass(frozen=True)
class OutlineModel:
    """What the source knows of real outlines.

    Attributes
    ----------
    mean, deviation
        (D,) of the variables, which the mixture has at zero mean and unit variance.
    mixture
        Of D = 4 · harmonics - 2 variables.
    """

    mean: Floats
    deviation: Floats
    mixture: Mixture

    @classmethod
    def fit(
        cls,
        stack: Floats,
        rng: Generator,
        *,
        harmonics: int = HARMONICS,
        components: int = COMPONENTS,
    ) -> OutlineModel:
        """Fit to real outlines.

        Parameters
        ----------
        stack
            (N, V, 2) outlines in even steps, in units of their median diameter.
        rng
            Where the mixture begins.
        harmonics, components
            Of the outlines; of the mixture.
        """
        rows = variables(stack, harmonics)
        mean, deviation = rows.mean(axis=0), rows.std(axis=0)
        mixture = fitted((rows - mean) / deviation, components, rng, images=4)
        return cls(mean, deviation, mixture)

    def sample(self, n: int, rng: Generator, known: Mapping[int, Floats]) -> Floats:
        """Draw (n, D) variables, as `variables` returns them; the first two may be known.

        Parameters
        ----------
        n
            How many.
        rng
            What they are drawn from.
        known
            By column, 0 or 1, its n values.
        """
        columns = list(known)
        at = np.column_stack([np.zeros((n, 0)), *known.values()])
        at = (at - self.mean[columns]) / self.deviation[columns]
        return self.mean + self.deviation * self.mixture.sample(n, rng, columns, at)

    @classmethod
    def load(cls, path: Path) -> OutlineModel:
        """Read a model from the file that `save` wrote; nothing in it is executed.

        Raises
        ------
        ShapeError
            If the file is missing, or no such model.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = {name: file[name].astype(np.float64) for name in _ARRAYS}
        except (OSError, ValueError, KeyError, AttributeError, BadZipFile) as error:
            raise ShapeError(
                "there is no model of outlines in this file", where=path, mend=_MEND
            ) from error
        width = arrays["mean"].size
        factors = np.zeros((arrays["weights"].size, width, width))
        factors[:, *np.tril_indices(width)] = arrays["factors"]
        mixture = Mixture(arrays["weights"] / arrays["weights"].sum(), arrays["means"], factors)
        return cls(arrays["mean"], arrays["deviation"], mixture)

    def save(self, path: Path) -> None:
        """Write the model, its factors in half precision."""
        lower = self.mixture.factors[:, *np.tril_indices(self.mean.size)]
        np.savez_compressed(
            path,
            mean=self.mean.astype(np.float32),
            deviation=self.deviation.astype(np.float32),
            weights=self.mixture.weights.astype(np.float32),
            means=self.mixture.means.astype(np.float32),
            factors=lower.astype(np.float16),
        )


def variables(stack: Floats, harmonics: int) -> Floats:
    """Return the (4 N, 4 · harmonics - 2) variables of outlines and of their mirror images.

    A nucleus has no side of its own: turned by half a circle, mirrored, or both, it is as likely.
    """
    diameters = moments(stack).diameter
    found = fourier.analysed(stack / diameters[:, None, None], harmonics)
    both = np.concatenate([found, fourier.mirrored(found)])
    every = np.concatenate([both, fourier.half_turned(both)])
    first, second = every[:, 0].real, every[:, 1].real
    ratio = np.log((first + second) / (first - second))
    rest = every[:, 2:]
    return np.column_stack([np.tile(np.log(diameters), 4), ratio, rest.real, rest.imag])


def coefficients(rows: Floats) -> fourier.Coefficients:
    """Return the (N, 2 · harmonics) coefficients, at a diameter of about 1, of variables."""
    ellipse = fourier.ellipse_coefficients(np.exp(np.abs(rows[:, 1])))
    real, imaginary = np.split(rows[:, 2:], 2, axis=1)
    return np.concatenate([ellipse, real + 1j * imaginary], axis=1)


def _is_sound(outline: Floats) -> bool:
    """Tell whether an outline is simple and runs counter-clockwise."""
    return area(outline) > 0 and is_simple(outline)


class OutlineSource:
    """Outlines as real nuclei have them.

    Parameters
    ----------
    model
        What was learned; default: the shipped model.
    """

    name = "outlines"
    styles: tuple[str, ...] = ("size", "elongation", "irregularity")

    def __init__(self, model: OutlineModel | None = None) -> None:
        self.model = model or OutlineModel.load(SHIPPED)

    def sample(self, n: int, rng: Generator, **style: ArrayLike) -> list[Floats]:
        """Draw outlines; see `ShapeSource.sample`.

        `size` and `elongation` are drawn for, so that the dents of long shapes are those of long
        shapes; a stretch then makes the elongation exact.
        """
        given = styled(n, style, self.styles)
        stack = np.empty((n, VERTICES, 2))
        missing = np.arange(n)
        for _ in range(ROUNDS):
            made = self._drawn(missing.size, rng, {k: v[missing] for k, v in given.items()})
            stack[missing] = made
            missing = missing[[not _is_sound(outline) for outline in made]]
            if not missing.size:
                return list(stack)
        raise ShapeError(
            f"every outline of this style crossed itself in {ROUNDS} tries",
            mend="ask for less irregularity or less elongation",
        )

    def crossing(self, n: int, rng: Generator, **style: ArrayLike) -> float:
        """Return the share of n draws that cross themselves, which `sample` draws anew."""
        made = self._drawn(n, rng, styled(n, style, self.styles))
        return float(np.mean([not _is_sound(outline) for outline in made]))

    def _drawn(self, n: int, rng: Generator, given: Mapping[str, Floats]) -> Floats:
        """Draw a stack of outlines, some of which may cross themselves."""
        columns = {"size": 0, "elongation": 1}
        known = {columns[name]: np.log(v) for name, v in given.items() if name in columns}
        rows = self.model.sample(n, rng, known)
        found = coefficients(rows)
        # One of the images of what the mixture gives; half turns are among the directions drawn.
        found = np.where(rng.random((n, 1)) < 0.5, found, fourier.mirrored(found))
        stack = fourier.synthesised(found, VERTICES)
        angles = rng.uniform(0, 2 * np.pi, n)
        # A curve wound the wrong way has no diameter; it becomes NaN, and is drawn anew.
        with np.errstate(invalid="ignore"):
            drawn = posed(stack, np.exp(rows[:, 0]), angles)
            return restyled(drawn, given) if given else drawn
