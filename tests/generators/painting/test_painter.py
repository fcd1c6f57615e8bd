"""Painted light: the same each time and however it is cut up, quiet where nothing is."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from generators.painting import painter as module  # noqa: E402
from generators.painting.errors import PainterError  # noqa: E402
from generators.painting.painter import Painter, named  # noqa: E402
from generators.seeds import Seed  # noqa: E402

SEED = Seed.root(3)


@pytest.fixture
def labels(draw):
    return draw((75, 90), [(20, 20), (50, 60), (30, 80)], [10, 14, 9])


def test_same_seed_same_light(painter, labels):
    one, two = painter.paint(labels, SEED), Painter(painter.path).paint(labels, SEED)
    assert (one.signal == two.signal).all()
    assert (one.background == two.background).all()
    assert not (painter.paint(labels, Seed.root(4)).signal == one.signal).all()


def test_threads_of_the_caller_do_not_matter(painter, labels):
    before = torch.get_num_threads()
    one = painter.paint(labels, SEED)
    torch.set_num_threads(2)
    two = painter.paint(labels, SEED)
    assert torch.get_num_threads() == 2
    torch.set_num_threads(before)
    assert (one.signal == two.signal).all()


def test_a_picture_in_tiles_is_the_whole_picture(painter, labels, monkeypatch):
    wide = np.tile(labels, (4, 5))
    whole = painter.paint(wide, SEED)
    monkeypatch.setattr(module, "TILE", 128)
    parts = painter.paint(wide, SEED)
    assert np.abs(parts.signal - whole.signal).max() <= module.GRID


def test_light_is_in_steps_that_hide_last_bits(painter, labels):
    light = painter.paint(labels, SEED)
    for plane in light:
        assert (np.rint(plane / module.GRID) * module.GRID == plane).all()
    assert (light.signal + light.background >= 0).all()


def test_objects_are_as_bright_as_their_codes_say(painter, labels):
    mood = painter.mood(0.2, SEED)
    codes = np.tile(mood.typical, (4, 1))
    codes[2] = painter.code(mood, 400, SEED, variation=0, brightness=2)
    light = painter.paint(labels, SEED, codes=codes, mood=mood).signal
    assert light[20, 20] == pytest.approx(1, abs=0.15)
    assert 1.2 < light[50, 60] / light[20, 20] < 2.5


def test_dials_are_about_the_median_object(painter):
    mood = painter.mood(0.2, SEED)
    assert painter.code(mood, 400, SEED, variation=0)[0] == pytest.approx(mood.typical[0])
    near, far = (painter.code(mood, 400, SEED, variation=v) for v in (1, 2))
    assert far[0] - mood.typical[0] == pytest.approx(2 * (near[0] - mood.typical[0]))
    rough = painter.code(mood, 400, SEED, texture=2)
    assert rough[1:] - near[1:] == pytest.approx(np.log(2))


def test_one_object_alone_and_none(painter, draw):
    one = painter.paint(draw((40, 40), [(20, 20)], [9]), SEED)
    assert one.signal[20, 20] > 0.3
    none = painter.paint(np.zeros((40, 40), np.uint16), SEED)
    assert np.isfinite(none.signal).all()
    assert none.background.min() > 0


def test_unknown_painters_are_named():
    with pytest.raises(PainterError, match="no painter 'nuclie'") as error:
        named("nuclie")
    assert "nuclei" in str(error.value)
    with pytest.raises(PainterError, match="there is no painter here"):
        named("nowhere.safetensors")
