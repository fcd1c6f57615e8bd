"""A scene as a picture: layers of light, optics, one camera; and the truth that goes with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from generators import cells as cell_layer
from generators import optics as light_path
from generators import spots as spot_layer
from generators.camera import expose
from generators.exposure import electrons_for, snr_of
from generators.polygons import coverage, window_of
from generators.scene import lay_out
from generators.texture import shade
from generators.truth import Light, Truth, object_table, spot_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from generators.camera import Camera
    from generators.cells import Cells, Grown
    from generators.optics import Optics
    from generators.outlines import Shape
    from generators.polygons import Floats
    from generators.scene import Canvas, Layout
    from generators.seeds import Seed
    from generators.spots import SpotList, Spots
    from generators.texture import Shading


@dataclass(frozen=True)
class Settings:
    """Every dial of one scene, drawn.

    Attributes
    ----------
    shape
        Height and width of the frame in px.
    channels
        For each channel its layers: "nuclei", "cells", "spots".
    """

    shape: tuple[int, int]
    channels: Mapping[str, tuple[str, ...]]
    layout: Layout
    nuclei: Shape
    shading: Shading
    optics: Optics
    camera: Camera
    cells: Cells | None = None
    spots: Spots | None = None


@dataclass(frozen=True)
class Rendered:
    """A rendered scene.

    Attributes
    ----------
    image
        (C, Y, X) uint16, grey levels.
    expected
        (C, Y, X) float64, the same without noise, rounding and saturation.
    labels
        By target, (Y, X) uint16.
    objects, spots
        The tables, as a data set's writer takes them.
    gains
        Grey levels an electron, for each channel.
    """

    image: NDArray[np.uint16]
    expected: Floats
    labels: Mapping[str, NDArray[np.uint16]]
    objects: pd.DataFrame
    spots: pd.DataFrame
    gains: tuple[float, ...]


@dataclass(frozen=True)
class Shot:
    """One channel's picture and what was measured of the objects before the noise."""

    image: NDArray[np.uint16]
    expected: Floats
    gain: float
    lights: Mapping[str, Light]


def render(settings: Settings, seed: Seed) -> Rendered:
    """Render a scene.

    Geometry, shading and noise come from streams of their own below `seed`: a dial that one of them
    does not use leaves it as it was, so one scene can be rendered again with that dial turned.
    """
    canvas, grown = _compose(settings, seed)
    truth = Truth.of(canvas, grown)
    spots = None if settings.spots is None else _scattered(settings.spots, canvas, grown, seed)
    shots = {}
    for name, layers in settings.channels.items():
        light = {
            "nuclei": lambda: _nuclei_light(canvas, settings, seed),
            "cells": lambda: _cell_light(canvas, grown, settings, seed),
        }
        signal = np.zeros(canvas.top.shape)
        for layer in layers:
            if layer in light:
                signal += light[layer]()
        photons = np.zeros(settings.shape)
        if spots is not None and "spots" in layers:
            photons = spot_layer.draw(spots, settings.shape)
        shots[name] = _shoot(signal, photons, layers, settings, canvas, truth, seed.at(name))
    lights: dict[str, Light] = {}
    for shot in shots.values():
        lights = {**shot.lights, **lights}  # an object's light is that of the first channel with it
    return Rendered(
        np.stack([shot.image for shot in shots.values()]),
        np.stack([shot.expected for shot in shots.values()]),
        truth.labels,
        object_table(truth, lights),
        spot_table(spots, truth, settings),
        tuple(shot.gain for shot in shots.values()),
    )


def _compose(settings: Settings, seed: Seed) -> tuple[Canvas, Grown | None]:
    """Lay out the nuclei of a scene and grow the cells round them."""
    diameter, cells = settings.nuclei.diameter, settings.cells
    reach = 0.0 if cells is None else 2 * cells.reach
    pad = int(np.ceil((1.5 + reach) * diameter))
    canvas = lay_out(settings.shape, settings.layout, settings.nuclei, seed.at("layout"), pad=pad)
    if cells is None:
        return canvas, None
    seeds = [seed.at("cell", nucleus.index) for nucleus in canvas.nuclei]
    return canvas, cell_layer.grow(canvas.top, canvas.centres + pad, diameter, cells, seeds)


def _scattered(spots: Spots, canvas: Canvas, grown: Grown | None, seed: Seed) -> SpotList:
    """Scatter spots over the canvas; positions are in px of the frame."""
    inside = grown.labels if grown is not None and spots.inside == "cells" else canvas.top
    scattered = spot_layer.scatter(spots, inside, seed.at("spots").generator())
    return scattered._replace(positions=scattered.positions - canvas.pad)


def _nuclei_light(canvas: Canvas, settings: Settings, seed: Seed) -> Floats:
    """Return the light of all nuclei on the canvas, from the lowest to the one on top."""
    light: Floats = np.zeros(canvas.top.shape)
    for nucleus in sorted(canvas.nuclei, key=lambda nucleus: nucleus.height):
        vertices = nucleus.outline + canvas.pad
        window = window_of(vertices, margin=1).clipped(*canvas.top.shape)
        cover = coverage(vertices, window)
        rng = seed.at("shading", nucleus.index).generator()
        own = shade(cover, settings.shading, settings.nuclei.diameter, rng)
        if nucleus.condensed:
            own = own * CONDENSED
        below = light[window.slices]
        light[window.slices] = below * (1 - settings.shading.opacity * cover) + own
    return light


CONDENSED = 2.0
"""How much brighter a condensed nucleus is."""


def _cell_light(canvas: Canvas, grown: Grown | None, settings: Settings, seed: Seed) -> Floats:
    if grown is None or settings.cells is None:
        return np.zeros(canvas.top.shape)
    numbers = [nucleus.index for nucleus in canvas.nuclei]
    return cell_layer.light(
        grown, canvas.top, settings.nuclei.diameter, settings.cells, seed.at("cells"), numbers
    )


def _shoot(
    signal: Floats,
    photons: Floats,
    layers: tuple[str, ...],
    settings: Settings,
    canvas: Canvas,
    truth: Truth,
    seed: Seed,
) -> Shot:
    """Take the picture of one channel from the light of its layers on the canvas."""
    optics, camera = settings.optics, settings.camera
    shape = canvas.top.shape
    base = light_path.background(shape, optics, seed.at("background").generator())
    if "nuclei" in layers:
        base += light_path.debris(shape, optics, seed.at("debris").generator())
    lit = light_path.illumination(settings.shape, optics, seed.at("illumination").generator())
    over = lit * light_path.blurred(signal, optics)[canvas.frame]
    under = lit * base[canvas.frame]

    targets = [layer for layer in layers if layer in truth.labels]
    means = {target: (truth.mean(over, target), truth.mean(under, target)) for target in targets}
    # A channel without objects, or of spots alone, gets the light that an even one would need.
    plain = np.ones(1), np.full(1, optics.background)
    measured = means[targets[0]] if targets and means[targets[0]][0].size else plain
    scale = electrons_for(optics.snr, *measured, camera.read_noise)
    gain = camera.gain_for(scale * (float(np.median(measured[0])) + optics.background))
    electrons = scale * (over + under) + camera.quantum_efficiency * photons
    image, expected = expose(electrons, camera, gain, seed.at("noise").generator())
    lights = {
        target: Light(gain * scale * m, snr_of(scale * m, scale * b, camera.read_noise))
        for target, (m, b) in means.items()
    }
    return Shot(image, expected, gain, lights)
