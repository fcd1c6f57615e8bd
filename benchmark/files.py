"""Files that are whole or absent: no reader, and no next try, ever meets half of one."""

from __future__ import annotations

import errno
import os
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from benchmark.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ATTEMPT = re.compile(r"\..+\.\d+\.part", re.DOTALL)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on a clean exit it takes the place of `path`.

    Raises
    ------
    RunError
        If the disk is full. Nothing is left of the attempt then.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise disk_full(path) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole, or not at all."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def is_attempt(path: Path) -> bool:
    """Whether a file is what a killed process left of writing another."""
    return _ATTEMPT.fullmatch(path.name) is not None


def clear_attempts(folder: Path) -> None:
    """Remove what killed processes left, anywhere in a folder that only this one writes to."""
    for path in folder.rglob(".*.part"):
        if is_attempt(path):
            path.unlink(missing_ok=True)


def disk_full(path: Path) -> RunError:
    """Return the error that says that there is no space left for `path`."""
    return RunError(
        "no space left on the disk",
        where=path,
        mend="free some space; the same command continues where it stopped",
    )
