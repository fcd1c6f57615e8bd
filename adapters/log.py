"""What a child process prints: kept in a file that cannot grow without bound."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_LARGEST = 8 << 20
_LARGEST_IN_USE = 64 << 20
_KEPT = 1 << 20
_TAIL = 8 << 10


class Log:
    """A file that a child writes to directly, so that nothing is lost when it dies.

    It is held open, so it works on even if the child removes it.

    Parameters
    ----------
    path
        The file; what is there is kept and added to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        # Appending: each write goes to the end, whoever else writes or cuts.
        self.number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)

    def size(self) -> int:
        """Return the size in bytes."""
        return os.fstat(self.number).st_size

    def since(self, mark: int) -> str:
        """Return what was written after the file had `mark` bytes; of much, the end."""
        size = self.size()
        start = max(mark, size - _TAIL)
        return os.pread(self.number, size - start, start).decode(errors="replace")

    def write(self, text: str) -> None:
        """Add what the harness knows and the child did not print; a full disk is no failure."""
        with suppress(OSError):
            os.write(self.number, text.encode(errors="replace"))

    def trim(self, *, in_use: bool = False) -> bool:
        """Cut a file that grew too large down to its last part, and tell whether it was cut.

        What a child prints while the file is being cut may be lost, so that a file `in_use` is
        given more room.
        """
        size = self.size()
        if size <= (_LARGEST_IN_USE if in_use else _LARGEST):
            return False
        tail = os.pread(self.number, _KEPT, size - _KEPT)
        os.ftruncate(self.number, 0)
        os.write(self.number, b"[too much was printed, the beginning is cut off]\n" + tail)
        return True

    def close(self) -> None:
        """Close the file, cut to size."""
        if self.number >= 0:
            self.trim()
            os.close(self.number)
        self.number = -1
