"""Folders that are whole or absent."""

from __future__ import annotations

import errno
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yield a hidden folder beside `path`; on a clean exit it takes the place of `path`.

    Raises
    ------
    DatasetError
        If there is something at `path` already, or it cannot be written. Nothing is left of the
        attempt then.
    """
    path = path.absolute()
    check_absent(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{path.name[:40]}.partial-", dir=path.parent))
    except OSError as error:
        raise cannot_write(error, path) from error
    try:
        yield partial
        partial.chmod(0o755)  # mkdtemp makes it private
        partial.rename(path)
    except OSError as error:
        if is_full(error) or error.filename == str(partial):
            raise cannot_write(error, path) from error
        raise  # about something else, that was read meanwhile
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def check_absent(path: Path) -> None:
    """Check that there is nothing at a place.

    Raises
    ------
    DatasetError
        If there is.
    """
    if path.exists():
        raise DatasetError(
            "there is something at this place already; data sets are never overwritten",
            where=path,
            mend="remove it, or name another folder",
        )


def cannot_write(error: OSError, path: Path) -> DatasetError:
    """Return the error for a write that failed."""
    if is_full(error):
        return DatasetError(
            "no space left on the disk", where=path, mend="free some space, or write elsewhere"
        )
    return DatasetError(f"cannot write: {error}", where=path, mend="check that you may write there")


def is_full(error: OSError) -> bool:
    """Say whether a write failed for want of space: on the disk, in a quota, in a file."""
    return error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
