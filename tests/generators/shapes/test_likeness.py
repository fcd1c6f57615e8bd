"""Twins, copies and coverage: by hand on ellipses, and against overlaps taken one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.polygons import Window, contains
from generators.shapes.geometry import aligned, stacked, turned
from generators.shapes.likeness import TWIN, copies, coverage, overlaps, rasters, twins


@pytest.fixture
def ellipses(ellipse):
    """A stack of ellipses of given ratios of the axes."""

    def made(*ratios):
        return stacked([ellipse(np.sqrt(r), 1 / np.sqrt(r)) for r in ratios])

    return made


def test_a_shape_overlaps_itself_wholly_in_any_pose(nuclei):
    some = nuclei[:30]
    moved = turned(some, np.linspace(0, 6, 30)) * 5 + 7
    mirrored = stacked([outline * [-1, 1] for outline in moved])
    for other in (moved, mirrored):
        same = overlaps(rasters(some), rasters(other)).diagonal()
        assert same.min() > 0.95
        assert np.median(same) > 0.985


def test_the_overlap_of_two_ellipses(ellipses):
    # What two concentric shapes share is bounded by the smaller of their radii.
    u, v = np.sqrt(1.2), np.sqrt(2.0)
    found = overlaps(rasters(ellipses(1.2)), rasters(ellipses(2.0)))[0, 0]
    angle = np.arange(4000) * (np.pi / 2 / 4000)
    radius = [1 / np.sqrt((np.cos(angle) / w) ** 2 + (np.sin(angle) * w) ** 2) for w in (u, v)]
    inner = np.mean(np.minimum(*radius) ** 2) * np.pi / 4
    assert found == pytest.approx(inner / (np.pi / 2 - inner), abs=0.02)


def test_overlaps_are_those_of_masks(nuclei):
    some = aligned(nuclei[:12]) * 32
    masks = np.array([contains(o - 0.5, Window(-20, -32, 40, 64)) for o in some])
    table = overlaps(rasters(nuclei[:12]), rasters(nuclei[:12]))
    for i in range(12):
        for j in range(12):
            flips = (masks[i], masks[i, ::-1], masks[i, :, ::-1], masks[i, ::-1, ::-1])
            best = max((f & masks[j]).sum() / (f | masks[j]).sum() for f in flips)
            assert table[i, j] == pytest.approx(best, abs=1e-6)


def test_twins_are_counted_among_the_others(ellipses):
    assert twins(rasters(ellipses(1.2, 1.6, 2.2))) == 0
    assert twins(rasters(ellipses(1.2, 1.6, 1.2, 2.2))) == 0.5


def test_copies_are_counted_among_the_training_shapes(ellipses):
    assert copies(rasters(ellipses(1.2, 1.2, 1.6, 3)), rasters(ellipses(3, 5))) == 0.25


@given(seed=st.integers(0, 2**32 - 1), pixels=st.integers(0, 14))
@settings(max_examples=25)
def test_no_twin_is_missed(seed, pixels):
    # Rasters of one shape, each with a few pixels turned over and flipped somehow: many are near.
    rng = np.random.default_rng(seed)
    y, x = np.indices((40, 64)) - np.array([19.5, 31.5])[:, None, None]
    base = (y / 14) ** 2 + (x / 18) ** 2 < 1
    masks = np.repeat(base[None], 12, axis=0)
    for k, mask in enumerate(masks):
        some = rng.integers(0, [40, 64], (pixels + k % 3, 2))
        mask[some[:, 0], some[:, 1]] ^= True
        mask[:] = mask[:: rng.choice([1, -1]), :: rng.choice([1, -1])]
    bits = np.packbits(masks.reshape(12, -1), axis=1)
    table = overlaps(bits, bits)
    np.fill_diagonal(table, 0)
    assert twins(bits) == np.mean(table.max(axis=1) > TWIN)
    assert copies(bits[:5], bits[5:]) == np.mean(table[:5, 5:].max(axis=1) > TWIN)


def test_coverage_is_whole_for_the_real_shapes_and_little_for_one_of_them(nuclei):
    real = rasters(nuclei[:100])
    assert coverage(real, real) == 1
    assert 0 < coverage(real[:1], real) < 0.5


def test_blocks_do_not_show(nuclei, monkeypatch):
    bits = rasters(nuclei[:50])
    whole = overlaps(bits, bits)
    share = copies(bits[:40], bits[10:])
    for name in ("_BLOCK", "_ROWS"):
        monkeypatch.setattr(f"generators.shapes.likeness.{name}", 7)
    assert (overlaps(bits, bits) == whole).all()
    assert copies(bits[:40], bits[10:]) == share == 0.75
