"""AP against the IoU threshold, as an SVG that takes its colours and its font from the page."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import seaborn as sns
from markupsafe import Markup, escape
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

# Colours that no figure uses: each is replaced by a variable of the page, which knows whether it
# is light or dark.
_INK, _FAINT, _GRID = "#010101", "#020202", "#020203"
_SERIES = "#0300{:02x}"
N_COLOURS = 8
"""Number of colours that the page defines; beyond it they repeat with another dash."""

# Characters of a name that fit beside the figure.
_LABEL_LENGTH = 27

_DASHES = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)))
_STYLE = {
    "font.size": 10,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "cellgen-bench",
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "xtick.labelcolor": _INK,
    "ytick.labelcolor": _INK,
    "xtick.color": _FAINT,
    "axes.edgecolor": _FAINT,
    "grid.color": _GRID,
    "grid.linewidth": 0.8,
    "axes.grid": True,
    "axes.grid.axis": "y",
}


@dataclass(frozen=True)
class Curve:
    """AP of one algorithm at each threshold.

    Parameters
    ----------
    name
        Label of the curve.
    slot
        Place among the algorithms that share the palette; None for a control, drawn in grey.
    thresholds, ap
        Arrays of one shape.
    """

    name: str
    slot: int | None
    thresholds: NDArray[np.float64]
    ap: NDArray[np.float64]


def draw_curves(curves: Sequence[Curve]) -> Markup:
    """Draw AP against the IoU threshold, each curve labelled at its right end.

    The same curves give the same bytes. Names are put in after drawing, escaped, so that no name
    is read as markup or as a formula.
    """
    style: dict[Any, Any] = {**sns.axes_style("white"), **_STYLE}
    with mpl.rc_context(style):
        figure = Figure(figsize=(11.2, 4.4))
        axes = figure.add_axes((0.055, 0.13, 0.71, 0.85))
        for number, curve in enumerate(curves):
            _draw(axes, curve, number)
        _label_ends(axes, curves)
        _furnish(axes)
        return _for_page(figure, [curve.name for curve in curves])


def _draw(axes: Axes, curve: Curve, number: int) -> None:
    control = curve.slot is None
    slot = number if curve.slot is None else curve.slot
    sns.lineplot(
        x=curve.thresholds,
        y=curve.ap,
        ax=axes,
        color=_colour(curve),
        linestyle=_DASHES[2] if control else _DASHES[slot // N_COLOURS % len(_DASHES)],
        linewidth=1.3 if control else 2.2,
        marker=None if control else "o",
        markersize=4.5,
        markeredgewidth=0,
        errorbar=None,
        clip_on=False,
        zorder=2 if control else 3,
    )


def _colour(curve: Curve) -> str:
    return _FAINT if curve.slot is None else _SERIES.format(curve.slot % N_COLOURS)


def _label_ends(axes: Axes, curves: Sequence[Curve]) -> None:
    """Write each name at its curve's right end, moved apart where ends lie close."""
    ends = np.array([curve.ap[-1] for curve in curves])
    for number, (curve, y) in enumerate(zip(curves, spread(ends, gap=0.054), strict=True)):
        x = curve.thresholds[-1]
        leader = [x + 0.006, x + 0.014, x + 0.019]
        axes.plot(leader, [ends[number], y, y], color=_colour(curve), linewidth=0.9, clip_on=False)
        axes.text(x + 0.022, y, f"@{number}@", va="center", fontsize=10)


def spread(values: NDArray[np.float64], gap: float) -> NDArray[np.float64]:
    """Move values from 0 to 1 until neighbours are at least `gap` apart, keeping their order.

    Crowded neighbours are spaced evenly about their common mean, and inside 0 to 1 if they fit.

    Examples
    --------
    >>> spread(np.array([0.5, 0.5, 0.9]), gap=0.1).round(2).tolist()
    [0.45, 0.55, 0.9]
    """
    order = np.argsort(values, kind="stable")
    groups: list[list[float]] = []
    for value in values[order]:
        groups.append([value])
        # A group takes up `gap` for each member about its mean; merge while two collide.
        while len(groups) > 1:
            lower, upper = groups[-2], groups[-1]
            room = float(np.mean(upper)) - float(np.mean(lower))
            if room >= gap * (len(lower) + len(upper)) / 2:
                break
            groups[-2:] = [lower + upper]
    placed = np.concatenate(
        [np.mean(group) + gap * (np.arange(len(group)) - (len(group) - 1) / 2) for group in groups]
    )
    steps = gap * np.arange(len(placed))
    placed = np.maximum(np.minimum(placed, steps + (1 - steps[-1])), steps)
    result: NDArray[np.float64] = np.empty_like(placed)
    result[order] = placed
    return result


def _furnish(axes: Axes) -> None:
    axes.set(xlim=(0.49, 0.955), ylim=(-0.02, 1.02), xlabel="IoU threshold", ylabel="AP")
    axes.set_xticks(np.arange(50, 100, 5) / 100)
    axes.set_yticks(np.arange(0, 11, 2) / 10)
    sns.despine(ax=axes, left=True, bottom=True)


def _for_page(figure: Figure, names: Sequence[str]) -> Markup:
    """Return the figure as an SVG element with the page's colours, font and names."""
    file = io.StringIO()
    empty = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(file, format="svg", transparent=True, metadata=empty)
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<style.*?</style>", "", svg, flags=re.DOTALL)  # it would style the whole page
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg)
    svg = re.sub(r"font-family: [^;\"]*; ", "", svg)
    svg = svg.replace(_INK, "currentColor").replace(_FAINT, "var(--faint)")
    svg = svg.replace(_GRID, "var(--line)")
    for slot in range(N_COLOURS):
        svg = svg.replace(_SERIES.format(slot), f"var(--series-{slot})")
    svg = re.sub("@([0-9]+)@", lambda found: str(escape(_short(names[int(found[1])]))), svg)
    return Markup(svg)  # noqa: S704 - made here; the only foreign text in it was escaped


def _short(name: str) -> str:
    """Cut a name to the room beside the figure; the table above has it whole."""
    return (
        name
        if len(name) <= _LABEL_LENGTH
        else name[: _LABEL_LENGTH - 1] + "\N{HORIZONTAL ELLIPSIS}"
    )
