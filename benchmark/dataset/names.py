"""Names and paths that come out of files: checked before they reach the file system."""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path, PurePosixPath, PureWindowsPath

from benchmark.errors import DatasetError

MAX_BYTES = 180
"""A file name may hold 255 bytes; the rest is for suffixes of other layouts."""

_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f/\\<>:"|?*]')
_WINDOWS_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


def check_id(name: str, where: Path | None = None) -> str:
    """Return a sample's id if it is a file name on every system.

    Parameters
    ----------
    name
        The id.
    where
        The file that it comes from, for the message.

    Raises
    ------
    DatasetError
        If the id is empty or too long, is no Unicode, holds a separator or a control character,
        begins with a dot, ends with a dot or a space, or is a device name of Windows.

    Examples
    --------
    >>> check_id("IXMtest_A02_s1")
    'IXMtest_A02_s1'
    >>> check_id("../secret")
    Traceback (most recent call last):
    benchmark.errors.DatasetError: '../secret' cannot be a sample's id: it holds '/'
      mend:  rename it: letters, digits, '_', '-', '.' and spaces, not beginning with a dot
    """
    problem = None
    length = _utf8_length(name)
    if not name:
        problem = "it is empty"
    elif found := _FORBIDDEN.search(name):
        problem = f"it holds {found.group()!r}"
    elif name.startswith((".", " ")):
        problem = "it begins with a dot or a space"
    elif name.endswith((".", " ")):
        problem = "it ends with a dot or a space"
    elif _WINDOWS_DEVICES.match(name):
        problem = "it is a device name on Windows"
    elif length is None:
        problem = "it is no Unicode, in which names are kept"
    elif length > MAX_BYTES:
        problem = f"it is longer than {MAX_BYTES} bytes"
    if problem is not None:
        raise DatasetError(
            f"{name!r} cannot be a sample's id: {problem}",
            # The name of a file that is no Unicode cannot be printed as it is.
            where=where and os.fsencode(where).decode(errors="backslashreplace"),
            mend="rename it: letters, digits, '_', '-', '.' and spaces, not beginning with a dot",
        )
    return name


def _utf8_length(name: str) -> int | None:
    """Return the bytes of a name; None if it comes from a file name that is not UTF-8."""
    try:
        return len(name.encode())
    except UnicodeEncodeError:
        return None


def same_file_key(name: str) -> str:
    """Return a key that is equal for names which some file systems take for one file.

    Examples
    --------
    >>> same_file_key("Cell_A") == same_file_key("cell_a")
    True
    """
    return unicodedata.normalize("NFC", name).casefold()


def inside(root: Path, relative: str) -> Path:
    """Return the path of a file that is named by data, which must lie inside a folder.

    Raises
    ------
    DatasetError
        If the name is absolute, climbs, or leads out through a symbolic link.
    """
    windows = PureWindowsPath(relative)
    posix = PurePosixPath(relative)
    climbs = ".." in windows.parts
    rooted = posix.is_absolute() or bool(windows.anchor)
    if not relative or "\x00" in relative or climbs or rooted:
        raise _escape(root, relative)
    path = root / posix
    if not path.resolve().is_relative_to(root.resolve()):
        raise _escape(root, relative)
    return path


def _escape(root: Path, relative: str) -> DatasetError:
    return DatasetError(
        f"the path {relative!r} leads out of the folder",
        where=root,
        mend="name files inside the folder and relative to it; if you did not write the name "
        "yourself, do not trust where the data set came from",
    )
