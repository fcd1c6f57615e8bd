"""Scenes of discs, as real images would show them, and a painter that has learned nothing."""

from __future__ import annotations

import numpy as np
import pytest

from generators.painting.codes import Bank
from generators.painting.conditioning import Geometry
from generators.painting.noise import Noise
from generators.painting.scale import Scale

DARK, BRIGHT = 150.0, 600.0


def discs(shape, centres, radii):
    """Return labels of discs; later ones lie on top."""
    y, x = np.indices(shape)
    labels = np.zeros(shape, np.uint16)
    for number, ((v, u), radius) in enumerate(zip(centres, radii, strict=True), start=1):
        labels[np.hypot(y - v, x - u) < radius] = number
    return labels


@pytest.fixture
def draw():
    return discs


@pytest.fixture
def stored():
    """A painter's content: first weights, and two images of three and of eight objects."""
    pytest.importorskip("torch")
    from generators.painting.files import Stored
    from generators.painting.network import Network, NetworkSettings

    rng = np.random.default_rng(0)
    few = discs((80, 80), [(20, 20), (20, 60), (60, 40)], [8, 9, 10])
    many = discs((80, 80), [(y, x) for y in (20, 60) for x in (10, 30, 50, 70)], [9] * 8)
    codes = [np.array([[0, 0, 0], *rng.normal(0.2, 0.1, (n, 3))]) for n in (3, 8)]
    bank = Bank.of([few, many], [np.full((80, 80), -0.4), np.full((80, 80), -0.3)], codes)
    network = Network(NetworkSettings(ngf=4, blocks=1)).requires_grad_(requires_grad=False)
    scale = Scale.of(DARK, BRIGHT)
    return Stored(network.eval(), bank, scale, Noise(0.4, 105.0, 2.0), {"licence": "CC0-1.0"})


@pytest.fixture
def painter(stored, tmp_path):
    from generators.painting.files import save
    from generators.painting.painter import Painter

    save(tmp_path / "tiny.safetensors", stored)
    return Painter(tmp_path / "tiny.safetensors")


@pytest.fixture
def photograph():
    """Return an image of labels whose light ends `inside` px within them, blurred by a lens."""

    def taken(labels, inside=0.0, width=0.7):
        signed = Geometry.of(labels).signed - inside
        return DARK + (BRIGHT - DARK) / (1 + np.exp(-signed / width))

    return taken
