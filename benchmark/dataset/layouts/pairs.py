"""Pair image and label files by name, and write a data set as such pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmark.dataset import images
from benchmark.dataset.layouts import index, pictures
from benchmark.dataset.layouts.layout import Pair
from benchmark.dataset.names import inside
from benchmark.dataset.whole import whole_folder
from benchmark.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from benchmark.dataset.reader import Dataset

SPLITS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
LABEL_SUFFIXES = ("_masks", "_mask", "_labels", "_label")


def folder_named(path: Path, names: Iterable[str]) -> Path | None:
    """Return the only subfolder with one of these names, whatever their case.

    Raises
    ------
    DatasetError
        If there are several.
    """
    wanted = set(names)
    found = sorted(p for p in path.iterdir() if p.is_dir() and p.name.lower() in wanted)
    if len(found) > 1:
        raise DatasetError(
            f"it is not clear which folder is meant: {' or '.join(p.name for p in found)}",
            where=path,
            mend="move the one that is not meant elsewhere",
        )
    return found[0] if found else None


def split_folders(path: Path) -> list[tuple[str, Path]]:
    """Return the subfolders that are splits; without any, the folder itself as "test"."""
    found = [
        (SPLITS[p.name.lower()], p)
        for p in sorted(path.iterdir())
        if p.is_dir() and p.name.lower() in SPLITS
    ]
    return found or [("test", path)]


def pictures_in(folder: Path) -> dict[str, Path]:
    """Return the picture files of a folder by name without suffix.

    Raises
    ------
    DatasetError
        If two files differ by their suffix alone.
    """
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in pictures.SUFFIXES or path.name.startswith("."):
            continue
        name = path.stem.removesuffix(".ome")
        if name in found:
            raise DatasetError(
                f"{found[name].name} and {path.name} have one name",
                where=folder,
                mend="keep one of them",
            )
        found[name] = path
    return found


def match(
    images: Mapping[str, Path], labels: Mapping[str, Path], where: Path
) -> list[tuple[str, Path, Path]]:
    """Return name, image and labels of each sample.

    Raises
    ------
    DatasetError
        If there is none, an image has no labels, or labels have no image.
    """
    if not images:
        raise DatasetError(
            "there are no images",
            where=where,
            mend=f"add images with one of the suffixes {', '.join(pictures.SUFFIXES)}",
        )
    labels = dict(labels)
    matched = []
    without = []
    for name, image in sorted(images.items()):
        found = next((n for n in (name, *(name + s for s in LABEL_SUFFIXES)) if n in labels), None)
        if found is None:
            without.append(image)
        else:
            matched.append((name, image, labels.pop(found)))
    if without:
        raise DatasetError(
            f"{_some(without)} without labels",
            where=where,
            mend="add a label file of the same name, all 0 if there is no object, or move the "
            "image elsewhere",
        )
    if labels:
        raise DatasetError(
            f"{_some(list(labels.values()))} without an image of the same name",
            where=where,
            mend="add the image, or move the label file elsewhere",
        )
    return matched


def pairs_of(
    splits: Sequence[tuple[str, list[tuple[str, Path, Path]]]], target: str, binary: bool | None
) -> list[Pair]:
    """Return the pairs of all splits; names that occur in two of them get the split in front."""
    names = [name for _, matched in splits for name, _, _ in matched]
    distinct = len(set(names)) == len(names)
    pairs = [
        Pair(
            id=name if distinct else f"{split}_{name}",
            image=image,
            labels=labels,
            target=target,
            binary=binary,
            split=split,
        )
        for split, matched in splits
        for name, image, labels in matched
    ]
    return sorted(pairs, key=lambda pair: pair.id)


def write_pairs(
    dataset: Dataset, out: Path, target: str, place: Callable[[str, str], tuple[str, str]]
) -> None:
    """Write each sample as two files, and an index that keeps the rest of its row.

    Parameters
    ----------
    dataset
        What to write.
    out
        The folder to make.
    target
        Which labels.
    place
        Where image and labels of a sample go, given its id and split.

    Raises
    ------
    DatasetError
        If the index cannot hold a column of the table of samples, or `out` cannot be written.
    """
    channels = dataset.manifest.channels
    with whole_folder(out) as folder:
        places = {}
        for sample in dataset.ids():
            places[sample] = place(sample, dataset.row(sample)["split"])
            image, labels = (inside(folder, file) for file in places[sample])
            for file in (image, labels):
                file.parent.mkdir(parents=True, exist_ok=True)
            pictures.write_image(image, dataset.read_image(sample), channels)
            images.write_labels(labels, dataset.read_labels(sample, target))
        index.write(dataset, folder, places)


def _some(paths: Sequence[Path]) -> str:
    names = ", ".join(path.name for path in paths[:3])
    more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
    return f"{names}{more} {'is' if len(paths) == 1 else 'are'}"
