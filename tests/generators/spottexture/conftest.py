"""A field of Gaussian spots as a camera shows them, and a painter that has learned nothing."""

from __future__ import annotations

import numpy as np
import pytest

from generators.spots import SpotList, draw

DARK = 200.0


def field(shape, count, rng, apart=12):
    """Return an image of spots on a lattice, moved about by up to 2 px, and its spots."""
    places = [
        (y, x) for y in range(10, shape[0] - 8, apart) for x in range(10, shape[1] - 8, apart)
    ]
    positions = np.array(places[:count]) + rng.uniform(-2, 2, (min(count, len(places)), 2))
    light = 8000 * np.exp(0.2 * rng.standard_normal(len(positions)))
    spots = SpotList(positions, light, np.full(len(positions), 1.3))
    return rng.poisson(DARK + draw(spots, shape)).astype(np.uint16), spots


@pytest.fixture(scope="session")
def made():
    """An image (64, 80) with 24 spots, and the spots."""
    return field((64, 80), 24, np.random.default_rng(0))


@pytest.fixture
def stored():
    """A painter's content: first weights, two kinds of spots."""
    pytest.importorskip("torch")
    from generators.spottexture.files import Kind, StoredSpots
    from generators.spottexture.network import SpotNetwork, SpotSettings

    rng = np.random.default_rng(0)
    kinds = tuple(
        Kind(name, rng.normal(0, 0.15, (n, 2)), width, 0.9, {"sigma (px)": 1.3})
        for name, n, width in (("beads", 5, 1.0), ("tissue", 15, 1.1))
    )
    network = SpotNetwork(SpotSettings(kinds=2, channels=4, layers=1))
    network = network.eval().requires_grad_(requires_grad=False)
    return StoredSpots(network, kinds, {"licence": "BSD-3-Clause"})


@pytest.fixture
def painter(stored):
    from generators.spottexture.painter import SpotPainter

    return SpotPainter(stored)
