"""Random smooth outlines that look like nuclei: ovals, boxy ovals, beans, crescents, dents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from generators.dials import dial, word
from generators.polygons import Floats, area, centroid
from generators.shapes.source import sources

if TYPE_CHECKING:
    from numpy.random import Generator

HARMONICS = np.arange(2, 13)


@dataclass(frozen=True)
class Shape:
    """What the nuclei of a scene are shaped like."""

    shapes: str = word(
        "parametric",
        options=tuple(sources()),
        says="their source; but for `parametric` none obeys a dial below other than the diameter",
    )
    diameter: float = dial(
        26, low=4, high=400, unit="px", says="median diameter of a disc as large as a nucleus"
    )
    size_variation: float = dial(
        0.18, low=0, high=1, unit="1", says="standard deviation of ln(diameter)"
    )
    elongation: float = dial(
        1.45, low=1, high=5, unit="1", says="median ratio of the long to the short axis"
    )
    elongation_variation: float = dial(
        0.6, low=0, high=2, unit="1", says="standard deviation of ln(elongation - 1)"
    )
    boxiness: float = dial(
        2.2, low=1.5, high=6, unit="1", says="exponent of the superellipse; 2 is an ellipse"
    )
    irregularity: float = dial(
        0.04, low=0, high=0.3, unit="1", says="RMS deviation of the radius, harmonics 2 to 12"
    )
    smoothness: float = dial(
        1.6, low=0, high=5, unit="1", says="amplitude of harmonic k falls as k to minus this"
    )
    dents: float = dial(
        0.3, low=0, high=1, unit="1", says="share of nuclei that are bent or dented"
    )


def _harmonics(angle: Floats, rms: float, smoothness: float, rng: Generator) -> Floats:
    """Return a periodic function of zero mean and the given RMS with a power-law spectrum."""
    amplitudes = HARMONICS.astype(np.float64) ** -smoothness
    weights = amplitudes * rng.standard_normal((2, HARMONICS.size))
    phases = HARMONICS[:, None] * angle
    wave = np.sum(weights[0][:, None] * np.cos(phases) + weights[1][:, None] * np.sin(phases), 0)
    # The expected, not the realised, RMS is set: some nuclei are rounder than others.
    scaled: Floats = wave * (rms / np.sqrt(np.sum(amplitudes**2)))
    return scaled


def _superellipse(angle: Floats, elongation: float, exponent: float) -> Floats:
    """Return the radius of a superellipse of unit mean semi-axis at each angle."""
    long, short = np.sqrt(elongation), 1 / np.sqrt(elongation)
    powers = np.abs(np.cos(angle) / long) ** exponent + np.abs(np.sin(angle) / short) ** exponent
    radius: Floats = powers ** (-1 / exponent)
    return radius


def _bend(points: Floats, arc: float) -> Floats:
    """Roll the long axis (x) into an arc, unit length into `arc` radians: a bean, a crescent."""
    across, along = points[:, 0] + 1 / arc, points[:, 1] * arc
    return np.stack([across * np.cos(along) - 1 / arc, across * np.sin(along)], axis=1)


def vertex_count(diameter: float) -> int:
    """Return how many vertices keep a chord within 0.03 px of a disc's arc."""
    return int(np.clip(np.ceil(np.pi * np.sqrt(diameter / 0.12)), 40, 200))


def resized(points: Floats, diameter: float) -> Floats:
    """Return a polygon moved to the origin and scaled to the area of a disc."""
    points = points - centroid(points)
    scaled: Floats = points * np.sqrt(np.pi * diameter * diameter / 4 / abs(area(points)))
    return scaled


def random_outline(
    shape: Shape, rng: Generator, *, size: float = 1.0, rough: float = 1.0
) -> Floats:
    """Draw the outline of one nucleus, centred on its centroid at the origin.

    Parameters
    ----------
    shape
        What the nuclei of this scene are like.
    rng
        The stream of this nucleus.
    size, rough
        Factors on its diameter and on its irregularity.

    Returns
    -------
    (V, 2) float64
        Vertices (y, x) in px, in order round the nucleus.
    """
    diameter = size * shape.diameter * np.exp(shape.size_variation * rng.standard_normal())
    elongation = 1 + (shape.elongation - 1) * np.exp(
        shape.elongation_variation * rng.standard_normal()
    )
    turn, kind, dent_at = rng.uniform(0, 2 * np.pi), rng.random(), rng.uniform(0, 2 * np.pi)
    depth, width = rng.uniform(0.15, 0.5), rng.uniform(0.25, 0.6)
    diameter, elongation = max(float(diameter), 3.0), min(float(elongation), 6.0)

    vertices = vertex_count(diameter)
    angle: Floats = np.arange(vertices, dtype=np.float64) * (2 * np.pi / vertices)
    radius = _superellipse(angle, elongation, shape.boxiness)
    radius = radius * np.exp(_harmonics(angle, rough * shape.irregularity, shape.smoothness, rng))
    if kind < shape.dents / 2:
        offset = np.angle(np.exp(1j * (angle - dent_at)))
        radius = radius * (1 - depth * np.exp(-((offset / width) ** 2) / 2))
    points = radius[:, None] * np.stack([np.sin(angle), np.cos(angle)], axis=1)
    if shape.dents / 2 <= kind < shape.dents:
        points = _bend(points, min(3 * depth, 0.55 * elongation) / np.sqrt(elongation))
    across, along = np.cos(turn), np.sin(turn)
    y, x = points[:, 0], points[:, 1]
    turned: Floats = np.stack([across * y - along * x, along * y + across * x], axis=1)
    return resized(turned, diameter)
