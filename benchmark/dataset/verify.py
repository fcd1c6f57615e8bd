"""Check a data set against its digests and name all that is wrong with it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from benchmark.dataset import card, checks, croissant, released, tables
from benchmark.dataset import manifest as manifests
from benchmark.dataset.digest import array_digest
from benchmark.dataset.names import check_id, inside
from benchmark.dataset.reader import Dataset
from benchmark.dataset.sample import image_path, label_path
from benchmark.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmark.dataset.manifest import Manifest

Kind = Literal[
    "manifest", "table", "missing", "extra", "damaged", "image", "labels", "path", "version"
]


# Desktops leave these behind in any folder that somebody looked into.
_LEFT_BY_SYSTEMS = {".DS_Store", "Thumbs.db", "desktop.ini"}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: of which kind, in which file, and what."""

    kind: Kind
    where: str
    what: str


def verify(
    path: Path | str, *, progress: Callable[[int, int], None] | None = None
) -> list[Finding]:
    """Read a whole data set and return what is wrong with it; nothing, if it is intact.

    Every array, table and the manifest is compared with its digest, which covers decoded content:
    a file that was compressed anew is not changed.

    Parameters
    ----------
    path
        The folder of the data set.
    progress
        Called with the samples done and all of them.
    """
    path = Path(path)
    try:
        manifest = manifests.load(path)
    except DatasetError as error:
        return [Finding("manifest", manifests.FILE_NAME, error.what)]
    findings = [*_check_manifest(path, manifest), *_check_tables(path, manifest)]
    unsafe = list(_check_names(path))
    if unsafe:  # nothing is read by a name that may lead elsewhere
        return findings + unsafe
    try:
        dataset = Dataset.open(path, sealed=False)
    except DatasetError as error:
        # Without the table of samples nothing is known of the files.
        return findings or [Finding("table", "samples.parquet", error.what)]
    for done, sample in enumerate(dataset.ids()):
        findings += _check_sample(dataset, sample)
        if progress is not None:
            progress(done + 1, len(dataset))
    return [*findings, *_check_croissant(path, manifest), *_extra_files(dataset)]


def _check_manifest(path: Path, manifest: Manifest) -> Iterator[Finding]:
    try:
        checks.check_manifest(manifest, path)
    except DatasetError as error:
        yield Finding("manifest", manifests.FILE_NAME, error.what)
        return
    try:
        released.check(manifest, path)
    except DatasetError as error:
        yield Finding("version", manifests.FILE_NAME, error.what)


def _check_tables(path: Path, manifest: Manifest) -> Iterator[Finding]:
    for name in tables.KEYS:
        file = f"{name}.parquet"
        if not (path / file).exists():
            yield Finding("missing", file, f"the table {name} is missing")
            continue
        try:
            table = tables.load(name, path)
            checks.check_table(table, name, manifest, path)
        except DatasetError as error:
            yield Finding("table", file, error.what)
            continue
        try:
            if name == "samples":
                checks.check_splits(table, manifest, path)
        except DatasetError as error:  # the table is as sealed
            yield Finding("manifest", manifests.FILE_NAME, error.what)


def _check_names(path: Path) -> Iterator[Finding]:
    try:
        samples = tables.load("samples", path)
    except DatasetError:
        return  # found by `_check_tables`
    names = samples["id"].to_pylist()
    for sample, stated in zip(names, samples["image"].to_pylist(), strict=True):
        try:
            check_id(sample)
        except DatasetError as error:
            yield Finding("path", "samples.parquet", error.what)
            continue
        try:
            inside(path, stated)
        except DatasetError as error:
            yield Finding("path", stated, error.what)
            continue
        if stated != image_path(sample):
            yield Finding(
                "path", "samples.parquet", f"the image of {sample} is said to be {stated}"
            )
    for sample, count in Counter(names).items():
        if count > 1:
            yield Finding("table", "samples.parquet", f"{count} samples have the id {sample}")


def _check_sample(dataset: Dataset, sample: str) -> Iterator[Finding]:
    row = dataset.row(sample)
    yield from _check_array(
        dataset,
        image_path(sample),
        row.get("digest_image"),
        "image",
        partial(dataset.read_image, sample),
    )
    for target in dataset.manifest.targets:
        yield from _check_array(
            dataset,
            label_path(sample, target),
            row.get(f"digest_{target}"),
            "labels",
            partial(dataset.read_labels, sample, target),
        )


def _check_array(
    dataset: Dataset,
    file: str,
    stated: Any,
    kind: Literal["image", "labels"],
    read: Callable[[], Any],
) -> Iterator[Finding]:
    try:
        if not inside(dataset.path, file).exists():
            yield Finding("missing", file, f"the {kind} file is missing")
            return
        array = read()
    except DatasetError as error:
        yield Finding("damaged", file, error.what)
        return
    if array_digest(array) != stated:
        yield Finding(kind, file, f"the {kind} changed: the pixels do not make the stated digest")


def _check_croissant(path: Path, manifest: Manifest) -> Iterator[Finding]:
    file = croissant.FILE_NAME
    if not (path / file).exists():
        yield Finding("missing", file, "the description for other tools is missing")
    elif not croissant.describes(path / file, manifest):
        yield Finding("manifest", file, "it does not describe this data set")


def _extra_files(dataset: Dataset) -> Iterator[Finding]:
    expected = {manifests.FILE_NAME, croissant.FILE_NAME, card.FILE_NAME}
    expected |= {f"{name}.parquet" for name in tables.KEYS}
    for sample in dataset.ids():
        expected.add(image_path(sample))
        expected |= {label_path(sample, target) for target in dataset.manifest.targets}
    for file in sorted(dataset.path.rglob("*")):
        name = file.relative_to(dataset.path).as_posix()
        if not file.is_dir() and name not in expected and file.name not in _LEFT_BY_SYSTEMS:
            yield Finding("extra", name, "this file does not belong to the data set")
