"""Make a data set of a folder in the layout of another tool; open whatever the user names."""

from __future__ import annotations

import hashlib
import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from benchmark.dataset import layouts, seen
from benchmark.dataset import manifest as manifests
from benchmark.dataset.builtin import builtin_names, located
from benchmark.dataset.layouts import format1
from benchmark.dataset.reader import Dataset
from benchmark.dataset.sample import SampleRecord, write_sample
from benchmark.dataset.writer import DatasetWriter
from benchmark.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from benchmark.dataset.layouts.layout import Source

IMPORTER_VERSION = 1
"""Raised when the same files would be imported as another content: older imports are stale then."""

DEFAULT_TARGET = "nuclei"


def open_any(
    path: Path | str,
    *,
    target: str | None = None,
    binary: bool = False,
    cache: Path | None = None,
    name: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Dataset:
    """Open a data set, or a folder in any known layout, which is imported on the way.

    The import is kept and used again until a file of the folder has another size or time.

    Parameters
    ----------
    path
        A folder, or the name of a data set that is shipped; "builtin" is the first of them.
    target
        What the labels of a folder are of; default: nuclei. A data set says so itself.
    binary
        Take connected regions of a folder's binary masks as objects; otherwise what looks like a
        binary mask is refused.
    cache
        Where imports are kept; default: under BENCH_CACHE, else in the user's cache.
    name
        What to call an imported data set; default: the name of the folder.
    progress
        Called with the samples imported and all of them.

    Raises
    ------
    DatasetError
        If there is no such folder, its layout is not known, or it cannot be imported.
    """
    folder = located(path)
    _check_folder(folder)
    if format1.detect(folder):
        return Dataset.open(folder)
    layout = layouts.recognise(folder)
    name = name or name_of(folder)
    home = cache or seen.cache_folder()
    target = target or DEFAULT_TARGET
    place = home / f"{name}-{_stamp(folder, name, target, binary)}"
    home.mkdir(parents=True, exist_ok=True)
    with FileLock(home / f".{place.name}.lock"):
        if not format1.detect(place):
            import_folder(
                folder,
                place,
                name=name,
                version=seen.UNRELEASED,
                layout=layout.NAME,
                target=target,
                binary=binary or None,
                progress=progress,
            )
    return Dataset.open(place)


def import_folder(
    path: Path,
    out: Path,
    *,
    name: str,
    version: str,
    layout: str | None = None,
    target: str = DEFAULT_TARGET,
    binary: bool | None = None,
    channels: Sequence[str] | None = None,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    remember: bool = False,
    **fields: Any,
) -> Dataset:
    """Import a folder as a data set.

    Parameters
    ----------
    path
        The folder.
    out
        The data set to make.
    name, version
        What to call it.
    layout
        The name of its layout; default: recognised.
    target, binary
        As `Layout.read` has them.
    channels
        Names of the channels; default: red, green, blue or numbers.
    workers
        How many threads; the result does not depend on it. Default: one per processor.
    progress
        Called with the samples done and all of them.
    remember
        Keep the digest among those that this user has seen; see `seen`.
    fields
        Further fields of the manifest, as `DatasetWriter` takes them.

    Raises
    ------
    DatasetError
        If the layout is not known, a sample is not whole, or the name and version were seen with
        another content. Nothing is left then.
    """
    _check_folder(path)
    chosen = layouts.layout_named(layout) if layout else layouts.recognise(path)
    if chosen is format1:
        fields = {**format1.fields_of(manifests.load(path)), **fields}
    else:
        note = "labels/ holds the labels as annotated: each pixel belongs to one object"
        fields = {"targets": (target,), "channels": None, "labels_note": note, **fields}
    if channels is not None:
        fields["channels"] = channels
    sources = chosen.read(path, target, binary=binary)
    if not sources:
        raise DatasetError(
            f"the folder holds no sample in the layout {chosen.NAME}",
            where=path,
            mend=f"this layout is: {chosen.SUMMARY}",
        )
    with DatasetWriter(out, name=name, version=version, remember=remember, **fields) as writer:
        convert = partial(_convert, writer.folder, named=channels is None)
        with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
            try:
                for done, record in enumerate(pool.map(convert, sources)):
                    writer.collect(record)
                    if progress is not None:
                        progress(done + 1, len(sources))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
    return Dataset.open(out)


def name_of(folder: Path) -> str:
    """Return the name of a data set made of a folder: its name, without odd characters.

    Examples
    --------
    >>> from pathlib import Path
    >>> name_of(Path("data/My nuclei (2024)"))
    'My-nuclei-2024'
    """
    words = re.sub(r"[^A-Za-z0-9._]+", "-", folder.resolve().name)
    return words.strip("-._")[:80] or "dataset"


def _check_folder(path: Path) -> None:
    if not path.is_dir():
        raise DatasetError(
            "there is no such folder",
            where=path,
            mend=f"name a folder, or a set that is shipped: {', '.join(builtin_names())}",
        )


def _convert(folder: Path, source: Source, *, named: bool) -> SampleRecord:
    sample = source.load()
    return write_sample(folder, sample if named else replace(sample, channels=()))


def _stamp(folder: Path, *how: str | bool) -> str:
    """Return a key that changes with how it is imported, and any file's name, size or time."""
    files = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            stat = path.stat()
            # Tools that copy may set the time of modification, but none can set that of change.
            times = [stat.st_mtime_ns, stat.st_ctime_ns]
            files.append([path.relative_to(folder).as_posix(), stat.st_size, *times])
    key = json.dumps([IMPORTER_VERSION, str(folder.resolve()), *how, files])
    return hashlib.sha256(key.encode()).hexdigest()[:16]
