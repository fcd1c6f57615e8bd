"""Make a virtual environment and fill it, with pip or uv, telling each step."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections import deque
from typing import TYPE_CHECKING

from adapters.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

# The lines of pip and uv that say what is going on at the moment.
_STEPS = (
    "Collecting",
    "Processing",
    "Downloading",
    "Building",
    "Installing",
    "Resolved",
    "Prepared",
)
_LIST = (
    "import json, importlib.metadata as m;"
    "print(json.dumps({d.metadata['Name']: d.version for d in m.distributions()}))"
)


def install(
    python: Path, folder: Path, requirements: Path, *, log: Path, tell: Callable[[str], None]
) -> dict[str, str]:
    """Build a virtual environment in `folder` and return what is installed: name → version.

    `BENCH_INSTALLER` chooses ``pip`` (default) or ``uv``.

    Raises
    ------
    BuildError
        A step failed.
    """
    log.write_text("", encoding="utf-8")
    for command in _commands(python, folder, requirements):
        _run(command, log, tell)
    done = subprocess.run(
        [folder / "bin" / "python", "-I", "-c", _LIST], capture_output=True, text=True, check=True
    )
    packages: dict[str, str] = json.loads(done.stdout)
    return packages


def _commands(python: Path, folder: Path, requirements: Path) -> list[list[str]]:
    inside = str(folder / "bin" / "python")
    installer = os.environ.get("BENCH_INSTALLER", "pip")
    if installer == "pip":
        quiet = ["--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
        return [
            [str(python), "-m", "venv", str(folder)],
            [inside, "-m", "pip", "install", *quiet, "-r", str(requirements)],
        ]
    if installer == "uv":
        into = ["--python", inside, "--compile-bytecode"]
        return [
            ["uv", "venv", "--no-project", "--python", str(python), str(folder)],
            ["uv", "pip", "install", *into, "-r", str(requirements)],
        ]
    raise BuildError(
        f"no installer {installer!r}", where="BENCH_INSTALLER", mend="set it to pip or uv"
    )


def _run(command: Sequence[str], log: Path, tell: Callable[[str], None]) -> None:
    """Run one step; its output goes to the log, its headlines to the user."""
    if shutil.which(command[0]) is None:
        raise BuildError(f"there is no program {command[0]!r}", mend="install it, or use pip")
    # An interpreter must not see the modules of the one that runs the harness.
    hidden = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__"}
    variables = {key: value for key, value in os.environ.items() if key not in hidden}
    last: deque[str] = deque(maxlen=15)
    with (
        log.open("a", encoding="utf-8") as file,
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=variables,
            text=True,
            errors="replace",
        ) as process,
    ):
        file.write(f"$ {' '.join(command)}\n")
        assert process.stdout is not None
        try:
            for line in process.stdout:
                file.write(line)
                last.append(line.rstrip())
                if line.lstrip().startswith(_STEPS):
                    tell(line.split(" (from ")[0].strip()[:80])
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        raise BuildError(
            "the environment cannot be built; the installer's last words:\n    "
            + "\n    ".join(last),
            where=log,
            mend="correct requirements.txt or the network, then run the same command again",
        )
