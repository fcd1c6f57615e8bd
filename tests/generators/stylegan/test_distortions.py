from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from generators.stylegan.distortions import (  # noqa: E402
    about_luma,
    cut_out,
    equalised,
    recoloured,
)


def some(size=32, n=2, channels=1):
    rng = torch.Generator().manual_seed(0)
    return torch.randn(n, channels, size, size, generator=rng)


def test_channels_are_mixed_picture_by_picture():
    x = torch.tensor([1.0, 2.0, 3.0])[None, :, None, None].repeat(2, 1, 1, 1)
    still = torch.eye(3, 4)
    swapped = still[[1, 0, 2]] + torch.tensor([0.0, 0, 0, 10])
    made = recoloured(x, torch.stack([still, swapped]))
    assert made.flatten(1).tolist() == [[1, 2, 3], [12, 11, 13]]


def test_no_change_of_colour_is_none():
    x = some(channels=3)
    assert recoloured(x, torch.eye(3, 4).repeat(2, 1, 1)) is x


def test_hue_keeps_greys_and_lengths():
    zero, one = torch.zeros(1), torch.ones(1)
    turn = about_luma(zero, zero + 2 * np.pi / 3, one)[0]
    assert torch.allclose(turn @ turn.T, torch.eye(3), atol=1e-6)
    # A third of a turn about the greys takes red to green.
    assert torch.allclose(turn @ torch.tensor([1.0, 0, 0]), torch.tensor([0.0, 1, 0]), atol=1e-6)


def test_no_saturation_leaves_brightness():
    zero, one = torch.zeros(1), torch.ones(1)
    grey = about_luma(zero, zero, zero)[0] @ torch.tensor([3.0, 0, 0])
    assert torch.allclose(grey, torch.ones(3), atol=1e-6)
    assert torch.allclose(about_luma(zero, zero, one)[0], torch.eye(3), atol=1e-6)


def test_octaves_add_up_to_the_picture():
    x = some()
    even = equalised(x, torch.full((2, 4), 2.0))
    assert torch.allclose(even, 2 * x, atol=1e-5)
    assert equalised(x, torch.ones(2, 4)) is x


@pytest.mark.parametrize(("cycles", "band"), [(1 / 32, 0), (3 / 32, 1), (6 / 32, 2), (13 / 32, 3)])
def test_a_wave_is_in_its_octave(cycles, band):
    at = torch.arange(64.0)
    wave = torch.cos(2 * np.pi * cycles * at)[None, None, None].repeat(1, 1, 64, 1)
    gains = torch.ones(1, 4)
    gains[0, band] = 3.0
    inside = (slice(None), slice(None), slice(24, 40), slice(24, 40))
    assert torch.allclose(equalised(wave, gains)[inside], 3 * wave[inside], atol=0.35)


def test_small_pictures_have_octaves_too():
    assert equalised(some(8), torch.full((2, 4), 3.0)).shape == (2, 1, 8, 8)


def test_holes_are_squares_of_nothing():
    x = torch.ones(2, 3, 8, 8)
    made = cut_out(x, torch.tensor([[0.5, 0.25, 0.5], [0.0, 0.0, 0.0]]))
    assert (made[0, 0] == 0).nonzero().tolist() == [[r, c] for r in range(4) for c in range(2, 6)]
    assert torch.equal(made[1], x[1])
    assert cut_out(x, torch.zeros(2, 3)) is x
