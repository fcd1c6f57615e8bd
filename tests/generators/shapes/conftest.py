"""Outlines that the tests of shapes share."""

from __future__ import annotations

import numpy as np
import pytest

from generators.outlines import Shape
from generators.shapes.geometry import moments, stacked
from generators.shapes.parametric import ParametricSource


@pytest.fixture(scope="session")
def ellipse():
    """An ellipse with given semi-axes along x and y."""

    def made(long, short, count=256):
        angle = np.arange(count) * (2 * np.pi / count)
        return np.stack([short * np.sin(angle), long * np.cos(angle)], axis=1)

    return made


@pytest.fixture(scope="session")
def nuclei():
    """A stack of 400 varied outlines with a median diameter of 1."""
    source = ParametricSource(Shape(elongation=1.55, dents=0.4, irregularity=0.06))
    stack = stacked(source.sample(400, np.random.default_rng(1)))
    return stack / np.median(moments(stack).diameter)
