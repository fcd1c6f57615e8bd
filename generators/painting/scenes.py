"""A scene's nuclei painted, on the canvas that they lie on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from generators.painting.conditioning import CODES
from generators.painting.painter import MARGIN, Light, named
from generators.polygons import area
from generators.texture import Shading

if TYPE_CHECKING:
    from generators.scene import Canvas
    from generators.seeds import Seed

_MEASURED = Shading()
"""With these dials differences between nuclei, and in them, are as in real images."""


def light(canvas: Canvas, shading: Shading, seed: Seed, *, condensed: float) -> Light:
    """Paint the nuclei of a canvas.

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
    Light
        Of the canvas's shape: painted in the frame and a margin about it, beyond which there is
        no signal, and the background of the margin's rim.
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
    made = painter.paint(labels, seed.at("painter"), codes=codes, mood=mood)
    around = [(part.start, n - part.stop) for part, n in zip(window, canvas.top.shape, strict=True)]
    return Light(np.pad(made.signal, around), np.pad(made.background, around, mode="edge"))
