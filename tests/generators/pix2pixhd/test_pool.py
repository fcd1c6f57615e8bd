from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from generators.pix2pixhd.pool import Pool  # noqa: E402


def test_without_room_fakes_go_through():
    fakes = torch.randn(3, 1, 2, 2)
    assert Pool(0).exchanged(fakes, np.random.default_rng(0)) is fakes


def test_about_every_second_one_is_an_earlier_one_and_none_is_shown_twice():
    pool, rng = Pool(5), np.random.default_rng(0)
    shown = [pool.exchanged(torch.full((1, 1, 1, 1), float(k)), rng).item() for k in range(400)]
    assert shown[:5] == [0, 1, 2, 3, 4]
    earlier = sum(value < k for k, value in enumerate(shown))
    assert 160 < earlier < 240
    assert len(set(shown[5:])) == len(shown[5:])
    assert len(pool.held) == 5


def test_one_of_another_size_is_shown_as_it_is():
    pool, rng = Pool(1), np.random.default_rng(1)
    pool.exchanged(torch.zeros(1, 1, 2, 2), rng)
    for _ in range(8):
        assert pool.exchanged(torch.ones(1, 1, 4, 4), rng).shape == (1, 1, 4, 4)
