"""What `bench score` found, as plain values, rows of images and rows of objects."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from benchmark.commands.score_tables import some
from benchmark.files import replacing
from benchmark.label_pairs import printable
from benchmark.scoring.metrics import COUNTS, LISTS, NUMBERS
from benchmark.scoring.profiles import profile_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

    from benchmark.label_pairs import LabelPair, Pairing
    from benchmark.scoring import Profile, Score


@dataclass(frozen=True)
class Scored:
    """What is kept of the score of an image.

    Parameters
    ----------
    figures
        As `Score.to_dict` has them.
    tables
        A row per true and per predicted object, if they are wanted.
    """

    figures: dict[str, Any]
    tables: tuple[pd.DataFrame, pd.DataFrame] | None = None


def scored(score: Score, *, tables: bool, objects: bool) -> Scored:
    """Return what is to be kept of a score.

    Parameters
    ----------
    score
        The score.
    tables
        Whether the tables of objects are wanted for a file of their own.
    objects
        Whether they are wanted among the figures.
    """
    kept = (score.true_objects, score.pred_objects) if tables else None
    return Scored(score.to_dict(objects=objects), kept)


@dataclass(frozen=True)
class Report:
    """All that was scored.

    Parameters
    ----------
    truth, prediction
        What the user named.
    pairing
        The files.
    scored
        The scores, in the order of the pairs.
    profile_name
        The convention.
    """

    truth: Path
    prediction: Path
    pairing: Pairing
    scored: tuple[Scored, ...]
    profile_name: str

    @property
    def profile(self) -> Profile:
        """The convention."""
        return profile_of(self.profile_name)

    @property
    def of_folders(self) -> bool:
        """Whether two folders were scored, or else two files."""
        return self.truth.is_dir()

    @property
    def thresholds(self) -> list[float]:
        """IoU at which objects matched."""
        thresholds: list[float] = self.scored[0].figures["thresholds"]
        return thresholds

    @cached_property
    def summary(self) -> dict[str, Any]:
        """All images together, see `benchmark.scoring.aggregate.summarise`."""
        from benchmark.scoring.aggregate import summarise  # noqa: PLC0415 - for folders alone

        return summarise([one.figures for one in self.scored], empty=self.profile.empty)

    @property
    def headline(self) -> float | None:
        """The figure that the profile is known for; None if there was nothing to score."""
        if not self.of_folders:
            return self.headline_of(self.scored[0].figures)
        return self.headline_of(self.summary["pooled" if self.profile.pooled else "mean"])

    def headline_of(self, figures: dict[str, Any]) -> float | None:
        """Return the profile's figure of one image, or of all of them one way or the other."""
        value = figures[self.profile.headline]
        value = value[0] if isinstance(value, list) else value
        return None if value is None or math.isnan(value) else float(value)

    def images(self) -> Iterator[tuple[LabelPair, dict[str, Any]]]:
        """Yield the files and the figures of each image."""
        for pair, one in zip(self.pairing.pairs, self.scored, strict=True):
            yield pair, one.figures

    def warnings(self) -> Iterator[str]:
        """Yield what the user should know before trusting the figures."""
        for names, kind, what in (
            (self.pairing.missing, "image", "without a prediction: nothing counts as found"),
            (self.pairing.unpaired, "prediction", "without a truth: left out"),
            (
                self.pairing.left_out,
                "file",
                "taken for images, since labels of the same name are beside",
            ),
        ):
            if names:
                yield f"{some(names, kind)} {what}"
        for side, count, total in (
            ("true", "fragmented_true", "n_true"),
            ("predicted", "fragmented_pred", "n_pred"),
        ):
            n, of = (sum(one.figures[key] for one in self.scored) for key in (count, total))
            if n:
                many = "are in several pieces; each counts" if n > 1 else "is in pieces; it counts"
                doubt = "; is this an image, and no labels?" if 2 * n > of > 10 else ""
                yield f"{n} of {of} {side} objects {many} as one{doubt}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        way = "pooled" if self.profile.pooled else "mean"
        top = {
            "truth": printable(self.truth),
            "prediction": printable(self.prediction),
            "profile": self.profile.name,
            "source": self.profile.source,
            "headline": {
                "figure": self.profile.headline,
                "value": self.headline,
                "of": way if self.of_folders else "image",
            },
        }
        if not self.of_folders:
            return {**top, **self.scored[0].figures}
        return {
            **top,
            **_plain(self.summary),
            "n_missing": len(self.pairing.missing),
            "missing": self.pairing.missing,
            "unpaired_predictions": list(self.pairing.unpaired),
            "left_out": list(self.pairing.left_out),
            "images": [{**_names(pair), **figures} for pair, figures in self.images()],
        }

    def rows(self) -> list[dict[str, Any]]:
        """Return a row per image: names, counts, figures, and kinds of error."""
        return [
            {
                **_names(pair),
                "profile": self.profile.name,
                "n_true": figures["n_true"],
                "n_pred": figures["n_pred"],
                **{
                    f"{name}_{_percent(threshold)}": entry
                    for name in LISTS
                    for threshold, entry in zip(self.thresholds, figures[name], strict=True)
                },
                **{name: figures[name] for name in (*NUMBERS, *COUNTS)},
                **{f"true_{kind}": n for kind, n in figures["true_kinds"].items()},
                **{f"pred_{kind}": n for kind, n in figures["pred_kinds"].items()},
            }
            for pair, figures in self.images()
        ]


def write_objects(report: Report, path: Path) -> None:
    """Write the objects of all images as CSV or Parquet, as the suffix says.

    The columns are ``image``, ``side`` (true or pred) and those that
    `benchmark.scoring.objects.object_columns` names.
    """
    import pandas as pd  # noqa: PLC0415 - few ask for objects

    tables = []
    for pair, one in zip(report.pairing.pairs, report.scored, strict=True):
        for side, table in zip(("true", "pred"), one.tables or (), strict=True):
            rows = table.copy()
            rows.insert(0, "image", pair.name)
            rows.insert(1, "side", side)
            tables.append(rows)
    whole = pd.concat(tables, ignore_index=True)
    with replacing(path) as temporary:
        if path.suffix == ".csv":
            whole.to_csv(temporary, index=False, lineterminator="\n")
        else:
            whole.to_parquet(temporary, index=False)


def _names(pair: LabelPair) -> dict[str, Any]:
    return {
        "image": pair.name,
        "truth": printable(pair.truth.name),
        "prediction": pair.prediction and printable(pair.prediction.name),
    }


def _percent(threshold: float) -> str:
    """Return a threshold as it stands in the name of a column: 0.5 is 50, 0.625 is 62.5."""
    return format(round(100 * threshold, 4), "g")


def _plain(value: Any) -> Any:
    """Return a tree with None in the place of NaN."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return None if isinstance(value, float) and math.isnan(value) else value
