"""The environment an algorithm runs in: built once, keyed by what is in it, found again.

An environment is a virtual environment in the cache folder. Its name is the digest of the pinned
requirements, the Python version and the platform, so two adapters with the same needs share one
and a changed pin makes a new one. It is built in place, because virtual environments cannot be
moved; `complete.json`, written last, is what makes it valid.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import sys
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout
from platformdirs import user_cache_path

from adapters.errors import BuildError
from adapters.installer import install
from adapters.pythons import find_python

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from adapters.adapter import Adapter

# Lines of a requirements file that stand for the content of a folder or of another file.
_INDIRECT = ("-e", "--editable", "-r", "--requirement", "-c", "--constraint", ".", "~")
_ARCHIVES = (".whl", ".zip", ".tar.gz", ".tar.bz2")


@dataclass(frozen=True)
class Environment:
    """Where an algorithm runs.

    `folder` is None where that is the harness's own Python. `lock` is the digest of everything
    that decides what is installed.
    """

    python: Path
    version: str
    lock: str
    folder: Path | None = None

    @property
    def built(self) -> bool:
        """Whether it can be used as it is."""
        if self.folder is None:
            return True
        # Its interpreter is a link, which ends nowhere once that Python was uninstalled.
        return (self.folder / "complete.json").is_file() and self.python.exists()


def cache_folder() -> Path:
    """Return the folder for what is built or fetched once; `BENCH_CACHE` moves it."""
    named = os.environ.get("BENCH_CACHE")
    return Path(named).expanduser().absolute() if named else user_cache_path("cellgen-bench")


def describe(adapter: Adapter) -> Environment:
    """Return the environment an adapter runs in, whether it is built yet or not.

    Raises
    ------
    BuildError
        No Python on this machine fits the adapter, or its requirements are no pins.
    """
    if adapter.requirements is None:
        return _own(adapter)
    python = find_python(adapter.environment.python)
    pins = _pins(adapter.requirements)
    lock = _digest({"python": python.minor, "requirements": pins})
    folder = cache_folder() / "environments" / lock[:16]
    return Environment(folder / "bin" / "python", python.version, lock, folder)


def ensure(adapter: Adapter, progress: Callable[[str], None] | None = None) -> Environment:
    """Return the adapter's environment, built first where it is not there yet.

    Parameters
    ----------
    adapter
        Whose environment.
    progress
        Called with one short line at each step of a build.

    Raises
    ------
    BuildError
        No fitting Python, or the installer failed; the message ends with the last lines of the
        build's log and says where the log is.
    """
    environment = describe(adapter)
    folder = environment.folder
    if folder is None or environment.built:
        return environment
    tell = progress or (lambda _: None)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder.with_suffix(".lock"))
        try:
            held = lock.acquire(timeout=0)
        except Timeout:
            tell(f"{adapter.name}: waiting for another process that builds the same environment")
            held = lock.acquire()
        with held:
            if not environment.built:
                _build(adapter, folder, tell)
    except OSError as error:
        raise BuildError(
            f"no environment can be built here: {error}",
            where=folder.parent,
            mend="free some space, or set BENCH_CACHE to a folder you can write to",
        ) from error
    return environment


def _own(adapter: Adapter) -> Environment:
    """Return the harness's own Python as an environment."""
    wanted = adapter.environment.python
    own = find_python(wanted)
    if own.path != Path(sys.executable):
        raise BuildError(
            f"{adapter.name} needs Python {wanted}, and without requirements it runs on the"
            f" harness's own {platform.python_version()}",
            where=adapter.folder,
            mend="add a requirements.txt, with numpy in it at least",
        )
    lock = _digest({"python": own.version, "packages": _installed()})
    return Environment(own.path, own.version, lock)


def _build(adapter: Adapter, folder: Path, tell: Callable[[str], None]) -> None:
    assert adapter.requirements is not None
    # What a killed build left behind may lack anything.
    shutil.rmtree(folder, ignore_errors=True)
    python = find_python(adapter.environment.python)
    tell(f"{adapter.name}: new environment on Python {python.version}")
    packages = install(
        python.path,
        folder,
        adapter.requirements,
        log=folder.with_suffix(".log"),
        tell=lambda line: tell(f"{adapter.name}: {line}"),
    )
    record = {"adapter": adapter.name, "python": python.version, "packages": packages}
    temporary = folder / "complete.json.part"
    temporary.write_text(json.dumps(record, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    temporary.replace(folder / "complete.json")


@cache
def _installed() -> list[str]:
    """Return everything that an adapter on the harness's own Python may import, with versions."""
    return sorted({f"{found.name}=={found.version}" for found in distributions()})


def _pins(file: Path) -> list[str]:
    """Return the requirements without comments, blank lines and order."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BuildError(f"the requirements cannot be read: {error}", where=file) from error
    lines = (line.split(" #")[0].strip() for line in text.splitlines())
    pins = sorted(line for line in lines if line and not line.startswith("#"))
    for pin in pins:
        if _is_indirect(pin):
            raise BuildError(
                f"{pin!r} stands for files, whose content is not part of the lock",
                where=file,
                mend="pin versions: name==1.2.3, one line a package",
            )
    return pins


def _is_indirect(pin: str) -> bool:
    requirement = pin.partition(";")[0].strip()
    local = "/" in requirement and "://" not in requirement
    archive = "://" not in requirement and requirement.endswith(_ARCHIVES)
    return local or archive or "file:" in requirement or requirement.startswith(_INDIRECT)


def _digest(content: Mapping[str, object]) -> str:
    whole = {"system": platform.system(), "machine": platform.machine(), **content}
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()
