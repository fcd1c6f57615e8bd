"""What a child process prints: kept in a file that cannot grow without bound."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from pathlib import Path

_LARGEST = 8 << 20
_TAIL = 8 << 10


class Log:
    """A file that a child writes to directly, so that nothing is lost when it dies.

    Parameters
    ----------
    path
        The file; what is there is kept and added to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.touch()

    def open(self) -> BinaryIO:
        """Open the file for a child; each write goes to the end, whoever else writes."""
        return self.path.open("ab")

    def size(self) -> int:
        """Return the size in bytes."""
        return self.path.stat().st_size

    def since(self, mark: int) -> str:
        """Return what was written after the file had `mark` bytes; of much, the end."""
        size = self.size()
        start = max(0 if size < mark else mark, size - _TAIL)
        with self.path.open("rb") as file:
            file.seek(start)
            return file.read(_TAIL).decode(errors="replace")

    def trim(self) -> None:
        """Cut a file that grew too large down to its last part."""
        size = self.size()
        if size <= _LARGEST:
            return
        with self.path.open("rb") as file:
            file.seek(size - _LARGEST // 8)
            tail = file.read(_LARGEST // 8)
        # The child appends, so it goes on writing behind what is put here.
        os.truncate(self.path, 0)
        with self.path.open("ab") as file:
            file.write(b"[the beginning was cut off, too much was printed]\n" + tail)
