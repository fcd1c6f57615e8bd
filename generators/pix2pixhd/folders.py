"""What is learned from: paired folders as the original has them, or any labelled data set.

Label values are checked before anything is learned.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from benchmark.dataset import open_any
from benchmark.dataset.digest import json_digest
from benchmark.decoding import TIFF_SUFFIXES, decode_picture
from benchmark.errors import DatasetError
from generators.pix2pixhd.greys import planes_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from benchmark.dataset import Dataset

SUFFIXES = (*TIFF_SUFFIXES, ".png", ".jpg", ".jpeg", ".bmp", ".ppm")
_BINARY = 2  # background and objects


class Source(Protocol):
    """Pairs of what is given and what is wanted, one after the other."""

    @property
    def names(self) -> tuple[str, ...]:
        """A name for each pair."""

    @property
    def labelled(self) -> int | None:
        """0 where pictures are given; labels where their number is known; else None."""

    @property
    def digest(self) -> str:
        """What tells these data from others."""

    def given(self, number: int) -> NDArray[Any]:
        """Return a label map (1, H, W), or a picture (C, H, W)."""

    def instances(self, number: int) -> NDArray[Any]:
        """Return the instances (1, H, W), whole numbers."""

    def wanted(self, number: int) -> NDArray[Any] | None:
        """Return the real picture (C, H, W); None where there is none."""

    def where(self, number: int) -> Path:
        """Return the file, for messages, that `given` comes from."""


def open_source(
    path: Path | str,
    phase: str = "train",
    *,
    split: str | None = None,
    target: str | None = None,
    most: int | None = None,
) -> Source:
    """Open paired folders, or a labelled data set in any layout that the project knows.

    Parameters
    ----------
    path
        A folder with `PHASE_label` and `PHASE_img`, or `PHASE_A` and `PHASE_B`, and if wanted
        `PHASE_inst`; what `bench generate masks` made; else a data set, or "builtin".
    phase
        Which folders: train, test.
    split, target
        Of a data set: which images, and which labels; default: all, and the first target.
    most
        Pairs that are taken at most.

    Raises
    ------
    DatasetError
        There is nothing of the kind.
    """
    folder = Path(path)
    if most is not None and most < 1:
        raise DatasetError(
            f"{most} pairs are none to take", where=folder, mend="take 1 or more, or all"
        )
    for first, second, pictures in (("label", "img", False), ("A", "B", True)):
        given = folder / f"{phase}_{first}"
        if given.is_dir():
            return PairedFolders.opened(
                given, folder / f"{phase}_{second}", folder / f"{phase}_inst", pictures, most
            )
    others = sorted(p.name for p in folder.glob("*_label")) + sorted(
        p.name for p in folder.glob("*_A")
    )
    if folder.is_dir() and others:
        raise DatasetError(
            f"there is no {phase}_label or {phase}_A, but {', '.join(others)}",
            where=folder,
            mend=f"choose another --phase, such as {others[0].rsplit('_', 1)[0]}",
        )
    if (folder / "labels").is_dir() and (folder / "outlines").is_dir():
        files = tuple(_files(folder / "labels")[:most])
        if not files:
            raise DatasetError("there are no labels in this folder", where=folder / "labels")
        return GeneratedLabels(files)
    dataset = open_any(path)
    names = tuple(dataset.ids(split=split))[:most]
    if not names:
        raise DatasetError("the data set has no images", where=folder, mend="name another --data")
    return LabelledSet(dataset, names, target or dataset.manifest.targets[0])


@dataclass(frozen=True)
class PairedFolders:
    """Folders whose files belong together, in the order of their names.

    Parameters
    ----------
    first, second, third
        Files of what is given, of what is wanted and of instances; the last two may be empty.
    pictures
        Whether pictures are given, not label maps.
    """

    first: tuple[Path, ...]
    second: tuple[Path, ...]
    third: tuple[Path, ...]
    pictures: bool

    @classmethod
    def opened(
        cls, given: Path, wanted: Path, instances: Path, pictures: bool, most: int | None
    ) -> PairedFolders:
        """Find the files of folders.

        Raises
        ------
        DatasetError
            A folder is empty, or they hold different numbers of files.
        """
        found = [_files(folder) for folder in (given, wanted, instances)]
        if not found[0]:
            raise DatasetError(
                "the folder holds no pictures",
                where=given,
                mend=f"give it files of {', '.join(SUFFIXES)}",
            )
        for folder, files in zip((wanted, instances), found[1:], strict=True):
            if files and len(files) != len(found[0]):
                raise DatasetError(
                    f"it holds {len(files)} files, {given.name} {len(found[0])}",
                    where=folder,
                    mend="give both as many files: they are paired in the order of their names",
                )
        first, second, third = (tuple(files[:most]) for files in found)
        return cls(first, second, third, pictures)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the files of what is given, without their endings."""
        return tuple(path.stem for path in self.first)

    @property
    def labelled(self) -> int | None:
        """0 where pictures are given; of label maps it is not known."""
        return 0 if self.pictures else None

    @property
    def digest(self) -> str:
        """SHA-256 of all files' names and contents."""
        return _digest((*self.first, *self.second, *self.third))

    def given(self, number: int) -> NDArray[Any]:
        """Return a label map (1, H, W), or a picture (C, H, W)."""
        read = _picture if self.pictures else _whole_numbers
        return read(self.first[number])

    def instances(self, number: int) -> NDArray[Any]:
        """Return the instances (1, H, W)."""
        if not self.third:
            folder = self.first[0].parent
            raise DatasetError(
                "there are no instances",
                where=folder.with_name(f"{folder.name.rsplit('_', 1)[0]}_inst"),
                mend="give that folder instance maps, or choose --no_instance",
            )
        return _whole_numbers(self.third[number])

    def wanted(self, number: int) -> NDArray[Any] | None:
        """Return the real picture (C, H, W)."""
        return _picture(self.second[number]) if self.second else None

    def where(self, number: int) -> Path:
        """Return the file of what is given."""
        return self.first[number]


@dataclass(frozen=True)
class LabelledSet:
    """Images of a data set: given is the foreground, wanted the image, instances are its labels.

    Parameters
    ----------
    dataset
        Opened.
    names
        Of its images.
    target
        Of its labels.
    """

    dataset: Dataset
    names: tuple[str, ...]
    target: str

    @property
    def labelled(self) -> int | None:
        """Background, 0, and foreground, 1."""
        return _BINARY

    @property
    def digest(self) -> str:
        """SHA-256 of data set, images and target."""
        return json_digest([self.dataset.digest, self.target, *self.names])

    def given(self, number: int) -> NDArray[Any]:
        """Return the foreground (1, H, W), 0 and 1."""
        return (self.instances(number) > 0).astype(np.int32)

    def instances(self, number: int) -> NDArray[Any]:
        """Return the labels (1, H, W)."""
        return self.dataset.read_labels(self.names[number], self.target)[None]

    def wanted(self, number: int) -> NDArray[Any] | None:
        """Return the image (C, H, W)."""
        return self.dataset.read_image(self.names[number])

    def where(self, number: int) -> Path:
        """Return the data set, and the image in it."""
        return self.dataset.path / self.names[number]


@dataclass(frozen=True)
class GeneratedLabels:
    """Labels that `bench generate masks` made: given is the foreground, nothing is wanted.

    Parameters
    ----------
    files
        Label images.
    """

    files: tuple[Path, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the files, without their endings."""
        return tuple(path.stem for path in self.files)

    @property
    def labelled(self) -> int | None:
        """Background, 0, and foreground, 1."""
        return _BINARY

    @property
    def digest(self) -> str:
        """SHA-256 of all files' names and contents."""
        return _digest(self.files)

    def given(self, number: int) -> NDArray[Any]:
        """Return the foreground (1, H, W), 0 and 1."""
        return (self.instances(number) > 0).astype(np.int32)

    def instances(self, number: int) -> NDArray[Any]:
        """Return the labels (1, H, W)."""
        return _whole_numbers(self.files[number])

    def wanted(self, number: int) -> NDArray[Any] | None:  # noqa: ARG002 - as `Source` has it
        """Return None: there are no pictures yet."""
        return None

    def where(self, number: int) -> Path:
        """Return the file."""
        return self.files[number]


def check_labels(
    source: Source, label_nc: int, tell: Callable[[int, int], None] = lambda _done, _all: None
) -> None:
    """Make sure that all labels are within 0 to label_nc - 1.

    Parameters
    ----------
    source
        Of label maps.
    label_nc
        Labels that the network knows.
    tell
        Called with the maps done and all of them.

    Raises
    ------
    DatasetError
        One is not; the message names file and value.
    """
    if source.labelled and source.labelled <= label_nc:
        return
    count = len(source.names)
    for number in range(count):
        labels = source.given(number)
        low, high = int(labels.min()), int(labels.max())
        if low < 0 or high >= label_nc:
            wrong = low if low < 0 else high
            most = _most(source)
            mend = f"choose --label_nc {most + 1}, one more than the largest label"
            if low < 0 or most > 255:
                mend = f"give its pixels labels of 0 to {label_nc - 1}"
            raise DatasetError(
                f"the label {wrong} is not within 0 and {label_nc - 1}",
                where=source.where(number),
                mend=f"{mend}, or --label_nc 0 if these are pictures",
            )
        tell(number + 1, count)


def _most(source: Source) -> int:
    return max(int(source.given(number).max()) for number in range(len(source.names)))


def _digest(files: tuple[Path, ...]) -> str:
    content = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
    return json_digest([[path.name, of] for path, of in zip(files, content, strict=True)])


def _files(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    )


def _picture(path: Path) -> NDArray[Any]:
    array, axes = decode_picture(path, indices=False)
    return planes_of(array, axes, path)


def _whole_numbers(path: Path) -> NDArray[Any]:
    """Return a map of labels or instances, (1, H, W) int32."""
    array, axes = decode_picture(path, indices=True)
    if axes != "YX":
        raise DatasetError(
            f"a map of labels has one value a pixel; this has the axes {axes}, shape {array.shape}",
            where=path,
            mend="save it as a grey picture of 8 or 16 bits, or choose --label_nc 0 for pictures",
        )
    whole = array.astype(np.int32)
    if not np.array_equal(whole, array):
        raise DatasetError(
            "a label is no whole number below 2147483648", where=path, mend="save whole numbers"
        )
    return whole[None]
