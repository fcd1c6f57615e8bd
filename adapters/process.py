"""One child process on a segmenter's interpreter: messages, deadline, memory limit, death.

Knows nothing of images. `adapters.worker` and `adapters.training` speak through it.
"""

from __future__ import annotations

import json
import os
import secrets
import selectors
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from adapters.child import MARK
from adapters.errors import WorkerCrashedError, WorkerMemoryError, WorkerTimeoutError
from adapters.family import Family
from adapters.messages import REPLY

if TYPE_CHECKING:
    from adapters.adapter import Adapter
    from adapters.environments import Environment
    from adapters.log import Log
    from adapters.messages import Reply

_CHILD = Path(__file__).with_name("child.py")
# How often a silent child is looked at: dead, too large, too talkative. A quick answer is never
# delayed by it, the wait ends with the answer.
_LOOK_SECONDS = 0.05
_GRACE_SECONDS = 2.0
# A reply is a few hundred bytes; a traceback at most 20 000 characters.
_LONGEST_LINE = 4 << 20
_THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
)


class Process:
    """A running child and the pipes to it.

    Parameters
    ----------
    adapter, environment
        Whose code it will run, and where.
    log
        Takes what the child prints.
    threads
        How many threads the libraries inside may use; None: one per processor.
    memory_mb
        Resident memory of the child and everything it started; None: no limit.
    scratch
        A folder for the child's temporary files, so that none are left when it is killed; it is
        removed if the harness dies.
    """

    def __init__(
        self,
        adapter: Adapter,
        environment: Environment,
        *,
        log: Log,
        threads: int | None = None,
        memory_mb: float | None = None,
        scratch: Path | None = None,
    ) -> None:
        self._name = adapter.name
        self._log = log
        self._memory_mb = memory_mb
        self._pending = bytearray()
        self._mark = log.size()
        self._asked = 0
        # A command is started by a small segmenter of the harness's own, on its own Python.
        python = sys.executable if adapter.kind == "command" else environment.python
        theirs_in, self._requests = os.pipe()
        self._replies, theirs_out = os.pipe()
        lifeline, self._lifeline = os.pipe()
        theirs = (theirs_in, theirs_out, lifeline)
        try:
            self._process = subprocess.Popen(
                [python, "-u", _CHILD, *map(str, theirs), str(scratch or "")],
                stdin=subprocess.DEVNULL,
                stdout=log.number,
                stderr=log.number,
                pass_fds=theirs,
                env=_variables(environment, threads, scratch),
                # A group of its own: killed as a whole, and deaf to the terminal's Ctrl-C.
                start_new_session=True,
            )
        except OSError as error:
            for pipe in (self._requests, self._replies, self._lifeline):
                os.close(pipe)
            raise WorkerCrashedError(
                f"the process of {adapter.name} cannot be started: {error.strerror}",
                where=python,
                mend="build the environment again: remove its folder and run the same command",
            ) from error
        finally:
            for pipe in theirs:
                os.close(pipe)
        self._family = Family(self._process.pid)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._replies, selectors.EVENT_READ)

    def ask(self, request: dict[str, Any], *, seconds: float | None) -> Reply:
        """Send a request and return the first reply; raises what `receive` raises."""
        self._log.trim()
        self._mark = self._log.size()
        self._asked += 1
        data = json.dumps({**request, "id": self._asked}).encode() + b"\n"
        # A child that is gone is noticed, and explained, by `receive`.
        with suppress(BrokenPipeError):
            while data:
                data = data[os.write(self._requests, data) :]
        return self.receive(seconds=seconds)

    def receive(self, *, seconds: float | None) -> Reply:
        """Return the next reply to the request sent last.

        Raises
        ------
        WorkerTimeoutError, WorkerMemoryError, WorkerCrashedError
            The child is dead then.
        """
        begin = time.monotonic()
        while b"\n" not in self._pending:
            left = None if seconds is None else seconds - (time.monotonic() - begin)
            if left is not None and left <= 0:
                self.kill()
                raise WorkerTimeoutError(
                    f"{self._name} gave no answer within {seconds:g} s and was killed",
                    mend="allow more time, or run it on a smaller image",
                    detail=self.printed(),
                )
            wait = _LOOK_SECONDS if left is None else min(left, _LOOK_SECONDS)
            if self._selector.select(wait):
                self._read()
            else:
                self._look()
        line, self._pending = self._pending.split(b"\n", 1)
        with suppress(ValidationError):
            reply = REPLY.validate_json(bytes(line))
            if reply.id == self._asked:
                return reply
        self.kill()
        raise WorkerCrashedError(
            f"{self._name} wrote on the harness's pipe and was killed",
            mend="the adapter must leave alone the file descriptors that it did not open",
            detail=self.printed(),
        )

    def printed(self) -> str:
        """Return what the child printed since the last request, or the end of it."""
        return self._log.since(self._mark)

    def close(self) -> None:
        """Let the child end by itself, and kill it where it does not."""
        if not self._selector.get_map():
            return
        os.close(self._requests)
        self._requests = -1
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE_SECONDS)
        self.kill()

    def kill(self) -> None:
        """Kill the child and everything it started."""
        if not self._selector.get_map():
            return
        self._family.kill()
        # One that hangs inside the system's kernel ends when it comes back from there.
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE_SECONDS)
        self._selector.close()
        # Tells the guard that the harness lives, and keeps its scratch folder.
        with suppress(BrokenPipeError):
            os.write(self._lifeline, b".")
        for pipe in (self._requests, self._replies, self._lifeline):
            if pipe >= 0:
                os.close(pipe)

    def _read(self) -> None:
        data = os.read(self._replies, 1 << 16)
        self._pending += data
        if not data:
            self._gone()
        if len(self._pending) > _LONGEST_LINE:
            self._pending = bytearray(b"\n")

    def _look(self) -> None:
        """Look after a silent child."""
        if self._log.trim(in_use=True):
            self._mark = 0
        if self._process.poll() is not None and not self._selector.select(0):
            self._gone()
        if self._memory_mb is not None:
            used = self._family.memory_mb()
            if used > self._memory_mb:
                self.kill()
                raise WorkerMemoryError(
                    f"{self._name} used {used:.0f} MB, more than {self._memory_mb:g} MB allowed,"
                    " and was killed",
                    mend="allow more memory, or run it on a smaller image",
                    detail=self.printed(),
                )

    def _gone(self) -> None:
        """Say how the child ended."""
        try:
            code = self._process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            how = "closed the pipe to the harness and was killed"
        else:
            how = _ending(code)
        self.kill()
        raise WorkerCrashedError(
            f"the process of {self._name} {how}", where=self._log.path, detail=self.printed()
        )


def _ending(code: int) -> str:
    if code >= 0:
        return f"ended by itself with exit status {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = ", perhaps because this machine ran out of memory" if name == "SIGKILL" else ""
    return f"was ended by {name}{hint}"


def _processors() -> int:
    """Return how many processors this process may use, which a batch system may limit."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _variables(
    environment: Environment, threads: int | None, scratch: Path | None
) -> dict[str, str]:
    """Return the environment variables of a child."""
    hidden = {"PYTHONHOME", "PYTHONSTARTUP", "__PYVENV_LAUNCHER__"}
    if environment.folder is not None:
        hidden |= {"PYTHONPATH", "VIRTUAL_ENV"}
    variables = {key: value for key, value in os.environ.items() if key not in hidden}
    variables |= dict.fromkeys(_THREADS, str(threads or _processors()))
    variables |= {
        "PYTHONHASHSEED": "0",
        "PYTHONNOUSERSITE": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "MPLBACKEND": "Agg",
        MARK: secrets.token_hex(16),
        "PATH": os.pathsep.join([str(environment.python.parent), os.environ.get("PATH", "")]),
    }
    if scratch is not None:
        temporary = scratch / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        variables["TMPDIR"] = str(temporary)
    return variables
