"""Edges of scenes that are known exactly: offsets are found to .05 px, whatever blur and noise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from benchmark.audit.edges import CERTAIN, edges
from benchmark.audit.faithfulness import measured


def median_of(disc, n=6, **how):
    found = [edges(*disc(seed=seed, radius=11 + seed, **how)) for seed in range(n)]
    used = sum(one.isolated.size for one in found) / sum(one.n_isolated for one in found)
    return np.concatenate([one.isolated for one in found]), used


@pytest.mark.parametrize("blur", [0.7, 1.3, 2.0])
@pytest.mark.parametrize("offset", [-0.44, 0.0, 0.25, 0.8])
def test_offsets_are_found(disc, blur, offset):
    found, used = median_of(disc, offset=offset, blur=blur)
    assert np.median(found) == pytest.approx(offset, abs=0.05)
    assert np.quantile(np.abs(found - offset), 0.95) < 0.3
    assert used > 0.95


def test_noise_spreads_them_but_moves_nothing(disc):
    clean, _ = median_of(disc, offset=0.3)
    noisy, used = median_of(disc, offset=0.3, noise=6)
    assert np.median(noisy) == pytest.approx(0.3, abs=0.05)
    assert np.std(clean) < np.std(noisy) < 0.25
    assert used > 0.8


def test_where_noise_drowns_the_edge_nothing_is_claimed(disc):
    found, used = median_of(disc, n=3, noise=60)
    assert used < 0.1
    assert found.size < 30
    assert CERTAIN == 0.15


def test_light_that_is_uneven_across_an_object_matters_little(disc):
    found, _ = median_of(disc, offset=0.2, shading=0.4)
    assert np.median(found) == pytest.approx(0.2, abs=0.05)


def test_gain_and_offset_of_the_camera_do_not_matter(disc):
    image, labels = disc(0.3, noise=3)
    first, second = edges(image, labels), edges(7 * image + 300, labels)
    np.testing.assert_allclose(first.isolated, second.isolated, atol=1e-9)


def test_shading_towards_the_edge_shows_in_the_level_of_the_whole(disc):
    image, labels = disc(blur=1.0)
    depth = ndimage.distance_transform_edt(labels)
    domed = 20 + (image - 20) * (0.6 + 0.4 * np.minimum(depth, 10) / 10)
    found = edges(domed, labels)
    assert np.median(found.whole) < np.median(found.isolated) - 0.1


def test_width_is_that_of_the_blur(disc):
    found = edges(*disc(blur=2.0))
    assert found.width == pytest.approx(2.05, abs=0.15)  # the pixel and its interpolation too


@pytest.mark.parametrize("labels", [np.zeros((40, 40), int), np.ones((40, 40), int)])
def test_nothing_to_measure_is_nothing_measured(labels):
    image = np.random.default_rng(0).normal(100, 5, labels.shape)
    found = edges(image, labels)
    assert found.isolated.size == found.touching.size == 0
    assert found.n_isolated == found.n_touching == 0


def halves(render, ratio, gap, offset, angle):
    """A disc cut in two of unequal light; both labels reach `offset` beyond their light."""

    def light(y, x):
        across = (y - 35.3) * np.cos(angle) + (x - 35.8) * np.sin(angle)
        inside = np.hypot(y - 35.3, x - 35.8) < 24
        return inside * ((across < -gap / 2) + ratio * (across > gap / 2))

    image = 100 * ndimage.gaussian_filter(render(light, (72, 72)), 1.2) + 20
    y, x = np.indices(image.shape)
    across = (y - 35.3) * np.cos(angle) + (x - 35.8) * np.sin(angle)
    inside = np.hypot(y - 35.3, x - 35.8) < 24
    reach = gap / 2 - offset
    labels = inside * ((across < -reach) + 2 * (across > reach))
    return image, labels


@pytest.mark.parametrize(
    ("ratio", "gap", "offset"), [(0.6, 0.0, 0.0), (0.7, 0.8, 0.4), (1.0, 1.5, 0.75), (0.8, 1.0, 0)]
)
def test_edges_of_touching_objects_are_found_on_both_sides(render, ratio, gap, offset):
    found = [edges(*halves(render, ratio, gap, offset, angle)) for angle in (0.2, 0.9, 2.0)]
    touching = np.concatenate([one.touching for one in found])
    assert touching.size > 0.8 * sum(one.n_touching for one in found) > 0
    # A label that reaches beyond the light has its edge inside it.
    assert np.median(touching) == pytest.approx(-offset, abs=0.08)


def test_one_object_shining_through_another_is_not_counted(render):
    def light(y, x):
        return (np.hypot(y - 36, x - 24) < 15) + (np.hypot(y - 36, x - 49) < 15) * 1.0

    image = 100 * ndimage.gaussian_filter(render(light, (72, 72)), 1.2)
    y, x = np.indices(image.shape)
    labels = (np.hypot(y - 36, x - 24) < 15).astype(int)
    labels[np.hypot(y - 36, x - 49) < 15] = 2
    found = edges(image, labels)
    assert found.n_touching > 20
    assert found.touching.size < 0.2 * found.n_touching


@pytest.mark.slow
def test_real_annotations_are_drawn_a_little_too_large(real_val):
    found = measured(real_val("bbbc039", 6))
    assert -0.3 < found["isolated"]["signed"] < 0
    assert 0.2 < found["isolated"]["spread"] < 0.4
    assert 0.8 < found["isolated"]["spread_95"] < 1.5
    assert found["isolated"]["share"] > 0.95
    assert found["touching"]["signed"] < -0.4
