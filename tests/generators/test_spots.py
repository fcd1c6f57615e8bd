"""Spots: photons add up, positions are exact, counts and clouds follow their distributions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from generators.seeds import Seed
from generators.spots import SpotList, Spots, draw, fixed_centres, scatter

LABELS = np.zeros((60, 60), int)
LABELS[5:25, 5:25] = 1
LABELS[30:55, 10:50] = 2


def one(y, x, photons=1000.0, sigma=1.2):
    return SpotList(np.array([[y, x]]), np.array([photons]), np.array([sigma]))


def spots(seed=0, labels=LABELS, **dials):
    return scatter(Spots(**dials), labels, np.random.default_rng(seed))


@pytest.mark.parametrize("at", [(20.0, 20.0), (20.49, 19.51), (17.123, 22.9)])
@pytest.mark.parametrize("sigma", [0.8, 1.2, 3.0])
def test_photons_and_position_are_exact(at, sigma):
    image = draw(one(*at, sigma=sigma), (41, 41))
    y, x = np.mgrid[:41, :41]
    assert image.sum() == pytest.approx(1000, rel=2e-6)
    assert (image * y).sum() / image.sum() == pytest.approx(at[0], abs=1e-4)
    assert (image * x).sum() / image.sum() == pytest.approx(at[1], abs=1e-4)


def test_a_pixel_holds_the_integral_over_it():
    def density(y, x):
        r2 = (y - 10.3) ** 2 + (x - 9.8) ** 2
        return 500 * np.exp(-r2 / (2 * 0.8**2)) / (2 * np.pi * 0.8**2)

    expected, _ = integrate.dblquad(density, 10.5, 11.5, 10.5, 11.5)
    image = draw(one(10.3, 9.8, photons=500, sigma=0.8), (21, 21))
    assert image[11, 11] == pytest.approx(expected, rel=1e-9)


def test_spots_add_and_may_lie_at_the_border_or_outside():
    several = SpotList(np.array([[0, 5], [30, 30], [-50, 3]]), np.full(3, 100.0), np.full(3, 1.0))
    image = draw(several, (31, 31))
    # Half the first one is off the upper edge, all but a quarter of the second off a corner.
    edge = 100 * (0.5 + 0.1915)
    assert image[:5].sum() == pytest.approx(edge, rel=1e-3)
    assert image[25:, 25:].sum() == pytest.approx(100 * (0.5 + 0.1915) ** 2, rel=1e-3)


def test_no_spots_no_light():
    assert draw(spots(labels=np.zeros((9, 9), int)), (9, 9)).sum() == 0


def test_spots_lie_in_the_objects():
    found = spots(spots_per_object=50)
    pixel = np.floor(found.positions + 0.5).astype(int)
    assert (LABELS[pixel[:, 0], pixel[:, 1]] > 0).all()


def test_positions_are_even_within_objects_and_pixels():
    found = spots(spots_per_object=4000, labels=(LABELS == 2).astype(int))
    assert found.positions.mean(0) == pytest.approx([42, 29.5], abs=0.6)
    fraction = (found.positions + 0.5) % 1
    assert fraction.mean(0) == pytest.approx([0.5, 0.5], abs=0.03)


@pytest.mark.parametrize(
    ("counts", "variance"), [("fixed", 0.0), ("poisson", 7.0), ("geometric", 7 + 49.0)]
)
def test_counts_follow_their_distribution(counts, variance):
    labels = np.arange(900).reshape(30, 30) + 1
    found = spots(labels=labels, counts=counts, spots_per_object=7)
    pixel = np.floor(found.positions + 0.5).astype(int)
    number = np.bincount(labels[pixel[:, 0], pixel[:, 1]], minlength=901)[1:]
    assert number.mean() == pytest.approx(7, rel=0.12)
    assert number.var() == pytest.approx(variance, rel=0.25)


def test_anywhere_means_outside_objects_too():
    found = spots(inside="anywhere", spots_per_megapixel=1e5)
    assert len(found.positions) == pytest.approx(360, abs=60)
    pixel = np.floor(found.positions + 0.5).astype(int)
    inside = LABELS[pixel[:, 0], pixel[:, 1]] > 0
    assert inside.mean() == pytest.approx((LABELS > 0).mean(), abs=0.08)


def test_photons_and_widths_spread_as_asked():
    found = spots(spots_per_object=3000, spot_photons_variation=0.5, spot_sigma_variation=0.2)
    assert np.median(found.photons) == pytest.approx(400, rel=0.05)
    assert np.std(np.log(found.photons)) == pytest.approx(0.5, rel=0.05)
    assert np.median(found.sigmas) == pytest.approx(1.2, rel=0.03)
    assert np.std(np.log(found.sigmas)) == pytest.approx(0.2, rel=0.05)


@pytest.mark.parametrize("elongation", [1.0, 4.0])
def test_clouds_are_as_wide_and_as_stretched_as_asked(elongation):
    ratios, spreads = [], []
    for seed in range(40):
        cloud = spots(
            seed,
            labels=np.pad([[1]], 30),
            counts="fixed",
            spots_per_object=1,
            clouds=1,
            cloud_spots=400,
            cloud_radius=3,
            cloud_elongation=elongation,
        )
        low, high = np.linalg.eigvalsh(np.cov(cloud.positions.T))
        ratios.append(np.sqrt(high / low))
        spreads.append((low * high) ** 0.25)
    assert np.mean(spreads) == pytest.approx(3, rel=0.05)
    assert np.mean(ratios) == pytest.approx(elongation, rel=0.12)


def cloud_of(form, radius=1.0, n=4000):
    spots = Spots(inside="anywhere", clouds=1, cloud_spots=n, cloud_radius=radius, cloud_form=form)
    labels = np.zeros((200, 200), int)
    return scatter(spots, labels, np.random.default_rng(0), np.array([[100.0, 90.0]])).positions


def test_the_round_form_of_cellgen_has_the_identity_for_covariance():
    positions = cloud_of("cellgen-round")
    assert positions.mean(axis=0) == pytest.approx([100, 90], abs=0.08)
    assert np.cov(positions.T) == pytest.approx(np.eye(2), abs=0.06)
    assert np.cov(cloud_of("cellgen-round", radius=3).T) == pytest.approx(9 * np.eye(2), abs=0.5)


def test_the_stretched_form_of_cellgen_is_normal_variates_times_its_matrix():
    positions = cloud_of("cellgen-stretched")[:, ::-1]  # x, y as there
    stretch = np.array([[-5.0, 2.0], [5.0, 0.0]])
    assert np.cov(positions.T) == pytest.approx(stretch.T @ stretch, rel=0.06, abs=0.3)
    again = np.random.default_rng(1).standard_normal((4000, 2)) @ stretch
    for axis in range(2):
        assert stats.ks_2samp(positions[:, axis] - [90, 100][axis], again[:, axis]).pvalue > 1e-3


def test_fixed_centres_are_the_same_in_every_scene_and_of_their_number():
    spots = Spots(spots_per_megapixel=300)
    a, b = (fixed_centres(spots, (200, 300), Seed.root(0)) for _ in range(2))
    assert (a == b).all()
    assert len(a) == 18
    assert (a > -0.5).all()
    assert (a < [199.5, 299.5]).all()
