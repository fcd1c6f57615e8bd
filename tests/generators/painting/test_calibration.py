"""Corrections: what a painter does wrong on average is measured, and gone afterwards."""

from __future__ import annotations

import numpy as np
import pytest

from generators.painting.calibration import DEPTHS, Calibration, calibrated, depth
from generators.painting.codes import ground, measured
from generators.painting.conditioning import BASE, Geometry, assembled
from generators.painting.edges import edges
from generators.painting.examples import Example
from generators.painting.noise import Noise
from generators.painting.scale import Scale

SCALE = Scale.of(150, 600)


@pytest.fixture
def example(draw, photograph):
    labels = draw((120, 120), [(y, x) for y in (30, 90) for x in (30, 90)], [18, 20, 16, 19])
    image, geometry = photograph(labels), Geometry.of(labels)
    seen = SCALE.seen(image)
    codes = measured(seen, geometry)
    found = edges(image, geometry)
    field = ground(seen, geometry).astype(np.float32)
    return Example(seen.astype(np.float32), geometry, field, codes, found, Noise(0, 0))


def test_edges_are_moved_back(example):
    """This painter draws the even objects of its maps, eight tenths of a pixel too small."""

    def paint(maps, _number, inset=0.8):
        # Near an outline light is a function of the distance to it, which the map of it gives.
        signed = 2 * np.arctanh(np.clip(maps[2], -0.999, 0.999)) - inset
        share = 1 / (1 + np.exp(-signed / 0.7))
        return SCALE.seen(150 + 450 * share)

    found = calibrated(paint, [example], SCALE)
    assert found.inset == pytest.approx(-0.8, abs=0.1)


def test_gaps_between_objects_that_touch_are_closed(draw, photograph):
    """This painter draws the even objects of its maps, and a dark line along each border."""
    labels = draw((120, 120), [(y, x) for y in (30, 90) for x in (20, 42, 80, 102)], [13] * 8)
    image, geometry = photograph(labels), Geometry.of(labels)
    seen = SCALE.seen(image)
    field = ground(seen, geometry).astype(np.float32)
    codes = np.where(np.arange(9)[:, None] > 0, [[0.25, 0.0, 0.0]], 0.0)
    example = Example(
        seen.astype(np.float32), geometry, field, codes, edges(image, geometry), Noise(0, 0)
    )

    def paint(maps, _number):
        return (maps[BASE] - 0.1 * np.clip(maps[4], 0, 1)).astype(np.float64)

    found = calibrated(paint, [example] * 4, SCALE)
    assert found.gap > 0.2
    border = (geometry.between == 0) & (geometry.signed > 3)
    deep = np.minimum(geometry.signed, geometry.between) > 6
    made = [
        paint(assembled(part, codes, field), 0)[border].mean()
        for part in (geometry, found.closed(geometry))
    ]
    level = paint(assembled(geometry, codes, field), 0)[deep].mean()
    assert made[0] < level - 0.08
    assert made[1] == pytest.approx(level, abs=0.03)


def test_light_that_lacks_in_the_middle_is_added(example):
    def flat(maps, _number):
        return np.where(maps[1] > 0.5, 0.2, maps[BASE]).astype(np.float64)

    found = calibrated(flat, [example], SCALE)
    inside = depth(example.geometry) > 6
    away = (example.seen - 0.2)[inside].mean()
    assert found.correction(example.geometry)[inside].mean() == pytest.approx(away, abs=0.02)


def test_nothing_is_corrected_without_examples():
    assert calibrated(lambda _maps, _k: np.zeros((1, 1)), [], SCALE) == Calibration()


def test_corrections_stay_inside_of_objects(draw):
    geometry = Geometry.of(draw((60, 60), [(30, 30)], [14]))
    made = Calibration(light=(0.1,) * len(DEPTHS)).correction(geometry)
    assert (made[geometry.labels == 0] == 0).all()
    assert made[30, 30] == pytest.approx(0.1)
