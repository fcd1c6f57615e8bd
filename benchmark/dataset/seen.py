"""Digests of the data sets that this user has seen: one name and version, one content."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs
from filelock import FileLock

from benchmark.dataset.released import release_of
from benchmark.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmark.dataset.manifest import Manifest

UNRELEASED = "0.0.0"
"""The version of a folder that was imported in passing: it may change, nothing is remembered."""


def cache_folder() -> Path:
    """Return where imports in passing are kept; BENCH_CACHE moves it."""
    return _home(platformdirs.user_cache_path) / "datasets"


def state_folder() -> Path:
    """Return where the digests are kept; BENCH_CACHE moves it."""
    return _home(platformdirs.user_state_path) / "state"


def _home(default: Callable[[str], Path]) -> Path:
    named = os.environ.get("BENCH_CACHE")
    return Path(named).expanduser().absolute() if named else default("cellgen-bench")


def check(manifest: Manifest) -> None:
    """Compare a data set with what was seen under its name and version.

    Raises
    ------
    DatasetError
        If that was another content.
    """
    _compare(manifest, _load())


def remember(manifest: Manifest) -> None:
    """Remember a data set's digest under its name and version.

    Raises
    ------
    DatasetError
        If another content was seen under them.
    """
    release = release_of(manifest)
    if manifest.version == UNRELEASED or (release and manifest.digest in release.digests):
        return  # what was released is known already, and may be a part or the whole
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock")):
        known = _load()
        _compare(manifest, known)
        known[_key(manifest)] = manifest.digest
        temporary = path.with_suffix(".part")
        temporary.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        temporary.replace(path)


def _compare(manifest: Manifest, known: dict[str, str]) -> None:
    before = known.get(_key(manifest), manifest.digest)
    if before != manifest.digest and manifest.version != UNRELEASED:
        raise DatasetError(
            f"the version {manifest.version} of {manifest.name} was used before for another "
            f"content: digest {before[:12]}, now {manifest.digest[:12]}",
            where=_path(),
            mend="give the new content a new version: MAJOR if pixels or labels changed, MINOR if "
            "samples were added, PATCH otherwise; or give it another name",
        )


def _key(manifest: Manifest) -> str:
    return f"{manifest.name} {manifest.version}"


def _path() -> Path:
    return state_folder() / "datasets.json"


def _load() -> dict[str, str]:
    path = _path()
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise DatasetError(
            f"the list of data sets seen cannot be read: {error}", where=path, mend="remove it"
        ) from error
    return dict(known)
