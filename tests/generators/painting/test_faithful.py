"""Where the own light of objects ends: as it was drawn, and at the labels in painted scenes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from generators.painting.faithful import Ends, ends, faithfulness, groups
from generators.recipe import parse
from generators.texture import LEARNED


@pytest.fixture
def pair():
    """Two discs that touch along a straight border."""
    y, x = np.indices((64, 90))
    left, right = np.hypot(y - 31.3, x - 30.4) < 18, np.hypot(y - 31.3, x - 58.4) < 18
    return np.where(left & (x < 44.5), 1, 0) + np.where(right & (x > 44.5), 2, 0)


def drawn(labels, beyond):
    """Return the light of the first object, its border to the second one moved, blurred."""
    fine = (labels == 1).repeat(10, axis=0).repeat(10, axis=1)
    if beyond < 0:
        fine[:, round(450 + 10 * beyond) :] = False
    else:
        fine[:, 450 : round(450 + 10 * beyond)] |= fine[:, 449:450]
    return ndimage.gaussian_filter(1.0 * fine, 14).reshape(64, 10, 90, 10).mean(axis=(1, 3))


@pytest.mark.parametrize("beyond", [-0.5, 0.0, 0.7])
def test_the_border_is_found_where_it_was_drawn(pair, beyond):
    found = ends(drawn(pair, beyond), pair, [1])
    assert found.touching.size > 10
    assert np.nanmedian(found.touching) == pytest.approx(beyond, abs=0.1)
    assert np.nanmedian(found.isolated) == pytest.approx(0, abs=0.08)
    assert found.isolated.size > 50


def test_without_objects_there_is_nothing_to_find(pair):
    assert ends(np.zeros(pair.shape), pair, []) == Ends(*(pytest.approx(np.zeros(0)),) * 2)
    assert groups(np.zeros((8, 8), np.uint8)) == []


def test_where_there_is_no_light_nothing_is_found(pair):
    found = ends(np.zeros(pair.shape), pair, [1])
    assert np.isnan(found.isolated).all()
    assert np.isnan(found.touching).all()


def test_objects_of_a_group_are_apart(draw):
    labels = draw((80, 80), [(y, x) for y in (20, 40, 60) for x in (20, 40, 60)], [10] * 9)
    found = groups(labels)
    assert sorted(np.concatenate(found).tolist()) == list(range(1, 10))
    for group in found:
        for one in group:
            others = np.isin(labels, group[group != one])
            away = ndimage.distance_transform_edt(labels != one)
            assert not others.any() or away[others].min() >= 9


@pytest.mark.slow
@pytest.mark.parametrize("painter", LEARNED)
def test_light_of_shipped_painters_ends_at_the_label(painter):
    pytest.importorskip("torch")
    recipe = parse(
        {
            "name": "touching",
            "version": "1.0.0",
            "size": 192,
            "splits": {"test": 4},
            "layout": {"density": 0.3, "clustering": 0.6, "overlap": 0.1},
            "nuclei": {"diameter": 28.8},
            "shading": {"painter": painter},
            "optics": {"blur": 0.0, "haze": 0.0},
        }
    )
    found = faithfulness(recipe)
    for kind in ("isolated", "touching"):
        assert found[kind] > 100
        assert found[f"{kind} found"] > 0.85
        assert abs(found[f"{kind} median"]) <= 0.15  # of many scenes .1: docs/models
        assert found[f"{kind} spread"] <= 0.25
        assert found[f"{kind} spread 95"] <= 0.8
