"""The painters that are shipped: faithful edges, quiet ground, texture like the real one."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from generators.painting.conditioning import Geometry  # noqa: E402
from generators.painting.edges import edges  # noqa: E402
from generators.painting.files import load  # noqa: E402
from generators.painting.painter import HOME, named  # noqa: E402
from generators.seeds import Seed  # noqa: E402
from generators.texture import LEARNED  # noqa: E402

pytestmark = pytest.mark.slow
SEED = Seed.root(1)


@pytest.fixture(params=LEARNED)
def painter(request):
    return named(request.param)


@pytest.fixture
def labels(draw):
    centres = [(y, x) for y in (30, 90) for x in (30, 90, 150)]
    return draw((120, 180), centres, [12, 13, 14, 15, 13.5, 12.5])


def test_edges_are_where_the_labels_say(painter, labels):
    shifts = []
    for k in range(4):
        light = painter.paint(labels, SEED.at(k))
        whole = light.signal + light.background
        shifts.append(edges(whole, Geometry.of(labels)).shifts)
    found = np.concatenate(shifts)
    assert len(found) > 800
    assert abs(np.median(found)) < 0.25
    assert np.median(np.abs(found - np.median(found))) < 0.22


def test_an_empty_scene_is_quiet(painter):
    light = painter.paint(np.zeros((128, 128), np.uint16), SEED)
    assert np.abs(light.signal).max() < 0.25
    assert light.signal.std() < 0.05


def test_nuclei_are_as_bright_as_they_should_be(painter, labels):
    mood = painter.mood(0.2, SEED)
    codes = np.tile(mood.typical, (7, 1))
    signal = painter.paint(labels, SEED, codes=codes, mood=mood).signal
    inside = Geometry.of(labels).signed > 4
    assert signal[inside].mean() == pytest.approx(1, abs=0.15)
    assert 0.03 < signal[inside].std() / signal[inside].mean() < 0.3


def test_files_are_small_and_say_where_they_come_from(painter):
    assert painter.path.parent == HOME
    assert painter.path.stat().st_size < 5_000_000
    notes = load(painter.path).notes
    assert {"command", "data digest", "images", "options", "pictures"} <= set(notes)
