"""The classifier: blind where there is nothing to see, sharp where there is."""

from __future__ import annotations

import numpy as np
import pytest

from generators.shapes.classifier import area_under_curve, features, telling_apart
from generators.shapes.geometry import low_passed, turned


def test_area_under_the_curve_by_hand():
    assert area_under_curve(np.array([2.0, 3.0]), np.array([0.0, 1.0])) == 1
    assert area_under_curve(np.array([0.0, 3.0]), np.array([1.0, 2.0])) == 0.5
    assert area_under_curve(np.ones(4), np.ones(9)) == 0.5


def test_features_do_not_depend_on_the_pose(nuclei):
    moved = turned(nuclei, np.linspace(0, 6, len(nuclei))) + 3
    assert features(moved) == pytest.approx(features(nuclei), abs=1e-6)
    assert features(nuclei).shape == (len(nuclei), 324)


def test_two_halves_of_the_same_cannot_be_told_apart(nuclei):
    assert 0.4 < telling_apart(nuclei[::2], nuclei[1::2]) < 0.6


def test_smoothed_outlines_can(nuclei):
    assert telling_apart(nuclei[::2], low_passed(nuclei[1::2], 0.05)) > 0.75
