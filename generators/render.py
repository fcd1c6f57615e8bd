"""A scene as a picture: layers of light, optics, one camera; and the truth that goes with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from generators import cells as cell_layer
from generators import distractors as distractor_layer
from generators import optics as light_path
from generators import spots as spot_layer
from generators.camera import expose, hot, saturating_sum
from generators.exposure import electrons_for, snr_of
from generators.painting import scenes
from generators.polygons import coverage, window_of
from generators.scene import lay_out
from generators.seeds import Seed
from generators.spottexture import painter as spot_painters
from generators.texture import PARAMETRIC, shade
from generators.truth import Light, Truth, object_table, spot_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from generators.camera import Camera
    from generators.cells import Cells, Grown
    from generators.distractors import Distractors
    from generators.optics import Optics
    from generators.outlines import Shape
    from generators.polygons import Floats
    from generators.scene import Canvas, Layout
    from generators.spots import SpotList, Spots
    from generators.texture import Shading

CONDENSED = 2.0
"""How much brighter a condensed nucleus is."""


@dataclass(frozen=True)
class Settings:
    """Every dial of one scene, drawn.

    Attributes
    ----------
    shape
        Height and width of the frame in px.
    channels
        For each channel its layers: "nuclei", "cells", "spots".
    pixel_size_um
        Side of a pixel in the sample, in micrometres, where known.
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
    distractors: Distractors | None = None
    pixel_size_um: float | None = None


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
class World:
    """A scene before any picture is taken of it."""

    settings: Settings
    seed: Seed
    canvas: Canvas
    grown: Grown | None
    truth: Truth
    spots: SpotList | None


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
    world = compose(settings, seed)
    shots = [shoot(world, name) for name in settings.channels]
    lights: dict[str, Light] = {}
    for shot in shots:
        lights = {**shot.lights, **lights}  # an object's light is that of the first channel with it
    return Rendered(
        np.stack([shot.image for shot in shots]),
        np.stack([shot.expected for shot in shots]),
        world.truth.labels,
        object_table(world.truth, lights),
        spot_table(world.spots, world.truth, settings),
        tuple(shot.gain for shot in shots),
    )


def compose(settings: Settings, seed: Seed) -> World:
    """Lay out the nuclei of a scene, grow cells round them, scatter spots."""
    diameter, cells = settings.nuclei.diameter, settings.cells
    # Room for what reaches into the frame, whatever the cells' reach: a sweep of it is paired.
    pad = int(np.ceil((1.5 if cells is None else 2.5) * diameter))
    canvas = lay_out(settings.shape, settings.layout, settings.nuclei, seed.at("layout"), pad=pad)
    grown = None
    if cells is not None:
        seeds = [seed.at("cell", nucleus.index) for nucleus in canvas.nuclei]
        grown = cell_layer.grow(canvas.top, canvas.centres + canvas.pad, diameter, cells, seeds)
    spots = (
        None
        if settings.spots is None
        else _scattered(settings, settings.spots, canvas, grown, seed)
    )
    return World(settings, seed, canvas, grown, Truth.of(canvas, grown), spots)


def _scattered(
    settings: Settings, spots: Spots, canvas: Canvas, grown: Grown | None, seed: Seed
) -> SpotList:
    """Return the spots of a scene, in px of the frame."""
    home = canvas.top
    if grown is not None and spots.inside in {"cells", "cytoplasm"}:
        home = grown.labels
        if spots.inside == "cytoplasm":
            home = np.where(canvas.top > 0, 0, home)
    centres = None
    if spots.cloud_centres == "fixed":
        shared = Seed.root(0).at("cloud centres")
        centres = canvas.pad + spot_layer.fixed_centres(spots, settings.shape, shared)
    scattered = spot_layer.scatter(spots, home, seed.at("spots").generator(), centres)
    return scattered._replace(positions=scattered.positions - canvas.pad)


def _nuclei_light(world: World) -> Floats:
    """Return the light of all nuclei on the canvas, from the lowest to the one on top."""
    canvas, shading = world.canvas, world.settings.shading
    light: Floats = np.zeros(canvas.top.shape)
    for nucleus in sorted(canvas.nuclei, key=lambda nucleus: nucleus.height):
        vertices = nucleus.outline + canvas.pad
        window = window_of(vertices, margin=1).clipped(canvas.height, canvas.width)
        cover = coverage(vertices, window)
        rng = world.seed.at("shading", nucleus.index).generator()
        own = shade(cover, shading, world.settings.nuclei.diameter, rng)
        if nucleus.condensed:
            own = own * CONDENSED
        light[window.slices] = light[window.slices] * (1 - shading.opacity * cover) + own
    return light


def _cell_light(world: World) -> Floats:
    cells = world.settings.cells
    assert world.grown is not None
    assert cells is not None
    rng = world.seed.at("cell texture").generator()
    return cell_layer.light(
        world.grown, world.canvas.top, world.settings.nuclei.diameter, cells, rng
    )


def _unlabelled_light(world: World) -> Floats:
    settings = world.settings
    assert settings.distractors is not None
    seed = world.seed.at("distractors")
    made = distractor_layer.light(world.canvas, settings.nuclei, settings.distractors, seed)
    return light_path.blurred(made.sharp, settings.optics, settings.pixel_size_um) + made.soft


PAINTERS = {"nuclei": _nuclei_light, "cells": _cell_light}


def _spot_photons(world: World, layers: tuple[str, ...]) -> Floats:
    if world.spots is None or "spots" not in layers:
        return np.zeros(world.settings.shape)
    assert world.settings.spots is not None
    painter = world.settings.spots.painter
    if painter == spot_layer.ANALYTIC:
        return spot_layer.draw(world.spots, world.settings.shape)
    return spot_painters.named(painter).paint(
        world.spots, world.settings.shape, world.seed.at("spot painter")
    )


def shoot(world: World, channel: str) -> Shot:
    """Take the picture of one channel."""
    settings, canvas, truth = world.settings, world.canvas, world.truth
    optics, camera = settings.optics, settings.camera
    layers = settings.channels[channel]
    seed = world.seed.at("channel", channel)
    shape = (canvas.height, canvas.width)
    signal, base, dark = np.zeros(shape), None, optics.background
    for layer in layers:
        if layer == "nuclei" and settings.shading.painter != PARAMETRIC:
            painted = scenes.light(canvas, settings.shading, world.seed, condensed=CONDENSED)
            signal, base = signal + painted.signal, painted.background
            dark = float(np.median(base))
        elif layer in PAINTERS:
            signal += PAINTERS[layer](world)
    if base is None:
        base = light_path.background(shape, optics, seed.at("background"))
    if "nuclei" in layers:
        base = base + light_path.debris(shape, optics, seed.at("debris"))
        if settings.distractors is not None:
            base = base + _unlabelled_light(world)
    lit = light_path.illumination(settings.shape, optics, seed.at("illumination"))
    over = lit * light_path.blurred(signal, optics, settings.pixel_size_um)[canvas.frame]
    under = lit * base[canvas.frame]

    means = {
        target: (truth.mean(over, target), truth.mean(under, target))
        for target in layers
        if target in truth.labels
    }
    # A channel without objects, or of spots alone, gets the light that an even one would need.
    signals, backgrounds = next(iter(means.values()), (np.zeros(0), np.zeros(0)))
    if signals.size == 0:
        signals, backgrounds = np.ones(1), np.full(1, dark)
    scale = electrons_for(optics.snr, signals, backgrounds, camera.read_noise)
    gain = camera.gain_for(scale * (float(np.median(signals)) + dark))
    # The light was set before anything bleached, and so was the camera.
    left = light_path.bleached(optics, list(settings.channels).index(channel))
    electrons = scale * (left * over + under)
    arrived = left * camera.quantum_efficiency * _spot_photons(world, layers)
    saturating = settings.spots is not None and settings.spots.combine == "saturating"
    if not saturating:
        electrons = electrons + arrived
    leak = hot(settings.shape, camera, seed.at("hot pixels").generator())
    image, expected = expose(electrons, camera, gain, seed.at("noise").generator(), leak)
    if saturating:
        image, expected = saturating_sum(image, gain * arrived, camera), expected + gain * arrived
    lights = {
        target: Light(
            gain * scale * left * m, snr_of(scale * left * m, scale * b, camera.read_noise)
        )
        for target, (m, b) in means.items()
    }
    return Shot(image, expected, gain, lights)
