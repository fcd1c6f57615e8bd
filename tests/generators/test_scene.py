"""Layouts: the number, density, gap and overlap asked for hold, and who is on top is explicit."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from generators.outlines import Shape
from generators.polygons import area, contains, distance, window_of
from generators.scene import SMALLEST, Canvas, Layout, Nucleus, lay_out
from generators.seeds import Seed
from generators.truth import Truth, gaps, hidden, touching

SMALL = Shape(diameter=14)


def scene(seed=0, shape=(128, 128), nuclei=SMALL, **dials):
    return lay_out(shape, Layout(**dials), nuclei, Seed.root(seed))


def disc(y, x, radius, height=0.5, index=0):
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    ring = np.stack([np.sin(angle), np.cos(angle)], axis=1)
    return Nucleus(index, ring * radius + [y, x], height, condensed=False)


@pytest.mark.parametrize("count", [0, 1, 7, 25])
def test_count_is_the_number_seen(count):
    canvas = scene(count=count)
    seen = canvas.top[canvas.frame]
    assert np.unique(seen[seen > 0]).size == count


@pytest.mark.parametrize("density", [0.05, 0.2, 0.35])
def test_density_is_the_share_covered(density):
    covered = [np.mean(scene(k, density=density).top[canvas_frame(k)] > 0) for k in range(4)]
    one = np.pi * 14**2 / 4 / 128**2
    assert density <= np.mean(covered) < density + 1.5 * one


def canvas_frame(_seed):
    pad = int(np.ceil(1.5 * SMALL.diameter))
    return slice(pad, pad + 128), slice(pad, pad + 128)


def test_no_density_is_an_empty_scene():
    assert scene(density=0).nuclei == []


def test_a_full_scene_ends():
    assert 0.3 < (scene(density=0.9).top > 0).mean() < 0.9


@pytest.mark.parametrize("gap", [0.0, 1.5, 6.0])
@pytest.mark.parametrize("clustering", [0.0, 1.0])
def test_gap_holds_between_all_pairs(gap, clustering):
    outlines = [
        n.outline for n in scene(density=0.25, overlap=0, gap=gap, clustering=clustering).nuclei
    ]
    apart = [distance(a, b) for k, a in enumerate(outlines) for b in outlines[:k]]
    assert min(apart) >= gap
    if clustering:
        assert np.median(gaps(outlines)) < gap + 3


def test_without_overlap_nothing_is_hidden():
    truth = Truth.of(scene(density=0.3, overlap=0, gap=0), None)
    assert (hidden(truth.outlines["nuclei"], truth.labels["nuclei"]) == 0).all()


@pytest.mark.parametrize("limit", [0.1, 0.4])
def test_overlap_hides_up_to_its_limit(limit):
    shares = []
    for seed in range(3):
        truth = Truth.of(scene(seed, density=0.3, overlap=1, max_hidden=limit), None)
        shares += list(hidden(truth.outlines["nuclei"], truth.labels["nuclei"]))
    assert max(shares) <= limit
    assert np.mean(np.array(shares) > 0) > 0.2


def test_more_clustering_means_more_touching():
    def touched(clustering):
        scenes = [scene(k, density=0.15, clustering=clustering, overlap=0) for k in range(4)]
        return np.mean([t for s in scenes for t in touching(Truth.of(s, None).labels["nuclei"])])

    assert touched(0.9) > touched(0.0) + 0.2


@pytest.mark.parametrize("seed", range(4))
def test_every_label_is_one_piece_and_not_a_speck(seed):
    canvas = scene(seed, density=0.4, overlap=0.6, nuclei=Shape(diameter=12, dents=0.5))
    labels = Truth.of(canvas, None).labels["nuclei"]
    for label in range(1, labels.max() + 1):
        assert ndimage.label(labels == label)[1] == 1
        assert (labels == label).sum() >= SMALLEST


def test_labels_are_the_outlines_painted_from_the_lowest_up():
    canvas = scene(2, density=0.35, overlap=0.7)
    painted = np.zeros(canvas.shape, int)
    for k in np.argsort([n.height for n in canvas.nuclei]):
        window = window_of(canvas.nuclei[k].outline).clipped(*canvas.shape)
        painted[window.slices][contains(canvas.nuclei[k].outline, window)] = k + 1
    assert (painted == canvas.top[canvas.frame]).all()


def test_the_higher_one_is_seen_whichever_comes_first():
    for heights in ((0.2, 0.9), (0.9, 0.2)):
        canvas = Canvas((40, 40), pad=5)
        assert canvas.place(disc(20, 14, 8, heights[0]), 0.9)
        assert canvas.place(disc(20, 24, 8, heights[1]), 0.9)
        assert canvas.top[canvas.frame][20, 19] == 1 + int(heights[1] > heights[0])


def test_hiding_too_much_is_refused_and_changes_nothing():
    canvas = Canvas((40, 40), pad=5)
    assert canvas.place(disc(20, 20, 8, 0.1), 0.2)
    before = canvas.top.copy()
    assert not canvas.place(disc(20, 24, 8, 0.9), 0.2)
    assert not canvas.place(disc(20, 24, 8, 0.0), 0.2)
    assert (canvas.top == before).all()
    assert len(canvas.nuclei) == 1


def test_tearing_one_in_two_is_refused():
    canvas = Canvas((60, 60), pad=5)
    bar = np.array([[25.0, 5.0], [25.0, 55.0], [35.0, 55.0], [35.0, 5.0]])
    assert canvas.place(Nucleus(0, bar, 0.1, condensed=False), 0.9)
    assert not canvas.place(disc(30, 30, 8, 0.9), 0.9)
    assert canvas.place(disc(30, 30, 3, 0.9), 0.9)


def test_a_sliver_in_the_frame_is_refused():
    canvas = Canvas((40, 40), pad=20)
    assert not canvas.place(disc(20, -7.2, 8), 0.5)
    assert canvas.place(disc(20, -12, 8), 0.5)
    assert canvas.place(disc(20, -2, 3.9, 0.9), 0.5)


def test_a_denser_scene_keeps_the_nuclei_of_the_sparser_one():
    sparse, dense = (scene(3, density=d).nuclei for d in (0.1, 0.25))
    assert len(sparse) < len(dense)
    for a, b in zip(sparse, dense, strict=False):
        assert (a.outline == b.outline).all()


def test_the_border_has_its_share_of_nuclei():
    centres = np.concatenate(
        [[n.outline.mean(0) for n in scene(k, density=0.2, clustering=0).nuclei] for k in range(12)]
    )
    inside = ((centres > 0) & (centres < 128)).all(axis=1)
    assert inside.mean() == pytest.approx(128**2 / (128 + 42) ** 2, abs=0.06)


@pytest.mark.parametrize("source", ["ellipse", "outlines"])
def test_shapes_come_from_the_source_named(source):
    canvas = scene(shape=(256, 256), nuclei=Shape(shapes=source, diameter=20), count=60)
    diameters = [np.sqrt(4 * abs(area(n.outline)) / np.pi) for n in canvas.nuclei]
    assert len(diameters) >= 60
    assert np.median(diameters) == pytest.approx(20, rel=0.08)
    assert {len(n.outline) for n in canvas.nuclei} == {128}
    again = scene(shape=(256, 256), nuclei=Shape(shapes=source, diameter=20), count=60)
    assert all(
        (a.outline == b.outline).all() for a, b in zip(canvas.nuclei, again.nuclei, strict=True)
    )
