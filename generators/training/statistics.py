"""How a training goes: a line of figures a tick in `stats.jsonl`, and the same for TensorBoard."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Protocol, cast

from benchmark.errors import RunError
from benchmark.files import write_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

Line = dict[str, Any]
"""`tick`, `pictures`, `steps`; `figures` and `metrics` by name; `timing`, which alone is not the
same when a training is done again."""


class Means:
    """Means of figures by name; not every step has every one.

    Values that are no number are left out and counted, under `not_finite`. Where all of a figure's
    are, so is their mean.

    Examples
    --------
    >>> means = Means()
    >>> means.add({"loss": 1.0, "r1": 8.0})
    >>> means.add({"loss": 3.0})
    >>> means.add({"loss": math.nan})
    >>> means.taken()
    {'loss': 2.0, 'r1': 8.0, 'not_finite': 1.0}
    """

    def __init__(self) -> None:
        self._values: dict[str, list[float]] = defaultdict(list)

    def add(self, figures: Mapping[str, float]) -> None:
        """Take the figures of one step in."""
        for name, value in figures.items():
            self._values[name].append(value)

    def taken(self) -> dict[str, float]:
        """Return the means, and start anew."""
        means, wrong = {}, 0
        for name, values in self._values.items():
            kept = [value for value in values if math.isfinite(value)]
            means[name] = math.fsum(kept) / len(kept) if kept else math.nan
            wrong += len(values) - len(kept)
        self._values.clear()
        return {**means, "not_finite": float(wrong)} if wrong else means


class History:
    """The lines of a training so far, in memory and in `stats.jsonl`.

    Parameters
    ----------
    path
        The file; None: in memory alone.
    pictures
        Lines beyond so many pictures are dropped: they were written after the checkpoint that the
        training continues from, and will come again.
    """

    def __init__(self, path: Path | None, pictures: int = 0) -> None:
        self.path = path
        self.lines: list[Line] = []
        if path is not None and path.exists():
            kept = [_parsed(text) for text in path.read_text(encoding="utf-8").splitlines()]
            self.lines = [line for line in kept if line and line["pictures"] <= pictures]
            write_bytes(path, "".join(map(_written, self.lines)).encode())

    def add(self, line: Line) -> None:
        """Append a line."""
        self.lines.append(line)
        if self.path is None:
            return
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(_written(line))
        except OSError as error:
            raise RunError(
                f"{self.path.name} cannot be written: {error.strerror}",
                where=self.path,
                mend="free some space; the same command continues where it stopped",
            ) from error


def series(lines: Sequence[Line], group: str) -> dict[str, list[tuple[float, float]]]:
    """Return curves: by name of a figure, points (thousand pictures, value).

    Values that are no number are left out.

    Examples
    --------
    >>> series([{"pictures": 500, "figures": {"loss": 1.5}}], "figures")
    {'loss': [(0.5, 1.5)]}
    """
    curves: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for line in lines:
        for name, value in line.get(group, {}).items():
            if value is not None and math.isfinite(value):
                curves[name].append((line["pictures"] / 1000, value))
    return dict(curves)


def _parsed(text: str) -> Line | None:
    """Read a line; None for what a killed process left half-written."""
    try:
        line = json.loads(text)
    except ValueError:
        return None
    whole = isinstance(line, dict) and {"tick", "pictures", "timing"} <= line.keys()
    return line if whole else None


def _written(line: Line) -> str:
    return json.dumps(_plain(line)) + "\n"


def _plain(value: Any) -> Any:
    """Return what JSON can say: no number becomes null."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


class Board(Protocol):
    """Where curves can be watched."""

    def add_scalar(self, tag: str, scalar_value: float, global_step: int) -> None:
        """Add a point to a curve."""

    def flush(self) -> None:
        """Write what was added."""


def board(folder: Path) -> Board | None:
    """Return a writer of TensorBoard's event files, or None where that is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415
    except ImportError:
        return None
    return cast("Board", SummaryWriter(str(folder)))


def post(to: Board, line: Line) -> None:
    """Add a line's figures to the curves."""
    for group in ("figures", "metrics", "timing"):
        for name, value in line.get(group, {}).items():
            if isinstance(value, (int, float)):
                to.add_scalar(f"{group}/{name}", value, line["pictures"])
    to.flush()
