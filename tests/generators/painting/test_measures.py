from __future__ import annotations

import numpy as np
import pytest

from generators.painting.measures import BANDS, compared, edge_figures, spectrum, variations
from generators.painting.scale import Scale

SCALE = Scale.of(150, 600)


@pytest.fixture
def scene(draw, photograph):
    labels = draw((160, 160), [(y, x) for y in (40, 120) for x in (40, 120)], [16, 20, 18, 22])
    return labels, photograph(labels)


def test_an_image_is_like_itself(scene):
    labels, image = scene
    figures = compared([image], [image], [labels], SCALE)
    assert figures["CV"] == pytest.approx(1)
    assert figures["spectrum"] == pytest.approx(0)
    assert figures["KS grey"] == figures["KS objects"] == 0


def test_texture_that_lacks_is_seen(scene):
    labels, image = scene
    rough = image + (labels > 0) * 20 * np.random.default_rng(0).standard_normal(labels.shape)
    figures = compared([rough], [image], [labels], SCALE)
    assert figures["CV"] < 0.5
    assert figures["spectrum"] > 0.3


def test_edges_are_told_with_their_spread(scene, photograph):
    labels, _ = scene
    found = edge_figures([photograph(labels, 0.4)], [labels])
    assert found["edge"] == pytest.approx(-0.4, abs=0.08)
    assert found["edge spread"] < 0.2
    assert found["edge spread 95"] < 0.6


def test_variation_is_that_of_the_light_above_the_ground(draw):
    labels = draw((80, 80), [(40, 40)], [25])
    grain = np.random.default_rng(0).standard_normal(labels.shape)
    image = 1000 + (labels > 0) * (200 + 30 * grain)
    assert variations(image, labels) == pytest.approx([0.15], rel=0.05)


def test_a_wave_lies_in_one_band():
    wave = np.sin(2 * np.pi * np.arange(128) / 8) * np.ones((128, 1))
    powers = spectrum([wave])
    assert powers.shape == (BANDS,)
    limits = np.geomspace(1 / 64, 0.5, BANDS + 1)
    assert limits[powers.argmax()] <= 1 / 8 <= limits[powers.argmax() + 1]
    assert np.sort(powers)[-3] < 0.01 * powers.max()
