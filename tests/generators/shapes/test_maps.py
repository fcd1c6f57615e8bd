"""Maps of outlines: there and back, and what shows no outline."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from generators.polygons import Window, area, contains, is_simple
from generators.shapes.geometry import moments, stacked, turned
from generators.shapes.maps import VERTICES, MapSettings, fitted, maps_of, outlines_of
from generators.shapes.measures import measured
from generators.shapes.styles import irregularity

RESIDUAL, DISTANCE = MapSettings(), MapSettings("distance", resolution=32)


def overlap(one, other):
    """Shared over joint pixels of two outlines at 28 px to the unit, whichever way they lie."""
    window = Window(-48, -48, 96, 96)
    first = contains(one * 28, window)
    best = 0.0
    for flip_y in (1, -1):
        for flip_x in (1, -1):
            second = contains(other * 28 * np.array([flip_y, flip_x]), window)
            best = max(best, (first & second).sum() / (first | second).sum())
    return best


def laid(stack):
    about = moments(stack)
    return turned(stack - about.centroid[:, None], -about.angle)


@pytest.mark.parametrize("whitening", [0.0, 1.0])
def test_an_outline_comes_back_from_its_residual(nuclei, whitening):
    nuclei = nuclei[:100]
    wanted = fitted(MapSettings(whitening=whitening), nuclei)
    maps, frames = maps_of(nuclei, wanted)
    assert maps.shape == (100, 1, 24, 24)
    assert maps.dtype == np.float32
    assert abs(maps).max() <= 1
    back = outlines_of(maps, frames, wanted)
    assert sum(outline is None for outline in back) <= 2
    shared = [
        overlap(one, other)
        for one, other in zip(laid(nuclei), back, strict=True)
        if other is not None
    ]
    assert np.median(shared) > 0.96
    # What matters is that the dents come back, not only the ellipse.
    rough = irregularity(stacked([outline for outline in back if outline is not None]))
    true = irregularity(nuclei[[outline is not None for outline in back]])
    assert np.corrcoef(rough, true)[0, 1] > 0.95
    assert np.median(rough / true) == pytest.approx(1, abs=0.06)


def test_an_outline_comes_back_from_its_distances_where_it_was(nuclei):
    maps, frames = maps_of(nuclei[:50], DISTANCE)
    centred = nuclei[:50] - moments(nuclei[:50]).centroid[:, None]
    shown = outlines_of(maps, None, DISTANCE)
    for one, other in zip(centred, shown, strict=True):
        window = Window(-48, -48, 96, 96)
        both = contains(one * 28, window), contains(other * 28, window)
        assert (both[0] & both[1]).sum() / (both[0] | both[1]).sum() > 0.93
    about = moments(np.stack(shown))
    assert about.diameter == pytest.approx(frames[:, 0], rel=0.03)
    assert about.elongation == pytest.approx(frames[:, 1], rel=0.05)


@pytest.mark.parametrize("wanted", [RESIDUAL, DISTANCE], ids=["residual", "distance"])
def test_sizes_and_elongations_are_exactly_those_given(nuclei, wanted):
    maps, _ = maps_of(nuclei[:60], wanted)
    frames = np.stack([np.linspace(0.2, 3, 60), np.linspace(1, 4, 60)], axis=1)
    outlines = outlines_of(maps, frames, wanted)
    stack = np.stack(outlines)
    assert stack.shape == (60, VERTICES, 2)
    about = moments(stack)
    assert about.diameter == pytest.approx(frames[:, 0], rel=1e-9)
    assert about.elongation == pytest.approx(frames[:, 1], rel=1e-6)
    assert about.centroid == pytest.approx(np.zeros((60, 2)), abs=1e-9)
    assert (about.area > 0).all()
    assert all(is_simple(outline) for outline in stack)
    if wanted.kind == "residual":
        assert about.angle[1:] == pytest.approx(np.zeros(59), abs=1e-6)


def test_frames_are_what_outlines_measure(ellipse):
    _, frames = maps_of([ellipse(1.0, 0.5), 2 * ellipse(0.5, 0.5)], RESIDUAL)
    assert frames == pytest.approx(np.array([[np.sqrt(2), 2], [2, 1]]), rel=1e-3)


def test_an_ellipse_leaves_nothing_whatever_its_frame(ellipse):
    stack = [ellipse(2, 1), turned(ellipse(3, 1)[None], np.array([0.7]))[0] + 5, ellipse(1, 1)]
    maps, _ = maps_of(stack, RESIDUAL)
    assert abs(maps).max() < 0.03


def test_a_residual_takes_its_resolution_from_the_settings_alone(nuclei):
    coarse = maps_of(nuclei[:20], RESIDUAL)[0]
    fine = maps_of(nuclei[:20], replace(RESIDUAL, resolution=48))[0]
    halved = fine.reshape(20, 1, 24, 2, 24, 2).mean(axis=(3, 5))
    assert np.corrcoef(coarse.ravel(), halved.ravel())[0, 1] > 0.97


def test_what_is_fitted_fills_the_range(nuclei):
    wanted = fitted(replace(RESIDUAL, knee=7.0, scale=1.0), nuclei[:100])
    maps, _ = maps_of(nuclei[:100], wanted)
    assert np.mean(abs(maps) >= 1) == pytest.approx(0.001, abs=5e-4)
    residuals = wanted.knee * np.sinh(wanted.scale * maps.astype(float))
    assert residuals.std() == pytest.approx(wanted.knee, rel=0.03)
    assert fitted(DISTANCE, nuclei) == DISTANCE


def test_perfect_ellipses_can_be_fitted_to(ellipse):
    wanted = fitted(RESIDUAL, [ellipse(2, 1)] * 3)
    assert abs(maps_of([ellipse(2, 1)], wanted)[0]).max() <= 1


def plane(size=32):
    return np.full((1, 1, size, size), -1.0)


def drawn(inside):
    made = plane()
    for rows, columns, value in inside:
        made[0, 0, rows, columns] = value
    return outlines_of(made, None, DISTANCE)[0]


BLOCK = (slice(8, 24), slice(8, 24), 1.0)


@pytest.mark.parametrize(
    "inside",
    [
        [],
        [(slice(None), slice(None), 1.0)],
        [(slice(8, 12), slice(8, 12), 1.0), (slice(20, 26), slice(20, 26), 1.0)],
        [BLOCK, (slice(14, 18), slice(14, 18), -1.0)],
        [(slice(8, 24), slice(0, 12), 1.0)],
        [(slice(8, 24), slice(20, 32), 1.0)],
        [(slice(16, 17), slice(16, 17), 1.0)],
        [BLOCK, (3, 3, np.nan)],
        [BLOCK, (10, 10, np.inf)],
    ],
    ids=["nothing", "all", "two", "hole", "left", "right", "speck", "NaN", "infinite"],
)
def test_what_is_not_one_whole_piece_is_none(inside):
    assert drawn([BLOCK]) is not None
    assert drawn(inside) is None


def test_extreme_residuals_are_none():
    maps = np.stack([np.full((1, 24, 24), value) for value in (-1.0, 1.0, -9.0, 9.0, np.nan)])
    assert all(outline is None for outline in outlines_of(maps, np.ones((5, 2)), RESIDUAL))


@given(
    noise=arrays.arrays(np.float32, (3, 1, 16, 16), elements=st.floats(-1, 1, width=32)),
    kind=st.sampled_from(["residual", "distance"]),
)
@settings(max_examples=60, deadline=None)
def test_noise_gives_sound_outlines_or_none(noise, kind):
    frames = np.array([[1.0, 1.5], [0.5, 1.0], [2.0, 3.0]])
    for outline, frame in zip(
        outlines_of(noise / 4, frames, MapSettings(kind, resolution=16)), frames, strict=True
    ):
        if outline is not None:
            assert is_simple(outline)
            assert area(outline) == pytest.approx(np.pi / 4 * frame[0] ** 2)


def test_none_of_any_are_none():
    maps, frames = maps_of([], RESIDUAL)
    assert (maps.shape, frames.shape) == ((0, 1, 24, 24), (0, 2))
    assert outlines_of(maps, frames, RESIDUAL) == []


def test_a_residual_needs_a_frame():
    with pytest.raises(ValueError, match="give frames"):
        outlines_of(np.zeros((1, 1, 24, 24)), None, RESIDUAL)


@pytest.mark.parametrize("wanted", [MapSettings(whitening=0.5, knee=0.3), DISTANCE])
def test_json_gives_the_same_settings(wanted):
    assert MapSettings.from_json(wanted.to_json()) == wanted


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "binary"},
        {"resolution": 7},
        {"resolution": 24.0},
        {"radius": 0.6},
        {"width": 0},
        {"knee": float("nan")},
        {"scale": "3"},
        {"clip": -1.0},
        {"reach": 3},
    ],
)
def test_wrong_settings_are_refused(changes):
    with pytest.raises((ValueError, TypeError)):
        MapSettings(**changes)


@pytest.mark.slow
def test_real_nuclei_keep_their_dents(shared_data):
    from benchmark.dataset import open_any
    from generators.shapes.cutting import real_shapes

    real = stacked(real_shapes([open_any(shared_data / "bbbc039")], split="val").outlines)
    some = real[np.random.default_rng(0).permutation(len(real))[:800]]
    wanted = fitted(RESIDUAL, some)
    back = outlines_of(*maps_of(some, wanted), wanted)
    assert sum(outline is None for outline in back) <= 2
    made, true = measured(np.stack([o for o in back if o is not None])), measured(real)
    apart = stats.ks_2samp(made.smooth_solidity, true.smooth_solidity).statistic
    dented = np.mean(made.smooth_solidity < np.quantile(true.smooth_solidity, 0.1))
    print(f"KS of low-passed solidity {apart:.3f}, dented {dented:.3f}")
    assert apart < 0.07
    assert dented == pytest.approx(0.1, abs=0.03)
