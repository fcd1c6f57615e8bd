"""Find an interpreter that an algorithm can run on: here, on PATH, in pyenv, conda or uv."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from adapters.errors import AdapterError, BuildError

if TYPE_CHECKING:
    from collections.abc import Iterator

_ASK = "import sys, venv; print('%d.%d.%d' % sys.version_info[:3])"


@dataclass(frozen=True)
class Interpreter:
    """An interpreter and its full version, such as 3.10.13."""

    path: Path
    version: str

    @property
    def minor(self) -> str:
        """The version that decides which packages fit, such as 3.10."""
        return ".".join(self.version.split(".")[:2])


def find_python(wanted: str) -> Interpreter:
    """Return an interpreter that meets a version specifier.

    The harness's own comes first, then PATH, pyenv, conda and uv; in each place, the newest.

    Parameters
    ----------
    wanted
        A PEP 440 specifier, such as ``>=3.9,<3.12``.

    Raises
    ------
    AdapterError
        The specifier is none.
    BuildError
        No interpreter fits; the message lists those looked at.

    Examples
    --------
    >>> find_python(">=3.11").minor >= "3.11"
    True
    """
    try:
        specifier = SpecifierSet(wanted)
    except InvalidSpecifier as error:
        raise AdapterError(
            f"{wanted!r} is no version specifier",
            where="adapter.toml: environment.python",
            mend='write for example ">=3.9,<3.12"',
        ) from error
    seen: list[str] = []
    for place, candidates in _places(wanted):
        known = {path.resolve(): path for path in candidates}
        asked = [found for path in known.values() if (found := ask(path)) is not None]
        fitting = [found for found in asked if specifier.contains(found.version)]
        if fitting:
            return max(fitting, key=lambda found: _numbers(found.version))
        versions = sorted({found.version for found in asked}, key=_numbers)
        seen.append(f"{place}: {', '.join(versions) or 'none'}")
    example = _example(specifier)
    raise BuildError(
        f"no Python {wanted} on this machine ({'; '.join(seen)})",
        mend=f"install one: `uv python install {example}` or `pyenv install {example}`",
    )


@cache
def ask(path: Path) -> Interpreter | None:
    """Return the interpreter at a path, or None where there is none that can make environments."""
    try:
        done = subprocess.run(
            [path, "-I", "-c", _ASK], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = done.stdout.strip()
    if done.returncode != 0 or not re.fullmatch(r"\d+\.\d+\.\d+", version):
        return None
    return Interpreter(path, version)


def _places(wanted: str) -> Iterator[tuple[str, list[Path]]]:
    """Yield the places to look in; later ones are not visited once an earlier one had a match."""
    yield "this Python", [Path(sys.executable)]
    yield "PATH", _on_path()
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield "pyenv", sorted(root.glob("versions/*/bin/python"))
    yield "conda", _in_conda()
    yield "uv", _from_uv(wanted)


def _on_path() -> list[Path]:
    folders = [Path(entry) for entry in os.environ.get("PATH", "").split(os.pathsep) if entry]
    return [
        path
        for folder in dict.fromkeys(folders)
        for path in sorted(folder.glob("python3*"))
        if re.fullmatch(r"python3(\.\d+)?", path.name) and os.access(path, os.X_OK)
    ]


def _in_conda() -> list[Path]:
    """Return the interpreters of the conda environments that conda has on its list."""
    homes: list[Path] = []
    listed = Path.home() / ".conda" / "environments.txt"
    if listed.is_file():
        homes += [Path(line) for line in listed.read_text(encoding="utf-8").split("\n") if line]
    if "CONDA_PREFIX" in os.environ:
        homes.append(Path(os.environ["CONDA_PREFIX"]))
    return [path for home in homes if (path := home / "bin" / "python").exists()]


def _from_uv(wanted: str) -> list[Path]:
    if shutil.which("uv") is None:
        return []
    done = subprocess.run(
        ["uv", "python", "find", wanted],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return [Path(done.stdout.strip())] if done.returncode == 0 and done.stdout.strip() else []


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _example(specifier: SpecifierSet) -> str:
    """Return a version to install that would fit; the newest common one."""
    minors = [f"3.{minor}" for minor in range(14, 7, -1)]
    return next((minor for minor in minors if specifier.contains(f"{minor}.9")), str(specifier))
