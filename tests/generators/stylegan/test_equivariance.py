from __future__ import annotations

from math import log10, pi

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from generators.stylegan.equivariance import _common, equivariance  # noqa: E402
from generators.stylegan.generator import latents  # noqa: E402

MOVES = ("integer", "fractional", "rotation")


def waves(z, transform, size=32, highest=8.0):
    """Pictures of a few waves, known at every point: moving them is exact."""
    rng = np.random.default_rng(0)
    frequency = torch.from_numpy(rng.uniform(-highest, highest, (5, 2)) / 2**0.5)
    phase = torch.from_numpy(rng.uniform(0, 1, (1, 5))).expand(len(z), 5)
    at = (torch.arange(size, dtype=torch.float64) - (size - 1) / 2) / size
    y, x = torch.meshgrid(at, at, indexing="ij")
    points = torch.stack([x, y, torch.ones_like(x)], -1)
    source = points @ torch.linalg.inv(transform.double()).mT[:, None]  # (N, S, S, 3)
    turns = source[..., :2] @ frequency.T + phase[:, None, None]
    return torch.sin(2 * pi * turns).sum(-1, keepdim=True).movedim(-1, 1) / 5


@pytest.mark.parametrize("move", MOVES)
def test_what_moves_exactly_scores_high(move):
    def exact(z, *, transform):
        return waves(z, transform)

    assert equivariance(exact, torch.zeros(6, 1), move) > (100 if move == "integer" else 45)


@pytest.mark.parametrize("move", MOVES)
def test_what_stays_where_it_is_scores_low(move):
    def glued(z, *, transform):
        return waves(z, torch.eye(3).expand_as(transform))

    assert equivariance(glued, torch.zeros(6, 1), move) < 20


@pytest.mark.parametrize("move", MOVES)
def test_what_moves_the_wrong_way_scores_low(move):
    def backwards(z, *, transform):
        return waves(z, torch.linalg.inv(transform))

    assert equivariance(backwards, torch.zeros(6, 1), move) < 20


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("error", [0.2, 0.02])
def test_a_known_error_has_a_known_figure(move, error):
    """A constant that depends on whether there was a move: 10 log₁₀(2² / error²)."""

    def shifted(z, *, transform):
        still = torch.eye(3).expand_as(transform)
        moved = not torch.equal(transform, still)
        return torch.full((len(z), 2, 32, 32), error if moved else 0.0)

    expected = 10 * log10(4 / error**2)
    assert equivariance(shifted, torch.zeros(3, 1), move) == pytest.approx(expected, abs=1e-3)


def test_whole_pixels_are_compared_without_interpolation():
    """White noise, which no interpolation could follow, shifted by whole pixels."""
    canvas = torch.randn(1, 64, 64, generator=torch.Generator().manual_seed(0))

    def noise(z, *, transform):
        pixels = (transform[:, :2, 2] * 32).round().int().tolist()
        return torch.stack([canvas[:, 16 - y : 48 - y, 16 - x : 48 - x] for x, y in pixels])

    assert equivariance(noise, torch.zeros(8, 1), "integer") == float("inf")
    assert equivariance(noise, torch.zeros(8, 1), "integer", seed=1) == float("inf")


@pytest.mark.parametrize("angle", [0.0, 0.3, pi / 4, pi / 2, 4.0])
def test_the_common_kernel_passes_the_octagon(angle):
    """Its response within both squares is near 1, outside of one near 0, and at 0 it is 1."""
    x, y = np.meshgrid(np.arange(-2, 3, 1 / 8), np.arange(-2, 3, 1 / 8))
    kernel = _common(x, y, angle) / 64

    def response(fx, fy):
        return (kernel * np.cos(2 * pi * (fx * x + fy * y))).sum()

    assert response(0, 0) == pytest.approx(1, abs=0.05)
    assert response(0.2, 0) == pytest.approx(1, abs=0.1)
    assert response(0.9, 0) == pytest.approx(0, abs=0.1)
    if angle == pi / 4:  # the square's corner is cut off
        assert response(0.5, 0.5) < 0.2
    # The same when seen from the other lattice.
    turned = _common(
        np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x, -angle
    )
    assert np.allclose(turned, _common(x, y, angle), atol=1e-9)


def test_moves_come_from_the_seed():
    def glued(z, *, transform):
        return waves(z, torch.eye(3).expand_as(transform))

    one, same, other = (
        equivariance(glued, torch.zeros(4, 1), "fractional", seed=s, batch=b)
        for s, b in ((0, 4), (0, 3), (1, 4))
    )
    assert one == pytest.approx(same)
    assert one != pytest.approx(other)


FIGURES = {
    "stylegan3-t": {"integer": (55, 200), "fractional": (50, 200), "rotation": (0, 35)},
    "stylegan3-r": {"integer": (55, 200), "fractional": (50, 200), "rotation": (45, 200)},
    "stylegan2": {"integer": (0, 25), "fractional": (0, 25), "rotation": (0, 25)},
}


@pytest.mark.parametrize("cfg", FIGURES)
def test_networks_are_alias_free_before_any_training(make, cfg):
    """In pictures of the contrast that a trained network's have, so that decibels compare."""
    generator = make(cfg, 64, **({"cbase": 128, "cmax": 8} if cfg == "stylegan3-r" else {}))
    z = latents(list(range(3)), 16)
    contrast = 0.5 / generator(z).std()

    def scaled(z, *, transform):
        return contrast * generator(z, transform=transform)

    for move, (low, high) in FIGURES[cfg].items():
        figure = equivariance(scaled, z, move)
        print(f"{cfg}, untrained, {move}: {figure:.1f} dB")
        assert low < figure < high
