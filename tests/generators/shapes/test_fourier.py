"""Elliptic Fourier coefficients: a pose of their own, whatever the pose of the outline."""

from __future__ import annotations

import numpy as np
import pytest

from generators.shapes.fourier import (
    analysed,
    ellipse_coefficients,
    half_turned,
    mirrored,
    synthesised,
)
from generators.shapes.geometry import moments, turned


def test_an_outline_comes_back(nuclei):
    full = synthesised(analysed(nuclei, 100), 256)
    back = moments(full)
    assert back.area == pytest.approx(moments(nuclei).area, rel=1e-4)
    assert back.elongation == pytest.approx(moments(nuclei).elongation, rel=1e-3)
    few = moments(synthesised(analysed(nuclei, 12), 256))
    assert few.area == pytest.approx(back.area, rel=0.01)


def test_the_first_harmonic_is_posed(nuclei):
    found = analysed(nuclei, 4)
    assert found[:, :2].imag == pytest.approx(np.zeros((len(nuclei), 2)), abs=1e-12)
    assert (found[:, 0].real > 0).all()
    assert (found[:, 1].real >= 0).all()


@pytest.mark.parametrize("angle", [0.4, 1.2, -1.0])
@pytest.mark.parametrize("start", [0, 10, 100])
def test_pose_and_start_do_not_matter_but_for_half_a_turn(nuclei, angle, start):
    before = analysed(nuclei, 6)
    moved = np.roll(turned(nuclei, np.full(len(nuclei), angle)) + 5, start, axis=1)
    after = analysed(moved, 6)
    same = np.abs(after - before).max(axis=1)
    half = np.abs(after - half_turned(before)).max(axis=1)
    assert np.minimum(same, half).max() < 1e-9


def test_half_turns_and_mirror_images_are_those_of_the_outline(nuclei):
    before = analysed(nuclei, 5)
    outline = synthesised(before, 64)
    flipped = synthesised(mirrored(before), 64)
    mirror = outline[:, ::-1] * [-1, 1]
    assert flipped == pytest.approx(np.roll(mirror, 1, axis=1), abs=1e-9)
    round_about = synthesised(half_turned(before), 64)
    assert round_about == pytest.approx(np.roll(-outline, 32, axis=1), abs=1e-9)


def test_coefficients_of_an_ellipse():
    found = moments(synthesised(ellipse_coefficients(np.array([1.0, 2.5])), 4000))
    assert found.elongation == pytest.approx([1, 2.5], rel=1e-5)
    assert found.diameter == pytest.approx([1, 1], rel=1e-5)
