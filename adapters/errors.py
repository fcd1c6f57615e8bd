"""The one tree of errors; its root stands here because every folder may import this one.

BenchError
├── AdapterError           an adapter's folder or name is wrong
│   ├── UnknownAlgorithmError
│   ├── UnknownModelError
│   └── WeightsUnavailableError   the model exists, its weights cannot be had here
├── BuildError             an algorithm's environment cannot be built
├── WorkerError            a segmentation failed; the run goes on
│   ├── WorkerCrashedError
│   ├── WorkerTimeoutError
│   ├── WorkerMemoryError
│   ├── SegmenterError     the algorithm raised; its traceback is kept
│   └── InvalidPredictionError
├── DatasetError           (benchmark.errors) a data set is damaged, incomplete or unreadable
├── LabelError             (benchmark.errors) an array is no label image
├── RunError               (benchmark.errors) a run cannot start or continue
├── NetworkError           (generators.stylegan.files) a file of a network cannot be used
├── PainterError           (generators.painting.errors) a painter is unknown or cannot be used
├── RecipeError            (generators.errors) a recipe is wrong
└── ShapeError             (generators.errors) a source of shapes is unknown or cannot give them
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class BenchError(Exception):
    """A failure the user can mend: what is wrong, where, and how to mend it.

    Parameters
    ----------
    what
        One sentence on what is wrong.
    where
        The file, folder, table or field concerned.
    mend
        One sentence on what to do about it.

    Examples
    --------
    >>> print(BenchError("no such data set", where="data/x", mend="name a folder"))
    no such data set
      where: data/x
      mend:  name a folder
    """

    def __init__(
        self, what: str, *, where: str | Path | None = None, mend: str | None = None
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = None if where is None else str(where)
        self.mend = mend

    def __str__(self) -> str:
        lines = [self.what]
        if self.where is not None:
            lines.append(f"  where: {self.where}")
        if self.mend is not None:
            lines.append(f"  mend:  {self.mend}")
        return "\n".join(lines)


class AdapterError(BenchError):
    """An adapter's folder breaks the contract, or its name is wrong."""


class UnknownAlgorithmError(AdapterError):
    """No adapter has this name."""


class UnknownModelError(AdapterError):
    """The adapter has no model of this name."""


class WeightsUnavailableError(AdapterError):
    """The model's weights are not on this machine and cannot be fetched."""


class BuildError(BenchError):
    """An algorithm's environment cannot be built."""


class WorkerError(BenchError):
    """One segmentation failed; the run records it and goes on.

    `detail` is what a log wants and a message does not: the algorithm's traceback, or the last
    lines its process printed.
    """

    def __init__(
        self,
        what: str,
        *,
        where: str | Path | None = None,
        mend: str | None = None,
        detail: str = "",
    ) -> None:
        super().__init__(what, where=where, mend=mend)
        self.detail = detail


class WorkerCrashedError(WorkerError):
    """The worker's process ended by itself."""


class WorkerTimeoutError(WorkerError):
    """The worker missed its deadline and was killed."""


class WorkerMemoryError(WorkerError):
    """The worker passed its memory limit and was killed."""


class SegmenterError(WorkerError):
    """The algorithm raised an exception."""


class InvalidPredictionError(WorkerError):
    """What the algorithm returned is no label image of the right shape."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the sentence that helps after a mistyped name.

    Examples
    --------
    >>> nearest("celpose", ["cellpose", "u2net"])
    "did you mean 'cellpose'?"
    >>> nearest("xyz", ["cellpose", "u2net"])
    'known: cellpose, u2net'
    """
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {close[0]!r}?" if close else "known: " + ", ".join(names)
