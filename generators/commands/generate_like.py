"""`bench generate --like FOLDER`: fit a recipe to images, write it, say how close it comes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.table import Table

from adapters import console
from benchmark.errors import BenchError

if TYPE_CHECKING:
    from pathlib import Path

    from generators.like.measuring import Measured
    from generators.recipe import Recipe


@dataclass(frozen=True)
class Likeness:
    """A recipe fitted to a folder of images.

    Attributes
    ----------
    folder, channel, images
        What was measured: which channel of how many images.
    file, recipe
        The recipe, and where it was written.
    rounds
        How often scenes were made and measured to fit it.
    real
        The figures of the images.
    """

    folder: Path
    channel: int
    images: int
    file: Path
    recipe: Recipe
    rounds: int
    real: Measured

    def rows(self, made: Path) -> list[dict[str, Any]]:
        """Measure the data set that the recipe made, and compare."""
        from generators.like.measuring import measured  # noqa: PLC0415
        from generators.like.reading import planes  # noqa: PLC0415
        from generators.like.report import comparison  # noqa: PLC0415

        return comparison(self.real, measured(planes(made)))

    def to_dict(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        """Return what `--json` says of the fit."""
        return {
            "folder": str(self.folder),
            "channel": self.channel,
            "images": self.images,
            "recipe": str(self.file),
            "rounds": self.rounds,
            "figures": rows,
        }


def fitted(
    folder: Path, base: Recipe, channel: int, out: Path, split: str | None = None
) -> Likeness:
    """Fit a recipe to the images of a folder and write it beside the data set to be made.

    Raises
    ------
    BenchError
        If another recipe stands there, or the folder has no images to fit anything to.
    """
    from benchmark.files import write_bytes  # noqa: PLC0415
    from generators.like.fitting import fit  # noqa: PLC0415 - help needs none of it
    from generators.like.measuring import measured  # noqa: PLC0415
    from generators.like.reading import planes  # noqa: PLC0415
    from generators.like.writing import toml  # noqa: PLC0415

    images = planes(folder, channel, split=split, notice=console.err.print)
    real = measured(images)
    with console.counting(f"fitting to {len(images)} images") as tell:
        found = fit(real, base, f"like-{_name(folder)}", tell=tell)
    text = toml(found.document, f"Fitted to {len(images)} images of {folder.resolve().name}.")
    file = out.absolute().with_name(f"{out.name}.toml")
    if file.exists() and file.read_text(encoding="utf-8") != text:
        raise BenchError(
            "another recipe stands where the fitted one would be written",
            where=file,
            mend="remove it, or name another --out",
        )
    write_bytes(file, text.encode())
    return Likeness(folder, channel, len(images), file, found.recipe, found.rounds, real)


def _name(folder: Path) -> str:
    """Return a folder's name as part of a data set's name."""
    kept = "".join(c if c.isascii() and c.isalnum() else "-" for c in folder.resolve().name)
    return kept.strip("-")[:60] or "images"


def show(likeness: Likeness, rows: list[dict[str, Any]]) -> None:
    """Print how close each figure came."""
    table = Table(box=None)
    for heading in ("figure", "unit", "yours", "10 to 90 %", "made", "10 to 90 %", "off"):
        words = heading in {"figure", "unit"}
        table.add_column(heading, justify="left" if words else "right", no_wrap=True)
    for row in rows:
        cells = [row["figure"], row["unit"]]
        for side in ("real", "made"):
            cells += [_figure(row[side]["median"])]
            cells += [f"{_figure(row[side]['low'])} to {_figure(row[side]['high'])}"]
        table.add_row(*cells, "" if row["off"] is None else f"{row['off']:+.0%}")
    console.out.print(table)
    console.out.print(
        f"medians over images; recipe fitted in {likeness.rounds} rounds, in {likeness.file}"
    )


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"
