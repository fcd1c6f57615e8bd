"""Pictures of a folder or zip archive, as they are: TIFF, PNG or JPEG, also with classes."""

from __future__ import annotations

import json
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile
from PIL import Image

from benchmark.decoding import TIFF_SUFFIXES, decode_picture
from benchmark.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from generators.masks.tools import Picture

SUFFIXES = (*TIFF_SUFFIXES, ".png", ".jpg", ".jpeg")
LABELS = "dataset.json"
MOST_FILES = 1_000_000
MOST_BYTES = 256 * 2**20
"""Of one file, unpacked: a picture of 16,000 x 16,000 grey pixels."""


@dataclass(frozen=True)
class Source:
    """The pictures of a folder or archive.

    Attributes
    ----------
    path
        The folder or archive.
    names
        Of its pictures, in order, relative to it, with forward slashes.
    classes
        By name, where `dataset.json` gives them: {"labels": [["00000/a.png", 3], …]}.
    """

    path: Path
    names: tuple[str, ...]
    classes: dict[str, Any] | None

    def pictures(self) -> Iterator[tuple[str, Picture]]:
        """Yield name and picture, (C, H, W) float32 within [-1, 1], C 1 or 3, in order.

        Raises
        ------
        DatasetError
            If one cannot be read.
        """
        with _opened(self.path) as read:
            for name in self.names:
                file, where = read(name)
                yield name, _read(file, where)


def look(path: Path) -> Source:
    """Find the pictures of a folder, also of folders in it, or of a zip archive.

    Raises
    ------
    DatasetError
        If there is none, too many, or `dataset.json` cannot be read.
    """
    if not path.exists():
        raise DatasetError("there is no such folder or archive", where=path, mend="check the name")
    if path.is_dir():
        found = [p.relative_to(path).as_posix() for p in path.rglob("*") if p.is_file()]
    else:
        with _archive(path) as archive:
            found = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
    names = sorted(name for name in found if _is_picture(name))
    if not 0 < len(names) <= MOST_FILES:
        raise DatasetError(
            f"it holds {len(names)} pictures",
            where=path,
            mend=f"give it between 1 and {MOST_FILES} files of {', '.join(SUFFIXES)}",
        )
    return Source(path, tuple(names), _classes(path) if LABELS in found else None)


def _is_picture(name: str) -> bool:
    pure = PurePosixPath(name)
    # Archives of macOS hold a shadow of every file.
    hidden = any(part.startswith((".", "__MACOSX")) for part in pure.parts)
    return pure.suffix.lower() in SUFFIXES and not hidden


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise DatasetError(
            f"this is neither a folder nor a zip archive: {error}",
            where=path,
            mend="name a folder of pictures, or a .zip of one",
        ) from error
    with archive:
        yield archive


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Yield a function from a name to a file that can be read, and where it is for messages.

    A member of an archive is unpacked under a name of our own, so its name leads nowhere, and no
    further than `MOST_BYTES`, whatever the archive says of its size.
    """
    if path.is_dir():
        yield lambda name: (path / name, path / name)
        return
    with _archive(path) as archive, TemporaryDirectory() as folder:

        def unpacked(name: str) -> tuple[Path, str]:
            where = f"{path}: {name}"
            file = Path(folder, f"picture{PurePosixPath(name).suffix.lower()}")
            file.write_bytes(_member(archive, name, where))
            return file, where

        yield unpacked


def _member(archive: zipfile.ZipFile, name: str, where: str) -> bytes:
    try:
        with archive.open(name) as member:
            content = member.read(MOST_BYTES + 1)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError) as error:
        raise DatasetError(
            f"the archive is damaged, encrypted or packed in an unknown way: {error}",
            where=where,
            mend="pack it again, without a password",
        ) from error
    if len(content) > MOST_BYTES:
        raise _too_large(where)
    return content


def _read(file: Path, where: str | Path) -> Picture:
    """Return a picture (C, H, W) within [-1, 1]."""
    try:
        _check_size(file, where)
        array, axes = decode_picture(file, indices=False)
    except DatasetError as error:
        raise DatasetError(error.what, where=where, mend=error.mend) from error
    if axes not in {"YX", "YXS", "SYX"}:
        raise DatasetError(
            f"this is no single picture: it has the axes {axes} and the shape {array.shape}",
            where=where,
            mend="save each plane or channel as a file of its own",
        )
    planes = array[None] if axes == "YX" else np.moveaxis(array, axes.index("S"), 0)
    if len(planes) in {2, 4}:  # the last one is opacity
        planes = planes[:-1]
    if len(planes) not in {1, 3} or planes.size == 0:
        raise DatasetError(
            f"a picture has one or three channels, not {len(planes)}", where=where, mend="split it"
        )
    return _scaled(planes, where)


def _scaled(planes: NDArray[Any], where: str | Path) -> Picture:
    """Return values from black to white as -1 to 1."""
    if planes.dtype.kind == "u":
        white = float(np.iinfo(planes.dtype).max)
    elif planes.dtype == bool or planes.dtype.kind == "f":
        white = 1.0
    else:
        raise DatasetError(
            f"a picture of {planes.dtype} has no white",
            where=where,
            mend="save it as 8 or 16 bits without a sign",
        )
    values = planes.astype(np.float32) / np.float32(white) * 2 - 1
    if not np.all(np.abs(values) <= 1):  # NaN too
        raise DatasetError(
            "the picture holds NaN, or numbers that are not within 0 to 1",
            where=where,
            mend="scale it to 0 (black) to 1 (white), or save it as 8 or 16 bits",
        )
    return values


def _check_size(file: Path, where: str | Path) -> None:
    """Refuse a file that says it is larger than a picture may be, before anything is decoded."""
    try:
        if file.suffix.lower() in TIFF_SUFFIXES:
            with tifffile.TiffFile(file) as tiff:
                size = sum(page.nbytes for page in tiff.pages)
        else:
            with Image.open(file) as image:
                size = image.width * image.height * len(image.getbands())
    except Exception as error:  # a decoder given damaged bytes may raise anything
        raise DatasetError(
            f"the file cannot be read, it is truncated or damaged: {error}",
            where=where,
            mend="get a fresh copy of the file",
        ) from error
    if size > MOST_BYTES:
        raise _too_large(where)


def _too_large(where: str | Path) -> DatasetError:
    return DatasetError(
        f"the picture has more than {MOST_BYTES >> 20} MiB unpacked",
        where=where,
        mend="cut it into tiles",
    )


def _classes(path: Path) -> dict[str, Any] | None:
    """Return the classes that `dataset.json` states, if it states any."""
    where = f"{path}: {LABELS}"
    if path.is_dir():
        content = (path / LABELS).read_bytes()
    else:
        with _archive(path) as archive:
            content = _member(archive, LABELS, where)
    try:
        labels = json.loads(content)["labels"]
        return None if labels is None else {str(name): value for name, value in labels}
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(
            f"the classes cannot be read: {error}",
            where=where,
            mend='write {"labels": [["folder/picture.png", 3], …]}',
        ) from error


def one_hot(source: Source) -> NDArray[np.float32] | None:
    """Return the (N, c_dim) classes of the pictures of a source; None where it states none.

    A class is a whole number from 0, or a list of numbers, which are taken as they are.

    Raises
    ------
    DatasetError
        If a picture has no class, or classes are of several kinds.
    """
    if source.classes is None:
        return None
    without = [name for name in source.names if name not in source.classes]
    mend = f"give every picture a class in {LABELS}: a whole number from 0, or a list of numbers"
    if without:
        raise DatasetError(
            f"{len(without)} pictures have no class: {', '.join(without[:3])}",
            where=source.path,
            mend=mend,
        )
    stated = [source.classes[name] for name in source.names]
    if all(type(value) is int and 0 <= value < 2**14 for value in stated):
        return np.eye(max(stated) + 1, dtype=np.float32)[stated]
    try:
        vectors = np.array(stated, dtype=np.float32)
    except (ValueError, TypeError):
        vectors = np.zeros(0, np.float32)
    if vectors.ndim != 2 or not np.isfinite(vectors).all():
        raise DatasetError("the classes are of several kinds", where=source.path, mend=mend)
    return vectors
