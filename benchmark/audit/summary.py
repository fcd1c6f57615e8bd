"""The figures of an audit that are read first, one row each, the same for page and terminal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

COLUMNS = ("synthetic", "baseline", "real")


@dataclass(frozen=True)
class Row:
    """One figure of every column.

    Attributes
    ----------
    part, title
        Which part of the audit it is of, and what it is.
    values
        By column a number, or None.
    notes
        By column what stands beside it, such as how many it rests on.
    digits
        How many decimals are shown.
    """

    part: str
    title: str
    values: Mapping[str, float | None]
    notes: Mapping[str, str]
    digits: int = 3

    def text(self, column: str) -> str:
        """Return the figure of a column as it is shown, a dash if there is none."""
        value = self.values.get(column)
        return "-" if value is None else f"{value:.{self.digits}f}"


def columns_of(record: Mapping[str, Any]) -> list[str]:
    """Return the columns that an audit has."""
    return [name for name in COLUMNS if name in record["sources"]]


def rows_of(record: Mapping[str, Any]) -> list[Row]:
    """Return the first figures of each part of an audit that was done."""
    tables = {
        "faithfulness": _faithfulness,
        "statistics": _statistics,
        "classifier": _classifier,
        "copies": _copies,
        "transfer": _transfer,
    }
    return [
        row
        for part, table in tables.items()
        if record["parts"].get(part, {}).get("columns")
        for row in table(record["parts"][part]["columns"])
    ]


def _row(
    part: str, title: str, columns: Mapping[str, Any], *path: str | int, n: tuple[str | int, ...]
) -> Row:
    return Row(
        part,
        title,
        {name: _at(found, path) for name, found in columns.items()},
        {name: f"n = {_at(found, n):,}" for name, found in columns.items() if _at(found, n)},
    )


def _at(found: Any, path: tuple[str | int, ...]) -> Any:
    """Return what lies at a path of keys and places; None where it ends early."""
    for key in path:
        if found is None or (isinstance(found, dict) and key not in found):
            return None
        found = found[key]
    return found


def _faithfulness(columns: Mapping[str, Any]) -> Iterator[Row]:
    titles = {
        "isolated": "isolated edges",
        "touching": "touching edges",
    }
    for kind, title in titles.items():
        for figure, name in (
            ("signed", "signed median, px"),
            ("spread", "spread about it, median, px"),
            ("spread_95", "spread about it, 95 %, px"),
            ("share", "share of edges used"),
        ):
            row = _row("faithfulness", f"{title}: {name}", columns, kind, figure, n=(kind, "n"))
            yield Row(row.part, row.title, row.values, row.notes, 2)


def _statistics(columns: Mapping[str, Any]) -> Iterator[Row]:
    judged = {name: found for name, found in columns.items() if name != "reference"}
    for measure, title in (
        ("area_px", "area"),
        ("eccentricity", "eccentricity"),
        ("solidity", "solidity"),
        ("nn_over_equiv_diameter", "spacing over diameter"),
        ("relative_intensity", "relative intensity"),
        ("within_cell_cv", "CV within a cell"),
        ("image:density_per_megapixel", "density"),
        ("image:snr_contrast_over_noise_sigma", "contrast over noise"),
    ):
        n = ("measures", measure, "n")
        yield _row("statistics", f"KS {title}", judged, "apart", measure, "ks", n=n)
    cv = ("apart", "within_cell_cv", "ratio")
    n = ("measures", "within_cell_cv", "n")
    yield _row("statistics", "CV within a cell, median, over real", judged, *cv, n=n)
    worst = {name: _farthest(found["power_ratio"]) for name, found in judged.items()}
    tiles = {name: f"n = {found['n_tiles']:,}" for name, found in judged.items()}
    yield Row("statistics", "power spectrum over real, band farthest from 1", worst, tiles)


def _farthest(ratios: list[float | None]) -> float | None:
    known = np.array([ratio for ratio in ratios if ratio], np.float64)
    return float(known[np.argmax(np.abs(np.log(known)))]) if known.size else None


def _classifier(columns: Mapping[str, Any]) -> Iterator[Row]:
    for view in ("raw", "blurred", "high-pass"):
        for model, named in (("network", "network"), ("linear", "linear model")):
            if any(model in found.get(view, {}) for found in columns.values()):
                title = f"AUC of the {named}, {view} patches"
                yield _row(
                    "classifier", title, columns, view, model, "auc", n=(view, model, "n", 0)
                )


def _copies(columns: Mapping[str, Any]) -> Iterator[Row]:
    for key, title in (
        ("shape_twins", "shapes with a twin in the set"),
        ("shape_copies", "shapes copied from the reference"),
        ("texture_twins", "textures with a twin in the set"),
        ("texture_copies", "textures copied from the reference"),
    ):
        yield _row("copies", f"{title}, share", columns, key, "share", n=("n",))


def _transfer(columns: Mapping[str, Any]) -> Iterator[Row]:
    for key, title in (("ap50", "AP50"), ("ap75", "AP75")):
        n = ("objects",)
        yield _row("transfer", f"{title} on real images", columns, key, "mean", n=n)
        yield _row("transfer", f"{title} over that of real training", columns, key, "ratio", n=n)
