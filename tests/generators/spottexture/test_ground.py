"""Images without their spots: nothing is left of them, and nothing else is changed."""

from __future__ import annotations

import numpy as np

from generators.spottexture.ground import RIM, discs, without


def test_spots_are_gone_and_the_rest_is_as_it_was():
    from generators.spots import SpotList, draw

    rng = np.random.default_rng(0)
    ramp = np.linspace(100, 300, 120) * np.ones((120, 1)) + rng.normal(0, 3, (120, 120))
    at = np.array([[30.0, 30.0], [60.0, 85.0], [90.0, 40.0]])
    image = ramp + draw(SpotList(at, np.full(3, 2e4), np.full(3, 1.3)), (120, 120))
    clean, low = without(image, at, np.zeros((0, 2)), 1.3, np.random.default_rng(1))
    near = discs((120, 120), at, RIM * 1.3)
    assert np.array_equal(clean[~near], image[~near])
    assert np.abs(clean - ramp)[near].max() < 25
    assert 2 < (clean - low)[near].std() < 5
    assert np.abs(low - np.linspace(100, 300, 120)).max() < 15


def test_what_stays_is_no_ground_for_others():
    image = np.full((60, 60), 50.0)
    image[40:43, 40:43] = 900
    image[20, 20] = 500
    clean, _ = without(
        image, np.array([[20.0, 20.0]]), np.array([[41.0, 41.0]]), 1.2, np.random.default_rng(0)
    )
    assert clean[41, 41] == 900
    assert abs(clean[20, 20] - 50) < 1
