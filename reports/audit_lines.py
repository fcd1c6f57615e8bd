"""The two drawings of an audit's page, as SVG in the page's own colours and font."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WIDTH, HEIGHT = 640, 240
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 12, 40
LOWEST, HIGHEST = 0.25, 4.0
"""Ratios beyond these are drawn at these."""


@dataclass(frozen=True)
class Line:
    """One column of an audit: shares at places, of one length."""

    column: str
    x: Sequence[float]
    y: Sequence[float]


def lines(drawn: Sequence[Line], label: str) -> Markup:
    """Draw distributions over one axis that runs from -3 to 3."""
    top = max(max(line.y) for line in drawn) * 1.05

    def place(x: float, y: float) -> tuple[float, float]:
        across = LEFT + (x + 3) / 6 * (WIDTH - LEFT - RIGHT)
        return across, HEIGHT - BOTTOM - y / top * (HEIGHT - TOP - BOTTOM)

    parts = [_grid(*place(x, 0), f"{x:g}") for x in range(-3, 4)]
    x, y = place(0, 0)
    parts.append(f'<path class="zero" d="M{x:.1f} {TOP}V{y:.1f}"/>')
    for line in drawn:
        places = (place(x, y) for x, y in zip(line.x, line.y, strict=True))
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline class="column {escape(line.column)}" points="{points}"/>')
    parts.append(_caption(label))
    return _svg(parts)


def bars(ratios: Mapping[str, Sequence[float | None]], bands: int) -> Markup:
    """Draw ratios to real in each band of frequency, on a logarithmic axis about 1."""
    span = math.log(HIGHEST / LOWEST)
    step = (WIDTH - LEFT - RIGHT) / bands

    def height(ratio: float) -> float:
        cut = min(max(ratio, LOWEST), HIGHEST)
        return HEIGHT - BOTTOM - math.log(cut / LOWEST) / span * (HEIGHT - TOP - BOTTOM)

    parts = []
    for ratio in (LOWEST, 0.5, 1.0, 2.0, HIGHEST):
        y = height(ratio)
        kind = "zero" if ratio == 1 else "grid"
        parts.append(f'<path class="{kind}" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{ratio:g}</text>')
    for band in range(bands):
        middle = LEFT + (band + 0.5) * step
        start = f"{band / bands / 2:.2f}"
        y = HEIGHT - BOTTOM + 16
        parts.append(f'<text x="{middle:.1f}" y="{y}" text-anchor="middle">{start}</text>')
        for number, (column, values) in enumerate(ratios.items()):
            value = values[band]
            if value is None or value <= 0:
                continue
            place = f'cx="{middle + (number - (len(ratios) - 1) / 2) * step * 0.22:.1f}"'
            place += f' cy="{height(value):.1f}" r="4.5"'
            parts.append(f'<circle class="column {escape(column)}" {place}/>')
    parts.append(_caption("band of frequency, from, cycles per pixel"))
    return _svg(parts)


def _grid(x: float, y: float, text: str) -> str:
    return (
        f'<path class="grid" d="M{x:.1f} {TOP}V{y:.1f}"/>'
        f'<text x="{x:.1f}" y="{y + 16:.1f}" text-anchor="middle">{text}</text>'
    )


def _caption(text: str) -> str:
    middle = LEFT + (WIDTH - LEFT - RIGHT) / 2
    return f'<text x="{middle:.1f}" y="{HEIGHT - 6}" text-anchor="middle">{escape(text)}</text>'


def _svg(parts: Sequence[str]) -> Markup:
    inner = "".join(parts)
    return Markup(  # noqa: S704 - numbers, and names that were escaped
        f'<svg class="drawing" viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true">{inner}</svg>'
    )
