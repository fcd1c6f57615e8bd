"""The tables that `bench score` prints."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from adapters import console

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmark.commands.score_output import Report

RATES = {"ap": "AP", "f1": "F1", "precision": "precision", "recall": "recall"}

FIGURES = {
    "mean_ap": ("mean AP", "over the thresholds"),
    "mean_f1": ("mean F1", "over the thresholds"),
    "mean_matched_iou": ("IoU of matches", "how well matched objects overlap"),
    "mean_true_iou": ("IoU of true objects", "the same, 0 without a match"),
    "pq": ("PQ", "panoptic quality, SQ times RQ"),
    "sq": ("SQ", "IoU of pairs above 0.5"),
    "rq": ("RQ", "F1 of pairs above 0.5"),
    "seg": ("SEG", "Cell Tracking Challenge"),
    "det": ("DET", "Cell Tracking Challenge"),
    "aji": ("AJI", "aggregated Jaccard index"),
    "aji_plus": ("AJI+", "the same of one-to-one pairs"),
    "aji_cellpose": ("AJI of Cellpose", "pairs, over all foreground"),
    "foreground_iou": ("foreground IoU", "all objects as one mask"),
    "boundary_f1": ("boundary F1", "share of outlines within tolerance"),
    "boundary_mean": ("outline distance", "mean of matched outlines"),
    "hausdorff_95": ("Hausdorff 95 %", "95 % of the outline is nearer"),
    "boundary_bias": ("outline bias", "+ drawn too large, - too small"),
}
"""What each figure is called, and says."""

MANY = 20
"""Of more images than these, only the lowest are shown."""
LOWEST = 10


def show(report: Report, *, in_pixels: bool) -> None:
    """Print what was found: the profile's own figure first, then all others.

    Parameters
    ----------
    report
        What was found.
    in_pixels
        Whether distances are in pixels; otherwise they are in the unit that the user gave.
    """
    way = ""
    if report.of_folders:
        way = ", all objects pooled" if report.profile.pooled else ", mean over images"
    say(f"{_headline_name(report)}: {number(report.headline)}{way}")
    say(f"profile {report.profile.name} ({report.profile.source})")
    if report.profile.border:
        say(f"objects within {report.profile.border} px of the edge of an image are left out")
    if report.of_folders:
        _show_folders(report)
    else:
        _show_image(report.scored[0].figures)
    say(f"distances are in {'pixels' if in_pixels else 'the unit of --spacing'}")


def _headline_name(report: Report) -> str:
    """Return what the profile's own figure is called.

    A figure that there is one of for each threshold is that at the first.
    """
    name = report.profile.headline
    if name in RATES:
        return f"{RATES[name]} at IoU {report.thresholds[0]:g}"
    label = FIGURES[name][0]
    if name in {"mean_ap", "mean_f1"}:
        first, last = report.thresholds[0], report.thresholds[-1]
        return f"{label} over IoU {first:g}" + (f" to {last:g}" if last != first else "")
    return label


def _show_image(figures: dict[str, Any]) -> None:
    table = new_table("IoU", *RATES.values(), "TP", "FP", "FN")
    for row, threshold in enumerate(figures["thresholds"]):
        rates = [number(figures[name][row]) for name in RATES]
        counts = [str(figures[name][row]) for name in ("tp", "fp", "fn")]
        add_row(table, [f"{threshold:g}", *rates, *counts])
    console.out.print(table)
    table = new_table("figure", "", "", left=(0, 2))
    for name, (label, meaning) in FIGURES.items():
        add_row(table, [label, number(figures[name]), meaning])
    console.out.print(table)
    _show_kinds(figures)


def _show_folders(report: Report) -> None:
    summary = report.summary
    say(_counts(report))
    _show_images(report)
    mean, pooled = summary["mean"], summary["pooled"]
    table = new_table(
        "IoU", *(f"{label}\n{way}" for label in RATES.values() for way in ("mean", "pooled"))
    )
    for row, threshold in enumerate(summary["thresholds"]):
        cells = [number(ways[name][row]) for name in RATES for ways in (mean, pooled)]
        add_row(table, [f"{threshold:g}", *cells])
    console.out.print(table)
    table = new_table("figure", "mean", "pooled", "", left=(0, 3))
    for name, (label, meaning) in FIGURES.items():
        add_row(table, [label, number(mean[name]), number(pooled.get(name)), meaning])
    console.out.print(table)
    _show_kinds(summary)
    say("mean: each image counts the same; pooled: each object counts the same")


def _counts(report: Report) -> str:
    n = report.summary["n"]
    text = f"{n} images" if n > 1 else "1 image"
    notes = []
    if empty := report.summary["n_empty"]:
        left = " and left out of the mean" if math.isnan(report.profile.empty) else ""
        notes.append(f"{empty} without any object{left}")
    if missing := len(report.pairing.missing):
        notes.append(f"{missing} without a prediction, counted as empty")
    return ", ".join([text, *notes])


def _show_images(report: Report) -> None:
    """Print a row per image, of many only those with the lowest figures."""
    rows = [(report.headline_of(figures), pair, figures) for pair, figures in report.images()]
    if len(rows) > MANY:
        defined = [row for row in rows if row[0] is not None]
        rows = sorted(defined, key=lambda row: (row[0], row[1].name))[:LOWEST]
        say(f"the {len(rows)} lowest of {len(report.scored)} images (--csv lists all):")
    name = report.profile.headline
    tangled = any(figures["catastrophes"] for _, _, figures in rows)
    kinds = {"miss": "missed", "split": "split", "merge": "merged"}
    kinds |= {"cata.": "catastrophe"} if tangled else {}
    table = new_table("image", RATES.get(name) or FIGURES[name][0], "found", *kinds, "spur.")
    for value, pair, figures in rows:
        of = figures["true_kinds"]
        found = f"{of['matched']}/{figures['n_true']}"
        counts = [*(of[kind] for kind in kinds.values()), figures["pred_kinds"]["spurious"]]
        called = pair.name if pair.prediction else f"{pair.name} (no prediction)"
        add_row(table, [called, number(value), found, *map(str, counts)])
    console.out.print(table)


def _show_kinds(figures: dict[str, Any]) -> None:
    for side, total, kinds in (
        ("true objects", "n_true", "true_kinds"),
        ("predicted objects", "n_pred", "pred_kinds"),
    ):
        parts = ", ".join(f"{n} {kind}" for kind, n in figures[kinds].items())
        say(f"{figures[total]} {side}: {parts}")


def new_table(*columns: str, left: Sequence[int] = (0,)) -> Table:
    """Return a table without rows; columns are of numbers, unless their places are in `left`."""
    # Narrow enough for 80 columns: cells are padded once.
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for place, column in enumerate(columns):
        table.add_column(
            Text(column),
            justify="left" if place in left else "right",
            no_wrap=place > 0,  # where it is narrow, names are broken and figures are not
            overflow="fold",
        )
    return table


def add_row(table: Table, cells: Iterable[str]) -> None:
    """Add a row of plain text."""
    table.add_row(*map(Text, cells))


def number(value: float | None) -> str:
    """Return a figure as it stands in a table; one that is not defined as a dash."""
    return "-" if value is None or math.isnan(value) else f"{value:z.3f}"


def say(text: str) -> None:
    """Print a line to stdout, however long."""
    console.out.print(text, soft_wrap=True)


def some(names: Sequence[str], what: str) -> str:
    """Return how many there are of something, and what the first of them are called.

    Examples
    --------
    >>> some(["a"], "image"), some(["a", "b"], "image")
    ('1 image (a)', '2 images (a, b)')
    """
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"{len(names)} {what}{'s' * (len(names) != 1)} ({', '.join(names[:5])}{more})"
