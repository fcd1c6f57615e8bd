"""Cells: each holds its nucleus, none overlaps, each is one piece."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from generators.cells import Cells, grow, light
from generators.outlines import Shape
from generators.scene import Layout, lay_out
from generators.seeds import Seed


def grown_on(seed=0, *, density=0.2, **dials):
    nuclei, cells = Shape(diameter=16), Cells(**dials)
    canvas = lay_out((120, 120), Layout(density=density), nuclei, Seed.root(seed), pad=40)
    seeds = [Seed.root(seed).at(n.index) for n in canvas.nuclei]
    return canvas, grow(canvas.top, canvas.centres + 40, 16, cells, seeds), cells


@pytest.mark.parametrize("seed", range(3))
def test_each_cell_is_one_piece_round_its_nucleus(seed):
    canvas, grown, _ = grown_on(seed)
    assert (grown.labels[canvas.top > 0] == canvas.top[canvas.top > 0]).all()
    for number in range(1, len(canvas.nuclei) + 1):
        assert ndimage.label(grown.labels == number)[1] == 1


def test_a_lone_cell_reaches_as_far_as_asked():
    nuclei = np.zeros((101, 101), np.int32)
    y, x = np.mgrid[:101, :101] - 50
    nuclei[y**2 + x**2 < 8**2] = 1
    cells = Cells(reach=0.5, reach_variation=0, cell_irregularity=0)
    grown = grow(nuclei, np.array([[50.0, 50.0]]), 16, cells, [Seed.root(0)])
    radius = np.sqrt((grown.labels == 1).sum() / np.pi)
    assert radius == pytest.approx(8 + 8, abs=0.6)


def test_wider_reach_covers_more():
    areas = [(grown_on(1, reach=reach)[1].labels > 0).sum() for reach in (0.2, 0.5, 1.0)]
    assert areas == sorted(areas)
    assert areas[0] < areas[-1]


def test_no_nuclei_no_cells():
    canvas, grown, cells = grown_on(density=0)
    assert grown.labels.max() == 0
    rng = Seed.root(0).generator()
    assert light(grown, canvas.top, 16, cells, rng).sum() == 0


def test_light_stays_in_the_cells():
    canvas, grown, cells = grown_on(2)
    shown = light(grown, canvas.top, 16, cells, Seed.root(0).generator())
    assert (shown[grown.labels == 0] == 0).all()
    assert (shown[canvas.top > 0] > 0).all()
