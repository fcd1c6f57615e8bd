"""Distractors: as many as asked for, never labelled, never on a nucleus."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from generators.distractors import Distractors, light
from generators.outlines import Shape
from generators.render import render
from generators.scene import Layout, lay_out
from generators.seeds import Seed

SHAPE = Shape(diameter=20)
SEED = Seed.root(3)


@pytest.fixture(scope="module")
def canvas():
    return lay_out((200, 220), Layout(density=0.15), SHAPE, SEED.at("layout"))


@pytest.fixture(scope="module")
def bare():
    return lay_out((400, 400), Layout(density=0), SHAPE, SEED.at("layout"))


def test_none_unless_asked_for(canvas):
    made = light(canvas, SHAPE, Distractors(), SEED)
    assert not made.sharp.any()
    assert not made.soft.any()


@pytest.mark.parametrize("kind", ["dead", "clumps"])
def test_they_lie_on_free_ground(canvas, kind):
    made = light(canvas, SHAPE, Distractors(**{kind: 1500}), SEED)
    assert made.sharp.any()
    on_nuclei = made.sharp[canvas.top > 0]
    assert on_nuclei.max() < 1e-9


def test_dead_cells_are_small_bright_and_in_pieces(bare):
    made = light(bare, SHAPE, Distractors(dead=60, dead_level=3), SEED)
    pieces, number = ndimage.label(made.sharp > 1.0)
    areas = ndimage.sum_labels(pieces > 0, pieces, range(1, number + 1))
    nucleus = np.pi * 100
    assert number > 60 * made.sharp.size / 1e6
    assert np.median(areas) < 0.3 * nucleus
    assert np.median(made.sharp[made.sharp > 1.0]) == pytest.approx(3, rel=0.3)


def test_there_are_as_many_as_asked_for(bare):
    expected = 40 * bare.top.size / 1e6
    numbers = []
    for k in range(30):
        made = light(bare, SHAPE, Distractors(clumps=40), SEED.at(k))
        numbers.append(ndimage.label(made.sharp > 0)[1])
    assert np.mean(numbers) == pytest.approx(expected, rel=0.15)


def test_more_leave_those_there(bare):
    few, many = (light(bare, SHAPE, Distractors(dead=n), SEED).sharp for n in (30, 90))
    assert (many >= few - 1e-12).all()
    assert many.sum() > few.sum()


def test_what_is_out_of_focus_is_smooth_and_as_wide_as_asked(bare):
    made = light(bare, SHAPE, Distractors(out_of_focus=50, out_of_focus_blur=0.5), SEED)
    assert made.soft.max() > 0.1
    assert np.abs(np.diff(made.soft, axis=0)).max() < 0.12
    assert not made.sharp.any()


def test_stray_light_falls_from_one_side(bare):
    made = light(bare, SHAPE, Distractors(stray_light=2), SEED)
    frame = made.soft[bare.frame]
    assert frame.max() == pytest.approx(2, rel=0.1)
    assert frame.min() < 0.5
    assert np.abs(np.diff(frame, axis=1)).max() < 0.05


def test_labels_and_objects_are_as_without_them(scene_of):
    settings = scene_of()
    crowded = replace(
        settings, distractors=Distractors(dead=400, clumps=400, out_of_focus=300, stray_light=0.3)
    )
    a, b = render(settings, SEED), render(crowded, SEED)
    assert (a.labels["nuclei"] == b.labels["nuclei"]).all()
    assert a.objects["outline_area"].equals(b.objects["outline_area"])
    light_of = [(m.expected[0] - 100) / m.gains[0] for m in (a, b)]
    assert (light_of[1] > light_of[0] + 50).any()
