from __future__ import annotations

from math import cos, pi, sin

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from generators.stylegan.warping import moved_exactly, moved_smoothly  # noqa: E402


def matrix(angle=0.0, x=0.0, y=0.0, scale=1.0):
    rows = [
        [scale * cos(angle), -scale * sin(angle), x],
        [scale * sin(angle), scale * cos(angle), y],
        [0.0, 0.0, 1.0],
    ]
    return torch.tensor([rows])


def some(size=8, n=1, channels=2, dtype=torch.float32):
    rng = torch.Generator().manual_seed(0)
    return torch.randn(n, channels, size, size, generator=rng, dtype=dtype)


def smooth(at_x, at_y):
    """A picture of low frequencies, in picture widths from the centre."""
    return torch.cos(2 * pi * (at_x + 0.2)) + 0.5 * torch.sin(2 * pi * (1.5 * at_y - at_x))


def lattice(size):
    at = (torch.arange(size) + 0.5) / size - 0.5
    return at[None, :].expand(size, size), at[:, None].expand(size, size)


def test_the_identity_changes_nothing():
    assert torch.equal(moved_exactly(some(), matrix()), some())


def test_whole_pixels_and_quarter_turns_are_exact():
    x = some(8)
    right = moved_exactly(x, matrix(x=2 / 8))
    assert torch.allclose(right[..., 2:], x[..., :-2], atol=1e-6)
    assert torch.allclose(right[..., :2], x[..., :2].flip(3), atol=1e-6)  # mirrored
    down = moved_exactly(x, matrix(y=3 / 8))
    assert torch.allclose(down[..., 3:, :], x[..., :-3, :], atol=1e-6)
    # x to the right, y down: a turn by 90 degrees takes the right to the bottom.
    turned = moved_exactly(x, matrix(pi / 2))
    assert torch.allclose(turned, torch.rot90(x, -1, (2, 3)), atol=1e-5)


@pytest.mark.parametrize(
    ("angle", "x", "y", "scale"),
    [(0.3, 0.0, 0.0, 1.0), (0.0, 0.03, -0.05, 1.0), (-0.7, 0.02, 0.01, 1.2), (0.0, 0.0, 0.0, 0.9)],
)
def test_smooth_pictures_move_as_the_formula_does(angle, x, y, scale):
    size = 64
    at = lattice(size)
    picture = smooth(*at)[None, None]
    move = matrix(angle, x, y, scale)
    back = torch.linalg.inv(move)[0]
    points = torch.stack([*at, torch.ones_like(at[0])])
    source = torch.einsum("ij,jhw->ihw", back, points)
    inside = (source[:2].abs() < 0.4).all(0)
    moved = moved_smoothly(picture, move)[0, 0]
    assert torch.allclose(moved[inside], smooth(source[0], source[1])[inside], atol=0.02)
    assert inside.float().mean() > 0.3


def test_each_picture_has_its_own_move():
    x = some(16, n=2)
    moves = torch.cat([matrix(0.4), matrix(x=0.1)])
    both = moved_smoothly(x, moves)
    for k in range(2):
        assert torch.allclose(
            both[k : k + 1], moved_smoothly(x[k : k + 1], moves[k : k + 1]), atol=1e-6
        )


def test_little_aliases_where_pictures_shrink():
    """Stripes as fine as the lattice carries become grey, not other stripes."""
    stripes = torch.cos(pi * torch.arange(64.0))[None, None, None].expand(1, 1, 64, 64)
    made = moved_smoothly(stripes.contiguous(), matrix(scale=0.8))
    assert made[..., 16:48, 16:48].abs().max() < 0.2


@pytest.mark.parametrize("move", [moved_exactly, moved_smoothly])
def test_gradients_and_theirs_are_right(move):
    x = some(6, n=2, channels=1, dtype=torch.float64).requires_grad_()
    transforms = torch.cat([matrix(0.5, 0.1), matrix(scale=1.3)]).double()

    def bent(pictures):
        return move(pictures, transforms).square()

    assert torch.autograd.gradcheck(bent, (x,))
    assert torch.autograd.gradgradcheck(bent, (x,))


def test_it_is_its_own_oracle_transposed():
    """<warp x, y> = <x, transposed warp y>."""
    x, y = some(8, n=1, channels=1), some(8, n=1, channels=1).flip(3)
    x.requires_grad_()
    made = moved_exactly(x, matrix(0.4, 0.1))
    (back,) = torch.autograd.grad((made * y).sum(), x)
    assert np.isclose((back * x).sum().item(), (made * y).sum().item(), rtol=1e-5)
