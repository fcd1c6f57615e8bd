"""Outlines as curves: moments against closed forms, the low-pass against a disc's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.polygons import area, centroid
from generators.shapes.geometry import (
    aligned,
    counter_clockwise,
    lengths,
    low_passed,
    moments,
    posed,
    resampled,
    stacked,
    stretched,
    turned,
)


def test_moments_of_an_ellipse(ellipse):
    found = moments(ellipse(3, 2, 2000)[None] + [5.0, -4.0])
    assert found.area == pytest.approx(6 * np.pi, rel=1e-5)
    assert found.centroid[0] == pytest.approx([5, -4])
    assert found.major == pytest.approx(9 / 4, rel=1e-5)
    assert found.minor == pytest.approx(4 / 4, rel=1e-5)
    assert found.angle == pytest.approx(0, abs=1e-9)
    assert found.elongation == pytest.approx(1.5)
    assert found.eccentricity == pytest.approx(np.sqrt(5) / 3)
    assert found.diameter == pytest.approx(2 * np.sqrt(6), rel=1e-5)


def test_moments_agree_with_those_of_the_other_generator(nuclei):
    found = moments(nuclei[:20] + 3)
    for k, outline in enumerate(nuclei[:20] + 3):
        assert found.area[k] == pytest.approx(area(outline))
        assert found.centroid[k] == pytest.approx(centroid(outline))


@given(angle=st.floats(-1.5, 1.5), far=st.floats(-1e3, 1e3))
def test_a_turn_turns_the_axis_and_nothing_else(angle, far):
    box = np.array([[[0.0, 0.0], [0.0, 4.0], [1.0, 4.0], [1.0, 0.0]]])
    found = moments(turned(box, np.array([angle])) + far)
    assert found.angle[0] == pytest.approx(angle, abs=1e-7)
    assert found.elongation[0] == pytest.approx(4, rel=1e-6)


def test_a_quarter_turn_goes_from_x_to_y():
    assert turned(np.array([[[0.0, 1.0]]]), np.array([np.pi / 2]))[0, 0] == pytest.approx([1, 0])


def test_posed_outlines_measure_as_asked(nuclei):
    size = np.linspace(0.5, 2, len(nuclei))
    found = moments(posed(nuclei + 7, size, np.full(len(nuclei), 0.3)))
    assert found.diameter == pytest.approx(size)
    assert found.centroid == pytest.approx(np.zeros((len(nuclei), 2)), abs=1e-9)
    assert found.elongation == pytest.approx(moments(nuclei).elongation)


def test_aligned_outlines_lie_along_x(nuclei):
    found = moments(aligned(turned(nuclei, np.linspace(0, 6, len(nuclei))) * 3))
    assert found.angle == pytest.approx(np.zeros(len(nuclei)), abs=1e-6)
    assert found.diameter == pytest.approx(np.ones(len(nuclei)))


def test_a_stretch_multiplies_the_elongation(nuclei):
    lying = aligned(nuclei)
    found = moments(stretched(lying, np.full(len(lying), 1.7)))
    assert found.elongation == pytest.approx(1.7 * moments(nuclei).elongation)
    assert found.area == pytest.approx(moments(lying).area)


def test_steps_are_even_along_the_arc(ellipse):
    even = resampled(ellipse(5, 1, 4000), 100)
    steps = np.hypot(*np.diff(even, axis=0).T)
    # A chord is shorter than its arc, most so at the tips.
    assert np.ptp(steps) < 0.03 * steps.mean()


def test_a_stack_is_counter_clockwise(ellipse):
    assert (moments(stacked([ellipse(2, 1), ellipse(2, 1)[::-1]])).area > 0).all()
    assert area(counter_clockwise(ellipse(2, 1)[::-1])) > 0


def test_the_low_pass_damps_each_turn_by_the_gaussian_s_spectrum(ellipse):
    disc = ellipse(10, 10)[None]
    smooth = low_passed(disc, 2.0)
    # A disc has one turn a circumference: exp(-(width / R)² / 2) of its radius is left.
    assert np.hypot(*smooth[0].T) == pytest.approx(np.full(256, 10 * np.exp(-0.02)), rel=1e-3)
    assert lengths(disc) == pytest.approx(20 * np.pi, rel=1e-3)


def test_the_low_pass_takes_small_waves_and_leaves_large_ones():
    angle = np.arange(256) * (2 * np.pi / 256)

    def waved(k):
        radius = 14 + 0.3 * np.cos(k * angle)
        return stacked([np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1)])

    small, large = (np.std(np.hypot(*low_passed(waved(k), 1.5)[0].T)) for k in (30, 3))
    assert small < 0.01
    assert large > 0.19
