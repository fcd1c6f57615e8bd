"""What `bench score spots` found, as plain values, rows of images and tables."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from adapters import console
from benchmark.commands.score_tables import LOWEST, MANY, add_row, new_table, number, say, some
from benchmark.errors import DatasetError
from benchmark.scoring.aggregate import image_mean
from benchmark.scoring.spots import SpotFigures, SpotScore, pool_spots, score_spots
from benchmark.spot_files import Spots

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

FIGURES = {
    "f1": ("F1", ""),
    "precision": ("precision", "share of predicted spots that are true"),
    "recall": ("recall", "share of true spots that are found"),
    "localisation_rms": ("localisation error", "distance of matches, root mean square"),
    "localisation_mean": ("mean distance", "of matches"),
    "photon_bias": ("photon bias", "mean of (prediction - truth) / truth"),
    "photon_rms": ("photon error", "the same, root mean square"),
}
"""What each figure is called, and says."""


@dataclass(frozen=True)
class Report:
    """All that was scored.

    Parameters
    ----------
    truth, prediction
        What the user named.
    scores
        The scores by image; of tables that do not tell images apart, one under "".
    """

    truth: str
    prediction: str
    scores: dict[str, SpotScore]

    @cached_property
    def pooled(self) -> SpotFigures:
        """All spots of all images together."""
        return pool_spots(list(self.scores.values()))

    @cached_property
    def mean(self) -> dict[str, float]:
        """Means over the images in which a figure is defined."""
        return {
            name: image_mean([getattr(score, name) for score in self.scores.values()]).value
            for name in FIGURES
        }

    @property
    def of_images(self) -> bool:
        """Whether the tables tell images apart."""
        return set(self.scores) != {""}

    @property
    def axes(self) -> str:
        """A letter an axis, in the order of `bias`."""
        return "zyx"[-len(self.pooled.bias) :]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        top = {"truth": self.truth, "prediction": self.prediction}
        if not self.of_images:
            return {**top, **self.scores[""].to_dict()}
        return {
            **top,
            "n": len(self.scores),
            "n_empty": sum(one.n_true + one.n_pred == 0 for one in self.scores.values()),
            "mean": {
                name: None if math.isnan(value) else value for name, value in self.mean.items()
            },
            "pooled": self.pooled.to_dict(),
            "images": [{"image": name, **_figures(one)} for name, one in self.scores.items()],
        }

    def rows(self) -> list[dict[str, Any]]:
        """Return a row per image, with a column for the bias along each axis."""
        rows = []
        for name, one in self.scores.items():
            figures = _figures(one)
            bias = zip(self.axes, figures.pop("bias"), strict=True)
            along = {f"bias_{axis}": entry for axis, entry in bias}
            rows.append({"image": name or Path(self.prediction).stem, **figures, **along})
        return rows


def require_pairs(true: Mapping[str, Spots], pred: Mapping[str, Spots], *, where: str) -> None:
    """Refuse tables that do not go together.

    Raises
    ------
    DatasetError
        If only one tells images apart, they have no image in common, or only some are of volumes.
    """
    if ("" in true) != ("" in pred):
        raise DatasetError(
            f"the {'prediction' if '' in true else 'truth'} tells images apart and the other "
            "table does not",
            where=where,
            mend="add a column `image` to both, or leave it out of both",
        )
    if not true and not pred:
        raise DatasetError("there is no spot in any image", where=where, mend="check the tables")
    if true and pred and not set(true) & set(pred):
        raise DatasetError(
            f"no image is in both: the truth has {', '.join(list(true)[:3])}, the prediction "
            f"{', '.join(list(pred)[:3])}",
            where=where,
            mend="call the same image the same in both",
        )
    axes = [{spots.at.shape[1] for spots in side.values()} for side in (true, pred)]
    if len(axes[0] | axes[1]) > 1:
        raise DatasetError(
            "some positions have a z and others have not",
            where=where,
            mend="add it to all tables, or leave it out of all",
        )


def warnings(true: Mapping[str, Spots], pred: Mapping[str, Spots]) -> Iterator[str]:
    """Yield what the user should know before trusting the figures."""
    for here, there, what in (
        (true, pred, "without a predicted spot: all true ones count as missed"),
        (pred, true, "without a true spot: all predicted ones count as spurious"),
    ):
        if names := [name for name in here if name not in there]:
            yield f"{some(names, 'image')} {what}"


def score_images(
    true: Mapping[str, Spots],
    pred: Mapping[str, Spots],
    *,
    radius: float,
    spacing: float | Sequence[float] | None,
) -> dict[str, SpotScore]:
    """Score the spots of each image; one that is in one table only has none in the other."""
    nothing = Spots(np.empty((0, 2)), None)
    scores = {}
    for name in sorted({*true, *pred}):
        sides = true.get(name, nothing), pred.get(name, nothing)
        scores[name] = score_spots(
            sides[0].at,
            sides[1].at,
            radius=radius,
            true_photons=sides[0].photons,
            pred_photons=sides[1].photons,
            spacing=spacing,
        )
    return scores


def show(report: Report, *, in_pixels: bool) -> None:
    """Print what was found.

    Parameters
    ----------
    report
        What was found.
    in_pixels
        Whether distances are in pixels; otherwise they are in the unit that the user gave.
    """
    pooled = report.pooled
    f1 = f"{number(report.mean['f1'])}, mean over images" if report.of_images else number(pooled.f1)
    say(f"F1 within a radius of {pooled.radius:g}{' px' if in_pixels else ''}: {f1}")
    say(f"{pooled.n_true} true spots: {pooled.tp} found, {pooled.fn} missed")
    say(f"{pooled.n_pred} predicted spots: {pooled.tp} matched, {pooled.fp} spurious")
    if report.of_images:
        _show_images(report)
    ways = ("mean", "pooled") if report.of_images else ("",)
    table = new_table("figure", *ways, "", left=(0, 1 + len(ways)))
    for name, (label, meaning) in FIGURES.items():
        values = [getattr(pooled, name)]
        values = [report.mean[name], *values] if report.of_images else values
        add_row(table, [label, *map(number, values), meaning])
    for axis, value in zip(report.axes, pooled.bias, strict=True):
        cells = ["", number(value)] if report.of_images else [number(value)]
        add_row(table, [f"bias along {axis}", *cells, "mean of prediction - truth"])
    console.out.print(table)
    say(f"distances are in {'pixels' if in_pixels else 'the unit of --spacing'}")


def _show_images(report: Report) -> None:
    """Print a row per image, of many only those with the lowest F1."""
    rows = list(report.scores.items())
    if len(rows) > MANY:
        rows = [row for row in rows if not math.isnan(row[1].f1)]
        rows = sorted(rows, key=lambda row: (row[1].f1, row[0]))[:LOWEST]
        say(f"the {len(rows)} lowest of {len(report.scores)} images (--csv lists all):")
    table = new_table("image", "F1", "precision", "recall", "TP", "FP", "FN", "localisation")
    for name, one in rows:
        rates = [number(value) for value in (one.f1, one.precision, one.recall)]
        counts = [str(count) for count in (one.tp, one.fp, one.fn)]
        add_row(table, [name, *rates, *counts, number(one.localisation_rms)])
    console.out.print(table)


def _figures(score: SpotScore) -> dict[str, Any]:
    """Return the plain values of a score without the pairs behind them."""
    plain = score.to_dict()
    return {field.name: plain[field.name] for field in fields(SpotFigures)}
