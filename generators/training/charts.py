"""Curves as small SVG drawings that take their colours from the page."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, HEIGHT = 300, 120
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 8, 8, 20
_POINTS = 300  # more are averaged: nobody sees them

_CHART = Markup(
    '<svg class="chart" viewBox="0 0 {width} {height}" role="img" aria-label="{name}">'
    "{rules}{labels}{curve}</svg>"
)
_RULE = Markup('<line class="rule" x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
_LABEL = Markup('<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>')
_CURVE = Markup('<polyline class="curve" points="{points}"/>')
_POINT = Markup('<circle class="point" cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>')


@dataclass(frozen=True)
class Chart:
    """A figure over the thousands of pictures learned from.

    Parameters
    ----------
    name
        Of the figure.
    points
        (thousand pictures, value) in order; at least one.

    Examples
    --------
    >>> chart = Chart("loss <1>", [(0.0, 2.0), (10.0, 1.0)])
    >>> chart.last
    '1'
    >>> 'points="56.0,8.0 292.0,100.0"' in chart.svg, "loss &lt;1&gt;" in chart.svg
    (True, True)
    """

    name: str
    points: Sequence[tuple[float, float]]

    @property
    def last(self) -> str:
        """The last value, to be read."""
        return f"{self.points[-1][1]:.4g}"

    @property
    def svg(self) -> Markup:
        """The drawing."""
        points = _thinned(np.array(self.points, dtype=np.float64))
        end = points[-1, 0]
        low, high = points[:, 1].min(), points[:, 1].max()
        span = high - low or 1.0
        bottom, right = HEIGHT - _BOTTOM, WIDTH - _RIGHT
        start = points[0, 0]
        x = _LEFT + (points[:, 0] - start) / (end - start or 1.0) * (right - _LEFT)
        y = bottom - (points[:, 1] - low) / span * (bottom - _TOP)
        ruled = [(high, _TOP)] if high == low else [(low, bottom), (high, _TOP)]
        if high == low:
            y[:] = _TOP
        return _CHART.format(
            width=WIDTH,
            height=HEIGHT,
            name=f"{self.name}, now {self.last}",
            rules=Markup().join(_RULE.format(left=_LEFT, right=right, y=at) for _, at in ruled),
            labels=Markup().join(_labels(ruled, float(start), float(end))),
            curve=Markup().join(
                [
                    _CURVE.format(
                        points=" ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
                    ),
                    _POINT.format(x=x[-1], y=y[-1]),
                ]
            ),
        )


def _labels(ruled: Sequence[tuple[float, float]], start: float, end: float) -> list[Markup]:
    """Return what stands at the ends of the axes."""
    made = [
        _LABEL.format(x=_LEFT - 5, y=at + 3.5, anchor="end", text=f"{value:.3g}")
        for value, at in ruled
    ]
    if end > start:
        made.append(_LABEL.format(x=_LEFT, y=HEIGHT - 5, anchor="start", text=f"{start:.4g}"))
    right = WIDTH - _RIGHT
    return [*made, _LABEL.format(x=right, y=HEIGHT - 5, anchor="end", text=f"{end:.4g} kimg")]


def _thinned(
    points: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return at most `_POINTS` points, means of neighbours; the last one is kept."""
    if len(points) <= _POINTS:
        return points
    edges = np.linspace(0, len(points) - 1, _POINTS).astype(int)
    means = [points[a:b].mean(axis=0) for a, b in pairwise(edges.tolist())]
    return np.array([*means, points[-1]])
