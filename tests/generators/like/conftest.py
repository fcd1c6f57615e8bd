"""Small recipes whose dials are known, and the images that they make."""

from __future__ import annotations

import pytest

from generators.generate import make, plan
from generators.recipe import parse

KNOWN = {
    "name": "known",
    "version": "1.0.0",
    "size": 192,
    "splits": {"test": 5},
    "layout": {"density": 0.18, "clustering": 0.2, "overlap": 0, "condensed": 0},
    "nuclei": {"diameter": 24, "elongation": 1.4},
    "optics": {"snr": 14, "blur": 1.4, "haze": 0.1, "background": 0.15, "debris": 0},
    "camera": {"gain": 0.6, "offset": 120, "read_noise": 3},
}


@pytest.fixture
def known():
    """The recipe with some dials turned, by section."""

    def turned(**sections):
        document = dict(KNOWN)
        for name, dials in sections.items():
            dialled = isinstance(dials, dict) and name != "splits"
            document[name] = {**KNOWN.get(name, {}), **dials} if dialled else dials
        return parse(document)

    return turned


@pytest.fixture
def samples_of():
    """What a recipe makes."""

    def made(recipe):
        return [make(recipe, task) for task in plan(recipe, 0)]

    return made
