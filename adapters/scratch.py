"""The two files through which arrays cross: the image on its way in, the labels on theirs out.

The child maps them into memory. This side reads and writes them: a child that cuts a file short
then causes an error here, where a mapping would end the harness with a bus error.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from adapters.errors import BenchError, InvalidPredictionError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_SMALLEST = 1 << 20


class _File:
    """A file that only grows, opened at its first use."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._number = -1

    @property
    def place(self) -> dict[str, Any]:
        """What the child needs to map it."""
        return {"path": str(self.path), "size": self.size}

    def grow(self, size: int) -> None:
        """Reserve the space now, so that no later write can meet a full disk."""
        if size <= self.size and self._untouched():
            return
        size = max(_SMALLEST, self.size, 1 << max(0, size - 1).bit_length())
        self.close()
        try:
            self.path.parent.mkdir(exist_ok=True)
            self._number = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(self._number, 0, size)
            else:
                os.ftruncate(self._number, size)
        except OSError as error:
            raise BenchError(
                f"no room for an array of {size >> 20} MB: {error.strerror}",
                where=self.path.parent,
                mend="free some space, or set TMPDIR to a folder with more",
            ) from error
        self.size = size

    def _untouched(self) -> bool:
        """Whether the file is as this side left it; an algorithm may have cut or removed it."""
        try:
            there = self.path.stat()
        except OSError:
            return False
        return os.path.samestat(there, os.fstat(self._number)) and there.st_size == self.size

    def write(self, data: memoryview) -> None:
        done = 0
        while done < len(data):
            done += os.pwrite(self._number, data[done:], done)

    def read(self, data: memoryview) -> bool:
        """Fill `data` from the start of the file; False where the file is too short."""
        done = 0
        while done < len(data):
            count = os.preadv(self._number, [data[done:]], done)
            if count == 0:
                return False
            done += count
        return True

    def close(self) -> None:
        if self._number >= 0:
            os.close(self._number)
        self._number = -1


class Scratch:
    """The files of one worker in its scratch folder."""

    def __init__(self, folder: Path) -> None:
        self._image = _File(folder / "image.bin")
        self._labels = _File(folder / "labels.bin")
        self._shape: tuple[int, int] = (0, 0)

    def put(self, image: NDArray[Any]) -> dict[str, Any]:
        """Write an image (C, Y, X) and return where it is and where its labels belong."""
        image = np.ascontiguousarray(image)
        self._shape = (image.shape[1], image.shape[2])
        self._image.grow(image.nbytes)
        self._labels.grow(4 * image.shape[1] * image.shape[2])
        self._image.write(image.reshape(-1).view(np.uint8).data)
        return {
            "image": self._image.place,
            "dtype": image.dtype.str,
            "shape": image.shape,
            "labels": self._labels.place,
        }

    def labels(self) -> NDArray[np.uint32]:
        """Return the labels (Y, X) that the child wrote for the image put last."""
        labels = np.empty(self._shape, np.uint32)
        if not self._labels.read(labels.reshape(-1).view(np.uint8).data):
            raise InvalidPredictionError("the labels are incomplete", where=self._labels.path)
        return labels

    def close(self) -> None:
        """Close the files; the folder belongs to the worker."""
        self._image.close()
        self._labels.close()
