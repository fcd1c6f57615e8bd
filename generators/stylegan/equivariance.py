"""EQ-T and EQ-R: how exactly pictures move and turn with their input, in decibels.

Karras et al., "Alias-Free Generative Adversarial Networks", arXiv 2106.12423, section 3 and
appendix E: the peak signal to noise ratio of moving the input against moving the picture. No
network's weights are needed to measure it.
"""

from __future__ import annotations

from math import cos, log10, pi, sin
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Move = Literal["integer", "fractional", "rotation"]

_PEAK = 2.0  # pictures span [-1, 1]
_LOBES = 3  # of the Lanczos window, on each side
_FURTHEST = 1 / 8  # of the picture's width that translations go, each way


class Moving(Protocol):
    """Whatever makes pictures that a transform moves."""

    def __call__(self, z: torch.Tensor, *, transform: torch.Tensor) -> torch.Tensor:
        """Return pictures (N, C, S, S) of latents (N, z_dim), moved by (N, 3, 3)."""


def equivariance(
    generator: Moving, z: torch.Tensor, move: Move, *, seed: int = 0, batch: int = 8
) -> float:
    """Measure EQ-T (integer or fractional translation) or EQ-R (rotation).

    Parameters
    ----------
    generator
        A `Generator`, or anything that is called like one.
    z
        Latents (N, z_dim), one random move each.
    move
        `integer`: whole pixels, at most an eighth of the width along each axis. `fractional`: the
        same without rounding. `rotation`: by any angle about the centre.
    seed
        Of the moves.
    batch
        Pictures made at once.

    Returns
    -------
    float
        10 log₁₀(2² / mean squared difference) in dB, over all pixels that both pictures know;
        infinite where there is no difference.

    Notes
    -----
    arXiv 2106.12423, appendix E. Pictures are moved by Lanczos interpolation with three lobes. A
    turned picture has lost the frequencies that its turned lattice cannot carry, and so the other
    is made to lose them too.

    Examples
    --------
    >>> def flat(z, *, transform):
    ...     return z[:, :1, None, None].expand(-1, 1, 16, 16)
    >>> equivariance(flat, torch.ones(2, 4), "integer")
    inf
    """
    rng = np.random.default_rng(seed)
    measure = _turned if move == "rotation" else _shifted
    squared, count = 0.0, 0
    with torch.no_grad():
        for first in range(0, len(z), batch):
            some = z[first : first + batch]
            still = generator(some, transform=torch.eye(3, device=z.device).expand(len(some), 3, 3))
            moves = _drawn(move, len(some), still.shape[-1], rng)
            transforms = torch.stack([_matrix(*each) for each in moves]).to(z.device)
            moved = generator(some, transform=transforms)
            pairs = zip(still.cpu().double(), moved.cpu().double(), moves, strict=True)
            for before, after, (angle, x, y) in pairs:
                size = before.shape[-1]
                expected, made, valid = measure(before, after, angle, x * size, y * size)
                difference = (expected - made)[:, valid]
                squared += difference.square().sum().item()
                count += difference.numel()
    return 10 * log10(_PEAK**2 * count / squared) if squared else float("inf")


def _drawn(
    move: Move, n: int, size: int, rng: np.random.Generator
) -> list[tuple[float, float, float]]:
    """Draw moves: an angle, and a translation along x and y in picture widths."""
    if move == "rotation":
        return [(angle, 0.0, 0.0) for angle in rng.uniform(0, 2 * pi, n).tolist()]
    pixels = rng.uniform(-_FURTHEST * size, _FURTHEST * size, (n, 2))
    if move == "integer":
        pixels = np.round(pixels)
    return [(0.0, x, y) for x, y in (pixels / size).tolist()]


def _matrix(angle: float, x: float, y: float) -> torch.Tensor:
    """Return the transform that turns and then moves a picture."""
    rows = [[cos(angle), -sin(angle), x], [sin(angle), cos(angle), y], [0.0, 0.0, 1.0]]
    return torch.tensor(rows)


def _shifted(
    before: torch.Tensor, after: torch.Tensor, _angle: float, x: float, y: float
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the picture moved by (x, y) pixels, what it is compared with, and where."""
    columns, known_x = _interpolation(before.shape[2], x)
    rows, known_y = _interpolation(before.shape[1], y)
    return rows @ before @ columns.T, after, known_y[:, None] & known_x


def _interpolation(size: int, shift: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the matrix that moves `size` samples, and which results need none beyond the end."""
    # A shift as float32 knows it may be off by 1e-6 pixels from a whole number.
    shift = round(shift, 4)
    distance = np.arange(size) - (np.arange(size)[:, None] - shift)
    weights = np.sinc(distance) * _lanczos(distance)
    if shift == round(shift):
        weights = np.round(weights)
    sums = weights.sum(1)
    at = np.arange(size) - shift
    reach = 0 if shift == round(shift) else _LOBES - 1
    known = (np.floor(at) >= reach) & (np.ceil(at) <= size - 1 - reach)
    return torch.from_numpy(weights / np.where(known, sums, 1)[:, None]), torch.from_numpy(known)


def _turned(
    before: torch.Tensor, after: torch.Tensor, angle: float, _x: float, _y: float
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the turned picture, the other with the same frequencies lost, and where to compare."""
    size = before.shape[-1]
    y, x = np.indices((size, size)).reshape(2, -1) - (size - 1) / 2
    back = cos(angle) * x + sin(angle) * y, -sin(angle) * x + cos(angle) * y
    # Both kernels are one and the same in the plane; in the first picture it stands turned back.
    expected, known = _sampled(before, *back, lambda u, v: _common(u, v, -angle))
    made, inside = _sampled(after, x, y, lambda u, v: _common(u, v, angle))
    return expected, made, known & inside


def _sampled(
    picture: torch.Tensor, x: Floats, y: Floats, kernel: Callable[[Floats, Floats], Floats]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Interpolate a picture (C, S, S) at points in pixels from its centre.

    Returns
    -------
    tuple of Tensor
        The values (C, S, S), and which of them need no pixel beyond the border (S, S).
    """
    size = picture.shape[-1]
    middle = (size - 1) / 2
    offsets = np.arange(1 - _LOBES, _LOBES + 1)
    columns = np.floor(x + middle).astype(np.intp)[:, None] + offsets  # (P, 6)
    rows = np.floor(y + middle).astype(np.intp)[:, None] + offsets
    weights = kernel(
        (x + middle)[:, None, None] - columns[:, None, :],
        (y + middle)[:, None, None] - rows[:, :, None],
    )
    weights /= weights.sum((1, 2), keepdims=True)
    known = ((columns >= 0) & (columns < size)).all(1) & ((rows >= 0) & (rows < size)).all(1)
    columns, rows = columns.clip(0, size - 1), rows.clip(0, size - 1)
    taken = picture.numpy()[:, rows[:, :, None], columns[:, None, :]]  # (C, P, 6, 6)
    values = np.einsum("cpij,pij->cp", taken, weights)
    return (
        torch.from_numpy(values.reshape(picture.shape)),
        torch.from_numpy(known.reshape(size, size)),
    )


def _common(x: Floats, y: Floats, angle: float) -> Floats:
    """Return the low-pass kernel of what a lattice and the same lattice turned both carry.

    A lattice carries a square of frequencies; two squares about one centre share an octagon whose
    sides touch the circle of radius 1/2. The kernel is the octagon's Fourier transform, by the
    divergence theorem a sum over its sides, under a radial Lanczos window:

        ∫ exp(2πi f·x) df = Σ (x·n) l sinc(x·e) exp(2πi m·x) / (2πi ‖x‖²)

    with normal n, length l, vector e and middle m of a side.
    """
    radius = np.hypot(x, y)
    near = radius < 1e-6
    squared = np.where(near, 1.0, radius**2)
    normals = np.sort((np.arange(8) // 2 * (pi / 2) + np.tile([0, angle], 4)) % (2 * pi))
    steps = np.diff(normals, append=normals[0] + 2 * pi)
    to_corner = normals + steps / 2
    corners = np.stack([np.cos(to_corner), np.sin(to_corner)]) * 0.5 / np.cos(steps / 2)
    total, area = np.zeros_like(radius), 0.0
    for k, normal in enumerate(normals.tolist()):
        start, end = corners[:, k - 1], corners[:, k]
        side, middle = end - start, (start + end) / 2
        length = float(np.hypot(*side))
        towards = x * cos(normal) + y * sin(normal)
        phase = 2 * pi * (middle[0] * x + middle[1] * y)
        total += towards * length * np.sinc(side[0] * x + side[1] * y) * np.sin(phase)
        area += length / 4
    kernel: Floats = np.where(near, area, total / (2 * pi * squared)) * _lanczos(radius)
    return kernel


def _lanczos(distance: Floats) -> Floats:
    """Return the Lanczos window: the main lobe of a sinc, three samples on each side."""
    return np.where(np.abs(distance) < _LOBES, np.sinc(distance / _LOBES), 0.0)
