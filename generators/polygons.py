"""Polygons on a pixel grid: exact membership, coverage, area, centroid, distance.

Vertices are `(V, 2)` float64 arrays of (y, x) in pixels, closed implicitly; pixel centres lie at
integers, so pixel (i, j) covers [i - ½, i + ½) by [j - ½, j + ½).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def snapped(vertices: Floats) -> Floats:
    """Return vertices on a lattice of 1/64 px.

    There a table of outlines takes half the space, and what it holds is what was rasterised.
    """
    on_lattice: Floats = np.rint(vertices * 64) / 64
    return on_lattice


class Window(NamedTuple):
    """A block of pixels: its first row and column, its height and width."""

    y: int
    x: int
    height: int
    width: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of this window in an array that begins at pixel (0, 0)."""
        return slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)

    def clipped(self, height: int, width: int) -> Window:
        """Return the part of this window inside an array of the given shape, perhaps empty."""
        y, x = max(self.y, 0), max(self.x, 0)
        bottom, right = min(self.y + self.height, height), min(self.x + self.width, width)
        return Window(y, x, max(bottom - y, 0), max(right - x, 0))


def window_of(vertices: Floats, margin: int = 0) -> Window:
    """Return the smallest window that holds a polygon, widened by a margin in pixels."""
    low = np.floor(vertices.min(axis=0) + 0.5).astype(int) - margin
    high = np.floor(vertices.max(axis=0) + 0.5).astype(int) + margin + 1
    return Window(int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1]))


def _following(vertices: Floats) -> Floats:
    """Return the vertex after each vertex; `numpy.roll` takes five times as long."""
    return np.concatenate([vertices[1:], vertices[:1]])


def area(vertices: Floats) -> float:
    """Return the signed area in px² (shoelace formula).

    Examples
    --------
    >>> area(np.array([[0.0, 0.0], [0.0, 2.0], [3.0, 2.0], [3.0, 0.0]]))
    6.0
    """
    following = _following(vertices)
    return float(np.sum(vertices[:, 1] * following[:, 0] - following[:, 1] * vertices[:, 0]) / 2)


def centroid(vertices: Floats) -> Floats:
    """Return the centroid (y, x) of the area that a polygon encloses.

    Examples
    --------
    >>> centroid(np.array([[0.0, 0.0], [0.0, 2.0], [3.0, 2.0], [3.0, 0.0]])).tolist()
    [1.5, 1.0]
    """
    following = _following(vertices)
    cross = vertices[:, 1] * following[:, 0] - following[:, 1] * vertices[:, 0]
    moment: Floats = np.sum((vertices + following) * cross[:, None], axis=0)
    return moment / (3 * np.sum(cross))


def _crossings(vertices: Floats, rows: Floats) -> tuple[NDArray[np.intp], Floats, Floats]:
    """Return where edges cross horizontal lines: index of the line, x, and direction ±1.

    An edge owns its lower end but not its upper one, so a line through a vertex is crossed once.
    """
    following = _following(vertices)
    y, x = vertices[:, 0], vertices[:, 1]
    dy, dx = following[:, 0] - y, following[:, 1] - x
    line, edge = np.nonzero((y <= rows[:, None]) != (following[:, 0] <= rows[:, None]))
    at = x[edge] + (rows[line] - y[edge]) * (dx[edge] / dy[edge])
    return line, at, np.sign(dy[edge])


def contains(vertices: Floats, window: Window) -> NDArray[np.bool_]:
    """Return which pixel centres of a window lie inside a polygon.

    A centre on the left or upper edge is inside, one on the right or lower edge is not, so polygons
    that share an edge never share a pixel. Where a polygon winds round itself, all of it is inside.

    Examples
    --------
    >>> square = np.array([[0.0, 0.0], [0.0, 2.0], [2.0, 2.0], [2.0, 0.0]])
    >>> contains(square, Window(-1, -1, 4, 4)).astype(int)
    array([[0, 0, 0, 0],
           [0, 1, 1, 0],
           [0, 1, 1, 0],
           [0, 0, 0, 0]])
    """
    _, _, height, width = window
    line, at, sign = _crossings(vertices, window.y + np.arange(height, dtype=np.float64))
    column = np.clip(np.ceil(at) - window.x, 0, width).astype(np.intp)
    steps = np.bincount(line * (width + 1) + column, sign, height * (width + 1))
    winding = np.cumsum(steps.reshape(height, width + 1), axis=1)[:, :width]
    inside: NDArray[np.bool_] = winding != 0
    return inside


def coverage(vertices: Floats, window: Window, lines: int = 8) -> Floats:
    """Return the share of each pixel that a polygon covers.

    Exact along x; along y the mean of `lines` scan lines a pixel. For polygons that do not cross
    themselves.

    Examples
    --------
    >>> square = np.array([[-0.25, 0.0], [-0.25, 1.0], [0.5, 1.0], [0.5, 0.0]])
    >>> coverage(square, Window(0, 0, 1, 2))
    array([[0.375, 0.375]])
    """
    _, _, height, width = window
    rows = window.y - 0.5 + (np.arange(height * lines) + 0.5) / lines
    line, at, sign = _crossings(vertices, rows)
    position = np.clip(at - (window.x - 0.5), 0, width)
    column = np.floor(position).astype(np.intp)
    inside = 1 - (position - column)
    start = (line // lines) * (width + 2) + column
    size = height * (width + 2)
    steps = np.bincount(start, sign * inside, size)
    steps += np.bincount(start + 1, sign * (1 - inside), size)
    # A clockwise polygon counts -1, an anticlockwise one +1.
    return np.abs(np.cumsum(steps.reshape(height, width + 2), axis=1)[:, :width]) / lines


def _holds_any(vertices: Floats, points: Floats) -> bool:
    """Tell whether any of some points lies inside a polygon."""
    following = _following(vertices)
    py, px = points[:, :1], points[:, 1:]
    crossed = (vertices[:, 0] <= py) != (following[:, 0] <= py)
    dy = following[:, 0] - vertices[:, 0]
    slope = (following[:, 1] - vertices[:, 1]) / np.where(dy == 0, 1.0, dy)
    left = vertices[:, 1] + (py - vertices[:, 0]) * slope <= px
    winding = np.sum(np.where(crossed & left, np.sign(dy), 0.0), axis=1)
    return bool(np.any(winding != 0))


def _to_edges(points: Floats, vertices: Floats) -> float:
    """Return the smallest distance from any of some points to any edge of a polygon."""
    along = _following(vertices) - vertices
    length = np.maximum(np.sum(along * along, axis=1), 1e-300)
    dy = points[:, :1] - vertices[:, 0]
    dx = points[:, 1:] - vertices[:, 1]
    # A point further from all vertices than another by an edge's length is not the nearest.
    apart = np.sqrt(np.min(dy * dy + dx * dx, axis=1))
    near = apart <= apart.min() + np.sqrt(length.max())
    dy, dx = dy[near], dx[near]
    t = np.clip((dy * along[:, 0] + dx * along[:, 1]) / length, 0, 1)
    return float(np.sqrt(np.min((dy - t * along[:, 0]) ** 2 + (dx - t * along[:, 1]) ** 2)))


def _side(points: Floats, vertices: Floats) -> Floats:
    """Return on which side of each edge of a polygon each point lies: its cross product's sign."""
    along = _following(vertices) - vertices
    dy, dx = points[:, :1] - vertices[:, 0], points[:, 1:] - vertices[:, 1]
    sides: Floats = np.sign(along[:, 1] * dy - along[:, 0] * dx)
    return sides


def _edges_cross(a: Floats, b: Floats) -> bool:
    """Tell whether any edge of one polygon crosses one of another; touching is not crossing."""
    of_a, of_b = _side(a, b), _side(b, a).T
    a_parted = of_a * np.roll(of_a, -1, axis=0) < 0
    b_parted = of_b * np.roll(of_b, -1, axis=1) < 0
    return bool(np.any(a_parted & b_parted))


def is_simple(vertices: Floats) -> bool:
    """Tell whether no two edges of a polygon cross; edges that only touch do not.

    Examples
    --------
    >>> is_simple(np.array([[0.0, 0.0], [0.0, 2.0], [2.0, 2.0], [2.0, 0.0]]))
    True
    >>> is_simple(np.array([[0.0, 0.0], [2.0, 2.0], [0.0, 2.0], [2.0, 0.0]]))
    False
    """
    return not _edges_cross(vertices, vertices)


def edge_distance(a: Floats, b: Floats) -> float:
    """Return the distance in pixels between the edges of two polygons that do not cross.

    Examples
    --------
    >>> square = np.array([[0.0, 0.0], [0.0, 2.0], [2.0, 2.0], [2.0, 0.0]])
    >>> edge_distance(square, square + [0, 2.5])
    0.5
    """
    return min(_to_edges(a, b), _to_edges(b, a))


def distance(a: Floats, b: Floats) -> float:
    """Return the gap between two polygons in pixels; 0 where they overlap.

    Examples
    --------
    >>> square = np.array([[0.0, 0.0], [0.0, 2.0], [2.0, 2.0], [2.0, 0.0]])
    >>> distance(square, square + [0, 2.5])
    0.5
    >>> distance(square, square + [1, 1])
    0.0
    """
    # Edges further apart than the longest is long cannot cross.
    between = edge_distance(a, b)
    crossing = between <= float(np.max(np.abs(b - _following(b)))) and _edges_cross(a, b)
    return 0.0 if crossing or _holds_any(b, a[:1]) or _holds_any(a, b[:1]) else between
