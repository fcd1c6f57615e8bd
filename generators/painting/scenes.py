"""A scene's nuclei painted, on the canvas that they lie on."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from generators.painting.conditioning import CODES
from generators.painting.painter import MARGIN, Light, named
from generators.polygons import area
from generators.texture import Shading

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from generators.painting.painter import Mood, Painter
    from generators.polygons import Floats
    from generators.scene import Canvas
    from generators.seeds import Seed

_MEASURED = Shading()
"""With these dials differences between nuclei, and in them, are as in real images."""


class Painting(NamedTuple):
    """What is painted of a canvas.

    Attributes
    ----------
    painter
        Who paints.
    labels
        (Y, X) of the part that is painted.
    codes
        (N + 1, K) by label.
    mood
        That they were drawn in.
    seed
        The stream of the painter.
    around
        Px of the canvas beyond that part, for each axis before and after.
    """

    painter: Painter
    labels: NDArray[np.integer]
    codes: Floats
    mood: Mood
    seed: Seed
    around: tuple[tuple[int, int], ...]

    def light(self) -> Light:
        """Paint: of the canvas's shape, no signal beyond the part, its rim's background there."""
        made = self.painter.paint(self.labels, self.seed, codes=self.codes, mood=self.mood)
        return Light(
            np.pad(made.signal, self.around), np.pad(made.background, self.around, mode="edge")
        )


def light(canvas: Canvas, shading: Shading, seed: Seed, *, condensed: float) -> Light:
    """Paint the nuclei of a canvas, as `painting` prepares it."""
    return painting(canvas, shading, seed, condensed=condensed).light()


def painting(canvas: Canvas, shading: Shading, seed: Seed, *, condensed: float) -> Painting:
    """Draw what the nuclei of a canvas are like.

    What a nucleus is like follows from its own stream, so it stays the same when others come or go
    that leave the share of the frame that nuclei cover about as it was.

    Parameters
    ----------
    canvas
        Where nuclei lie.
    shading
        Its painter; and `brightness_variation` and `texture`, of which the painter's images have
        the defaults' worth.
    seed
        The stream of the scene.
    condensed
        How much brighter condensed nuclei are.

    Returns
    -------
    Painting
        Of the frame and a margin about it.
    """
    painter = named(shading.painter)
    rim = min(canvas.pad, MARGIN)
    window = tuple(slice(part.start - rim, part.stop + rim) for part in canvas.frame)
    labels = canvas.top[window]
    areas = [abs(area(nucleus.outline)) for nucleus in canvas.nuclei]
    mood = painter.mood(
        float((canvas.top[canvas.frame] > 0).mean()),
        seed.at("painter"),
        area=float(np.median(areas)) if areas else None,
    )
    codes = np.zeros((len(canvas.nuclei) + 1, CODES))
    seen = set(np.unique(labels).tolist())
    for number, nucleus in enumerate(canvas.nuclei, start=1):
        if number not in seen:
            continue
        codes[number] = painter.code(
            mood,
            areas[number - 1],
            seed.at("shading", nucleus.index),
            variation=shading.brightness_variation / _MEASURED.brightness_variation,
            texture=shading.texture / _MEASURED.texture,
            brightness=condensed if nucleus.condensed else 1.0,
        )
    around = tuple(
        (part.start, n - part.stop) for part, n in zip(window, canvas.top.shape, strict=True)
    )
    return Painting(painter, labels, codes, mood, seed.at("painter"), around)
