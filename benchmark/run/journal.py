"""What a run has finished, line by line, so that a kill at any moment loses at most one image.

A line is one JSON object, written with a single append after the prediction's file is in place.
A torn last line, left by a kill or a full disk, is cut before the next append; any other line that
is no record is passed over, and what it stood for is done again.
"""

from __future__ import annotations

import errno
import json
import os
from typing import TYPE_CHECKING, Any, Self

from benchmark.files import disk_full

if TYPE_CHECKING:
    from pathlib import Path

Record = dict[str, Any]
FIELDS = {
    "sample",
    "status",
    "message",
    "seconds",
    "start_seconds",
    "peak_mb",
    "digest",
    "scorer",
    "score",
}
TABLES = ("true_objects", "pred_objects", "events")
"""What of a score is as long as there are objects: left in the file until it is asked for."""


class Journal:
    """The records of one algorithm in one run, the latest of each sample.

    `records` holds them without `TABLES`, so that memory does not grow with the number of objects;
    `whole` reads one from the file.

    Parameters
    ----------
    path
        A JSON Lines file; absent means that nothing is finished.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.records: dict[str, Record] = {}
        self._places: dict[str, int] = {}
        self._intact = 0
        if path.exists():
            self._read()

    def _read(self) -> None:
        with self.path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                record = _parse(line)
                if record is not None:
                    self._remember(record, self._intact)
                self._intact += len(line)

    def _remember(self, record: Record, place: int) -> None:
        score = {name: value for name, value in record["score"].items() if name not in TABLES}
        self.records[record["sample"]] = {**record, "score": score}
        self._places[record["sample"]] = place

    def whole(self, sample: str) -> Record:
        """Return the record of a finished sample with all that its score holds."""
        with self.path.open("rb") as file:
            file.seek(self._places[sample])
            record: Record = json.loads(file.readline())
        return record

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        os.ftruncate(self._file, self._intact)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    def append(self, record: Record) -> None:
        """Add a record; it replaces an earlier one of the same sample.

        Raises
        ------
        RunError
            If the disk is full.
        """
        line = json.dumps(record, separators=(",", ":"), allow_nan=False).encode() + b"\n"
        try:
            written = os.write(self._file, line)
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise disk_full(self.path) from error
            raise
        if written < len(line):
            raise disk_full(self.path)
        self._remember(record, self._intact)
        self._intact += len(line)


def _parse(line: bytes) -> Record | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    if not isinstance(record, dict) or not record.keys() >= FIELDS:
        return None
    whole = isinstance(record["sample"], str) and isinstance(record["score"], dict)
    return record if whole else None
