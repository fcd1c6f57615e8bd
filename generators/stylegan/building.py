"""C++ sources compiled into torch operations when first wanted, once for a machine.

What is compiled stands in the cache folder under the digest of all that decides what comes out:
torch, the compiler, the processor, the flags and the source. It is made in a process of its own,
so neither a crash nor the environment of the build reaches the caller.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import torch
from filelock import FileLock
from platformdirs import user_cache_path

from adapters.console import err
from adapters.errors import BuildError

_FLAGS = ("-O3", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math")
"""No `-ffast-math`: NaN must pass through, and no sum here needs its terms put in another order."""
_WISHES = (("-march=native", "-fopenmp"), ("-march=native",), ())
_SECONDS = 900
_NAME = "operations"
_PROGRAM = """
import sys
from torch.utils.cpp_extension import load
name, folder, flags, link = sys.argv[1], sys.argv[2], sys.argv[3].split(), sys.argv[4].split()
load(name, [folder + "/source.cpp"], extra_cflags=flags, extra_ldflags=link,
     build_directory=folder, is_python_module=False)
"""


def cache_folder() -> Path:
    """Return where compiled operations are kept; `BENCH_CACHE` moves it."""
    named = os.environ.get("BENCH_CACHE")
    home = Path(named).expanduser().absolute() if named else user_cache_path("cellgen-bench")
    return home / "ops"


def build(source: bytes) -> Path:
    """Compile a source where that was not done yet, and load its operations into `torch.ops`.

    Parameters
    ----------
    source
        C++ that registers operations with TORCH_LIBRARY.

    Returns
    -------
    Path
        The library.

    Raises
    ------
    BuildError
        There is no compiler, it failed, or what it made cannot be kept or loaded.
    """
    flags, target = _probe(os.environ.get("CXX", "c++"))
    key = [torch.__version__, torch.__config__.show(), target, flags]
    digest = hashlib.sha256(json.dumps(key).encode() + source).hexdigest()
    folder = cache_folder() / digest[:16]
    library = folder / f"{_NAME}.so"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_suffix(".lock")):
            if not _intact(library):
                _compile(library, source, flags)
            torch.ops.load_library(library)  # type: ignore[no-untyped-call]
    except OSError as error:
        raise BuildError(
            f"what is compiled cannot be kept or loaded: {error}",
            where=folder,
            mend="free some space, or set BENCH_CACHE to a folder you can write to",
        ) from error
    return library


def _probe(compiler: str) -> tuple[tuple[str, ...], str]:
    """Return the flags that a compiler takes, and what it tells of itself and the processor."""
    for wish in _WISHES:
        flags = (*_FLAGS, *wish)
        command = [*shlex.split(compiler), *flags, "-dM", "-E", "-x", "c++", os.devnull]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            raise BuildError(
                f"the compiler {compiler!r} cannot be started",
                mend="install a C++ compiler, or name one by CXX",
            ) from error
        if done.returncode == 0:
            return flags, done.stdout
    raise BuildError(
        f"{compiler!r} is no compiler that can be used here", mend="name another by CXX"
    )


def _compile(library: Path, source: bytes, flags: tuple[str, ...]) -> None:
    err.print("compiling an operation for this machine, once (half a minute)", soft_wrap=True)
    folder = library.parent
    # What a killed build left behind may lack anything, and torch would wait for its lock.
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "source.cpp").write_bytes(source)
    # ninja may come from this environment, which need not be on the path.
    path = os.pathsep.join([os.environ.get("PATH", ""), sysconfig.get_path("scripts")])
    link = "-fopenmp" if "-fopenmp" in flags else ""
    log = folder.with_suffix(".log")
    with log.open("wb") as file:
        try:
            done = subprocess.run(
                [sys.executable, "-c", _PROGRAM, _NAME, folder, " ".join(flags), link],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PATH": path},
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise BuildError("the compiler took too long", where=log) from error
    if done.returncode != 0:
        raise BuildError("the compiler failed", where=log, mend="read its log")
    temporary = folder / "complete.json.part"
    temporary.write_text(json.dumps({"sha256": _digest(library)}) + "\n", encoding="utf-8")
    temporary.replace(folder / "complete.json")


def _intact(library: Path) -> bool:
    """Whether a library is there as it was when its build ended."""
    try:
        record = json.loads((library.parent / "complete.json").read_text(encoding="utf-8"))
        return bool(record["sha256"] == _digest(library))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _digest(library: Path) -> str:
    return hashlib.sha256(library.read_bytes()).hexdigest()
