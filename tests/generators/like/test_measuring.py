"""Figures: near the dials that made the images, and following each dial that is turned."""

from __future__ import annotations

import numpy as np
import pytest

from generators.like.measuring import FIGURES, measured


@pytest.fixture
def figures_with(known, samples_of):
    def figures(**sections):
        found = measured([sample.image[0] for sample in samples_of(known(**sections))])
        return {name: found.quantile(name) for name in FIGURES}

    return figures


def test_figures_are_near_the_truth(known, samples_of):
    samples = samples_of(known())
    found = measured([sample.image[0] for sample in samples])
    covered = np.median([(s.labels["nuclei"] > 0).mean() for s in samples])
    contrast = np.median([s.objects["contrast"].median() for s in samples])
    number = np.median([s.labels["nuclei"].max() / 192**2 * 1e6 for s in samples])
    assert found.quantile("density") == pytest.approx(covered, rel=0.1)
    assert found.quantile("diameter") == pytest.approx(24, rel=0.08)
    assert found.quantile("objects") == pytest.approx(number, rel=0.15)
    assert found.quantile("contrast") == pytest.approx(contrast, rel=0.1)
    assert found.quantile("snr") == pytest.approx(14, rel=0.1)
    assert found.bits == 12


@pytest.mark.parametrize(
    ("figure", "turned", "ratio"),
    [
        ("density", ("layout", "density", 0.1, 0.3), 2.0),
        ("diameter", ("nuclei", "diameter", 16, 30), 1.6),
        ("snr", ("optics", "snr", 7, 28), 3.0),
        ("blur", ("optics", "blur", 0.6, 2.8), 1.8),
        ("unevenness", ("optics", "background_variation", 0.05, 1.0), 1.8),
        ("brightness_variation", ("shading", "brightness_variation", 0.1, 0.5), 2.0),
    ],
)
def test_figures_follow_their_dial(figures_with, figure, turned, ratio):
    section, dial, *levels = turned
    a, b = (
        figures_with(size=144, splits={"test": 4}, **{section: {dial: level}})[figure]
        for level in levels
    )
    assert b > ratio * a


def test_an_empty_image_has_no_objects_and_no_figures_of_them(known, samples_of):
    samples = samples_of(known(layout={"density": 0.0}, splits={"test": 1}))
    found = measured([sample.image[0] for sample in samples])
    assert found.quantile("density") < 0.005
    assert found.quantile("objects") < 60
    assert found.quantile("noise") > 0


def test_bits_hold_the_brightest_pixel():
    for dtype, brightest, bits in ((np.uint8, 255, 8), (np.uint16, 255, 12), (np.uint16, 4096, 14)):
        image = np.zeros((40, 40), dtype)
        image[10:20, 10:20] = brightest
        assert measured([image]).bits == bits
