"""A finished run as it lies on disk, read and checked: what every report is made from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from benchmark.errors import RunError

if TYPE_CHECKING:
    from pathlib import Path

Track = Literal["same-data", "as-published", "own", "classical", "control"]
Figure = Annotated[float | None, Field(allow_inf_nan=False)]

_RESULTS = [
    "algorithm", "model", "sample", "scene", "status", "message", "prediction",
    "n_true", "n_pred", "mean_ap", "ap50",
]  # fmt: skip
_SCORES = ["algorithm", "model", "sample", "threshold", "ap"]


class _Read(BaseModel):
    """Something read from a file of the run; what a later version adds is passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class DatasetOfRun(_Read):
    """Which images were segmented. `path` is where they were then."""

    name: str
    version: str
    digest: str
    split: str
    target: str
    n: int
    path: str | None = None


class Algorithm(_Read):
    """One algorithm of the plan with everything its predictions depend on."""

    algorithm: str
    model: str
    title: str
    key: str
    identity: dict[str, Any]

    @property
    def name(self) -> str:
        """As the leaderboard's row of it is called."""
        return _name(self.algorithm, self.model)


class Plan(_Read):
    """`run.json`."""

    dataset: DatasetOfRun
    scorer: str
    device: str
    machine: dict[str, str] = {}
    algorithms: tuple[Algorithm, ...]


class Row(_Read):
    """One row of `leaderboard.json`; figures are means over images, None where not defined."""

    algorithm: str
    model: str
    track: Track
    status: Literal["ok", "partial", "failed", "skipped"]
    reason: str | None = None
    n: int
    n_ok: int
    n_empty: int
    rank: tuple[int, int] | None
    ap50: Figure
    ap75: Figure
    mean_ap: Figure
    f1_50: Figure
    precision_50: Figure
    recall_50: Figure
    mean_matched_iou: Figure
    pq: Figure
    sq: Figure
    rq: Figure
    pooled: dict[str, Figure] | None
    seconds_warm: Figure
    seconds_cold: Figure
    peak_mb: Figure

    @property
    def name(self) -> str:
        """`algorithm:model`, as on the command line; the algorithm alone for its only model."""
        return _name(self.algorithm, self.model)


class Board(_Read):
    """`leaderboard.json`: rows by track, best first."""

    rows: tuple[Row, ...]


@dataclass(frozen=True)
class RunFolder:
    """A finished run.

    Parameters
    ----------
    path
        The run folder.
    plan
        What was compared.
    rows
        The leaderboard, by track, best first.
    results, scores
        One row per algorithm and sample, and per IoU threshold besides.
    """

    path: Path
    plan: Plan
    rows: tuple[Row, ...]
    results: pd.DataFrame
    scores: pd.DataFrame

    @cached_property
    def algorithms(self) -> dict[str, Algorithm]:
        """The plan's algorithms by name."""
        return {entry.name: entry for entry in self.plan.algorithms}

    def results_of(self, row: Row) -> pd.DataFrame:
        """Return the results of one algorithm, ordered by sample."""
        return _rows_of(self.results, row).sort_values("sample")

    def scores_of(self, row: Row) -> pd.DataFrame:
        """Return the scores of one algorithm."""
        return _rows_of(self.scores, row)


def read_run(folder: Path) -> RunFolder:
    """Read a finished run.

    Raises
    ------
    RunError
        The folder holds no finished run, or a file of it cannot be read.
    """
    plan = _model(Plan, folder / "run.json")
    rows = _model(Board, folder / "leaderboard.json").rows
    planned = {entry.name for entry in plan.algorithms}
    for row in rows:
        if row.name not in planned:
            raise _damaged(folder / "run.json", f"it does not list {row.name}")
    return RunFolder(
        path=folder,
        plan=plan,
        rows=rows,
        results=_table(folder / "results.parquet", _RESULTS),
        scores=_table(folder / "scores.parquet", _SCORES),
    )


_Model = TypeVar("_Model", bound=_Read)


def _model(kind: type[_Model], path: Path) -> _Model:
    try:
        return kind.model_validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise _unfinished(path) from None
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "the whole file"
        raise _damaged(path, f"{field}: {first['msg']}") from None


def _table(path: Path, columns: list[str]) -> pd.DataFrame:
    try:
        return pd.read_parquet(path, columns=columns)
    except (FileNotFoundError, NotADirectoryError):
        raise _unfinished(path) from None
    except (OSError, ValueError) as error:  # pyarrow's own errors are ValueErrors
        raise _damaged(path, str(error).splitlines()[0]) from None


def _rows_of(table: pd.DataFrame, row: Row) -> pd.DataFrame:
    return table[(table["algorithm"] == row.algorithm) & (table["model"] == row.model)]


def _name(algorithm: str, model: str) -> str:
    # An adapter with one model calls it "default", which tells a reader nothing.
    return algorithm if model == "default" else f"{algorithm}:{model}"


def _unfinished(path: Path) -> RunError:
    return RunError(
        f"the folder holds no finished run: {path.name} is missing",
        where=path.parent,
        mend="name the folder that `bench run` wrote, or run it again to let it finish",
    )


def _damaged(path: Path, why: str) -> RunError:
    return RunError(
        f"a file of the run cannot be read: {why}",
        where=path,
        mend="run `bench run` again: it keeps the predictions and writes the tables anew",
    )
