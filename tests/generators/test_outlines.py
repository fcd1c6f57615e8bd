"""Outlines: size, elongation and roughness are what the dials say; shapes look like real nuclei."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage, stats
from skimage import io, measure

from generators.outlines import Shape, random_outline, vertex_count
from generators.polygons import area, centroid, contains, window_of

PLAIN = {
    "size_variation": 0,
    "elongation_variation": 0,
    "irregularity": 0,
    "dents": 0,
    "boxiness": 2,
}


def outlines(count=300, **dials):
    return [random_outline(Shape(**dials), np.random.default_rng(k)) for k in range(count)]


def axes_ratio(outline):
    second = np.cov(outline.T)
    low, high = np.linalg.eigvalsh(second)
    return np.sqrt(high / low)


@pytest.mark.parametrize("diameter", [8, 26, 90])
def test_area_is_that_of_the_disc(diameter):
    for outline in outlines(20, diameter=diameter, size_variation=0):
        assert abs(area(outline)) == pytest.approx(np.pi * diameter**2 / 4)
        assert centroid(outline) == pytest.approx([0, 0], abs=1e-9)


def test_sizes_spread_as_asked():
    sizes = [np.sqrt(4 * abs(area(o)) / np.pi) for o in outlines(600, size_variation=0.3)]
    assert np.median(sizes) == pytest.approx(26, rel=0.04)
    assert np.std(np.log(sizes)) == pytest.approx(0.3, rel=0.1)


@pytest.mark.parametrize("elongation", [1.0, 1.5, 2.5])
def test_elongation_is_the_ratio_of_the_axes(elongation):
    outline = outlines(1, **{**PLAIN, "elongation": elongation})[0]
    radius = np.sqrt((outline**2).sum(1))
    assert radius.max() / radius.min() == pytest.approx(elongation, rel=0.01)


def test_irregularity_is_the_rms_of_the_radius():
    dials = {**PLAIN, "elongation": 1.0, "irregularity": 0.05}
    deviation = [np.std(np.log(np.sqrt((o**2).sum(1)))) for o in outlines(400, **dials)]
    assert np.sqrt(np.mean(np.square(deviation))) == pytest.approx(0.05, rel=0.08)


def test_a_disc_without_variation():
    outline = outlines(1, **{**PLAIN, "elongation": 1.0, "diameter": 40})[0]
    assert np.sqrt((outline**2).sum(1)) == pytest.approx(np.full(len(outline), 20), rel=2e-3)


def test_directions_are_even():
    angles = [np.arctan2(*np.linalg.eigh(np.cov(o.T))[1][:, 1]) % np.pi for o in outlines(500)]
    assert stats.kstest(np.array(angles) / np.pi, "uniform").pvalue > 0.01


def test_every_outline_is_one_piece_without_holes():
    for outline in outlines(300, dents=1, irregularity=0.06):
        mask = np.pad(contains(outline, window_of(outline)), 1)
        assert measure.label(mask, connectivity=1).max() == 1
        assert measure.label(~mask, connectivity=1).max() == 1


def test_dents_lower_the_solidity():
    def solidity(**dials):
        masks = [contains(o * 3, window_of(o * 3)) for o in outlines(120, **dials)]
        return np.mean([measure.regionprops(m.astype(int))[0].solidity for m in masks])

    assert solidity(dents=1.0) < solidity(dents=0.0) - 0.004


def test_chords_stay_near_the_arc():
    for diameter in (10, 30, 100):
        sagitta = diameter / 2 * (1 - np.cos(np.pi / vertex_count(diameter)))
        assert sagitta < 0.031


@pytest.mark.slow
def test_shapes_are_near_those_of_real_nuclei(shared_data):
    index = pd.read_csv(shared_data / "bbbc039" / "index.csv").head(8)
    real = [
        region
        for name in index["label"]
        for region in measure.regionprops(io.imread(shared_data / "bbbc039" / name).astype(int))
        if region.area > 150
    ]
    made = []
    for outline in outlines(300, diameter=29, elongation=1.55):
        mask = contains(outline, window_of(outline)).astype(int)
        made += measure.regionprops(ndimage.label(mask)[0])
    for name, tolerance in (("eccentricity", 0.15), ("solidity", 0.15)):
        ours, theirs = ([getattr(r, name) for r in regions] for regions in (made, real))
        assert stats.ks_2samp(ours, theirs).statistic < tolerance, name
