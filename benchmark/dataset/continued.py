"""Folders that are whole or absent, whose making may be interrupted and continued.

Beside its place a set grows in a hidden folder with a fixed name. There lie the finished samples
and, in `UNDER_WAY`, whose they are, a record of each, and what is being written at the moment.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import pyarrow as pa
from filelock import FileLock, Timeout

from benchmark.dataset import images
from benchmark.dataset.digest import array_digest
from benchmark.dataset.sample import SampleInput, SampleRecord, label_path, write_sample
from benchmark.dataset.whole import cannot_write, check_absent, is_full
from benchmark.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

UNDER_WAY = ".under-way"
_IDENTITY = "identity"
_RECORDS = "records"


@contextmanager
def continued_folder(path: Path, identity: str) -> Iterator[Path]:
    """Yield the hidden folder beside `path` that belongs to an identity.

    What an interrupted call left under the same identity is there again; what belongs to another
    is removed first. On a clean exit the folder takes the place of `path`. Otherwise it stays, to
    be continued, unless no sample was finished.

    Parameters
    ----------
    path
        The folder to make; it must not exist.
    identity
        Digest of all that the content follows from.

    Raises
    ------
    DatasetError
        If there is something at `path` already, another process is writing it, or it cannot be
        written.
    """
    path = path.absolute()
    check_absent(path)
    # Long names are cut, and told apart by a digest, so that a name that fits still fits here.
    stem = path.name
    if len(stem.encode()) > 60:
        stem = f"{stem[:20]}-{hashlib.sha256(stem.encode()).hexdigest()[:16]}"
    folder = path.with_name(f".{stem}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path.with_name(f".{stem}.partial.lock"), timeout=0)
        lock.acquire()
    except Timeout:
        raise DatasetError(
            "another process is writing this data set",
            where=path,
            mend="wait until it is done, or name another folder",
        ) from None
    except OSError as error:
        raise cannot_write(error, path) from error
    with lock:
        check_absent(path)  # another process may have finished it since
        try:
            _prepare(folder, identity)
            yield folder
            shutil.rmtree(folder / UNDER_WAY)
            folder.rename(path)
        except OSError as error:
            if is_full(error) or error.filename == str(folder):
                raise cannot_write(error, path) from error
            raise  # about something else, that was read meanwhile
        finally:
            if not any((folder / UNDER_WAY / _RECORDS).glob("*.json")):
                shutil.rmtree(folder, ignore_errors=True)
            if not folder.exists():
                # Who waits for this lock looks for the folder at `path` once it is held.
                path.with_name(f".{stem}.partial.lock").unlink(missing_ok=True)


def _prepare(folder: Path, identity: str) -> None:
    """Make the hidden folder, or keep one of the same identity, without half-written files."""
    mark = folder / UNDER_WAY / _IDENTITY
    if folder.exists() and not (mark.is_file() and mark.read_text(encoding="ascii") == identity):
        shutil.rmtree(folder)
    (folder / UNDER_WAY / _RECORDS).mkdir(parents=True, exist_ok=True)
    for left in (folder / UNDER_WAY).glob("writing-*"):
        shutil.rmtree(left, ignore_errors=True)
    if not mark.is_file():
        _replaced(mark, identity.encode())


def write_and_record(folder: Path, sample: SampleInput) -> SampleRecord:
    """Write a sample as `write_sample` does, its files whole at once, its record the last.

    Returns
    -------
    SampleRecord
        Without the rows of its tables: those stay on the disk until the set is complete, so that
        memory does not grow with the number of samples. `recorded` reads them.

    Raises
    ------
    DatasetError
        As `write_sample`.
    """
    # A process that outlives a killed parent by a moment can then spoil no file of the next call.
    desk = folder / UNDER_WAY / f"writing-{os.getpid()}"
    record = write_sample(desk, sample)
    try:
        for file in sorted(desk.rglob("*.tif")):
            place = folder / file.relative_to(desk)
            place.parent.mkdir(parents=True, exist_ok=True)
            file.replace(place)
        _save(folder / UNDER_WAY / _RECORDS, record)
    except OSError as error:
        raise cannot_write(error, folder.parent) from error
    return _light(record)


def _light(record: SampleRecord) -> SampleRecord:
    """Return a record without the rows of its tables."""
    objects, spots = (table.schema.empty_table() for table in (record.objects, record.spots))
    return replace(record, objects=objects, spots=spots)


def recorded(folder: Path, sample: str, table: Literal["objects", "spots"]) -> pa.Table:
    """Return the rows of a finished sample in one of the tables."""
    path = folder / UNDER_WAY / _RECORDS / f"{sample}.{table}"
    with pa.OSFile(str(path)) as file, pa.ipc.open_file(file) as reader:
        return reader.read_all()


def finished(folder: Path, sample: str) -> SampleRecord | None:
    """Return the record of a sample that an interrupted call finished; None if there is none.

    As `write_and_record` returned it.

    Its files are read again: one that is damaged or missing counts as not finished.
    """
    records = folder / UNDER_WAY / _RECORDS
    about = records / f"{sample}.json"
    if not about.is_file():
        return None
    try:
        known = json.loads(about.read_text(encoding="utf-8"))
        row = known["row"]
        shape = (row["height"], row["width"])
        image = images.read_array(folder / row["image"], (len(known["channels"]), *shape))
        if array_digest(image) != row["digest_image"]:
            return None
        for target in known["targets"]:
            labels = images.read_array(folder / label_path(sample, target), shape)
            if array_digest(labels) != row[f"digest_{target}"]:
                return None
        objects, spots = recorded(folder, sample, "objects"), recorded(folder, sample, "spots")
    except (OSError, ValueError, KeyError, DatasetError, pa.ArrowInvalid):
        return None
    channels, targets = tuple(known["channels"]), tuple(known["targets"])
    return _light(SampleRecord(row, objects, spots, channels, targets))


def _save(records: Path, record: SampleRecord) -> None:
    name = record.row["id"]
    for table, what in ((record.objects, "objects"), (record.spots, "spots")):
        # Arrow's own format: Parquet would give the columns of outlines back as another type.
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        _replaced(records / f"{name}.{what}", sink.getvalue().to_pybytes())
    known = {"row": record.row, "channels": record.channels, "targets": record.targets}
    _replaced(records / f"{name}.json", json.dumps(known).encode())


def _replaced(path: Path, content: bytes) -> None:
    """Write a file so that it is whole or absent."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_bytes(content)
    draft.replace(path)
