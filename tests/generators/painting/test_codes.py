"""What objects are like: measured as it was planted, drawn from one image."""

from __future__ import annotations

import numpy as np
import pytest

from generators.painting.codes import GRAIN_0, SPREAD_0, Bank, ground, measured
from generators.painting.conditioning import Geometry


def test_brightness_and_unevenness_are_measured(draw):
    labels = draw((80, 160), [(40, 40), (40, 120)], [20, 20])
    rng = np.random.default_rng(0)
    white = rng.standard_normal(labels.shape)
    seen = np.array([-0.5, 0.1, 0.4])[labels] + np.array([0, 0.03, 0.09])[labels] * white
    codes = measured(seen, Geometry.of(labels))
    assert codes[1:, 0] == pytest.approx([0.1, 0.4], abs=0.01)
    assert np.exp(codes[1:, 1]) * SPREAD_0 == pytest.approx([0.03, 0.09], rel=0.06)
    assert np.exp(codes[1:, 2]) * GRAIN_0 == pytest.approx([0.03, 0.09], rel=0.06)
    assert (codes[0] == 0).all()


def test_slow_changes_are_no_grain(draw):
    labels = draw((80, 80), [(40, 40)], [24])
    wave = 0.1 * np.sin(np.arange(80) / 8) * np.ones((80, 1))
    codes = measured(wave, Geometry.of(labels))
    assert np.exp(codes[1, 1]) * SPREAD_0 > 0.05
    assert np.exp(codes[1, 2]) * GRAIN_0 < 0.005


def test_specks_have_their_own_brightness_and_the_unevenness_of_others(draw):
    labels = draw((80, 80), [(40, 30), (40, 70)], [16, 1.5])
    seen = np.array([-0.5, 0.1, 0.6])[labels] + 0.05 * np.random.default_rng(0).standard_normal(
        (80, 80)
    )
    codes = measured(seen, Geometry.of(labels))
    assert codes[2, 0] > 0.5
    assert codes[2, 1:] == pytest.approx(codes[1, 1:])


def test_ground_is_what_lies_below_objects(draw):
    labels = draw((120, 120), [(60, 60)], [20])
    slope = np.linspace(-0.6, -0.4, 120) * np.ones((120, 1))
    found = ground(np.where(labels > 0, 0.3, slope), Geometry.of(labels))
    assert np.abs(found - slope).max() < 0.08


@pytest.fixture
def bank(draw):
    one = draw((60, 60), [(20, 20), (20, 44), (44, 30), (44, 50), (50, 8)], [4, 5, 6, 7, 8])
    two = draw((60, 60), [(30, 30)] * 5, [25, 3, 3, 3, 3])
    codes = [np.arange(18.0).reshape(6, 3), 100 + np.arange(18.0).reshape(6, 3)]
    return Bank.of([two, one], [np.full((60, 60), -0.3), np.full((60, 60), -0.5)], codes[::-1])


def test_images_stand_in_order_of_cover(bank):
    assert bank.cover[0] < bank.cover[1]
    assert bank.ground.tolist() == pytest.approx([-0.5, -0.3])
    assert bank.of_image(0)[0].tolist() == [3, 4, 5]


def test_objects_that_are_hidden_are_left_out(bank):
    assert len(bank.of_image(1)) == 2


def test_codes_are_those_of_one_object(bank):
    rng = np.random.default_rng(0)
    drawn = {tuple(bank.like(0, 80.0, rng)) for _ in range(60)}
    assert drawn == {tuple(row) for row in bank.of_image(0)}


def test_same_stream_same_image(bank):
    picked = [bank.image(0.1, 60.0, np.random.default_rng(5)) for _ in range(3)]
    assert len(set(picked)) == 1


def test_images_with_objects_of_the_size_come_first(draw):
    labels = [
        draw((60, 60), [(y, x) for y in (15, 45) for x in (15, 45)], [radius] * 4)
        for radius in (4, 4, 4, 4, 4, 4, 12, 12, 12, 12, 12, 12)
    ]
    codes = [np.full((5, 3), k) for k in range(12)]
    made = Bank.of(labels, [np.zeros((60, 60))] * 12, codes)
    rng = np.random.default_rng(0)
    for area, large in ((50.0, False), (450.0, True)):
        drawn = [made.image(0.3, area, rng) for _ in range(20)]
        assert {bool(made.of_image(k)[0, 0] >= 6) for k in drawn} == {large}
    assert made.of_image(made.image(0.5, None, rng))[0, 0] >= 6
