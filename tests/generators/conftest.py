"""A small scene that the tests of rendering share."""

from __future__ import annotations

import pytest

from generators.camera import Camera
from generators.optics import Optics
from generators.outlines import Shape
from generators.render import Settings
from generators.scene import Layout
from generators.texture import Shading

EVEN = {"haze": 0, "background_variation": 0, "illumination": 0, "debris": 0}
FLAT = {"texture": 0, "dome": 0, "nucleoli": 0, "brightness_variation": 0, "opacity": 1}


@pytest.fixture
def scene_of():
    """Settings of a small scene; dials by section."""

    def settings(shape=(96, 112), channels=None, cells=None, spots=None, **sections):
        def group(kind, name, **defaults):
            return kind(**{**defaults, **sections.get(name, {})})

        return Settings(
            shape=shape,
            channels=channels or {"dna": ("nuclei",)},
            layout=group(Layout, "layout", condensed=0),
            nuclei=group(Shape, "nuclei", diameter=20),
            shading=group(Shading, "shading"),
            optics=group(Optics, "optics"),
            camera=group(Camera, "camera"),
            cells=cells,
            spots=spots,
        )

    return settings


@pytest.fixture
def even():
    """Optics without anything uneven."""
    return dict(EVEN)


@pytest.fixture
def flat():
    """Nuclei that are equally bright all over."""
    return dict(FLAT)
