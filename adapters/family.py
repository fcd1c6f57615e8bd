"""A process and everything it started: how much memory they hold, and how they end."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress

import psutil

# Finding the descendants means reading all processes of the machine: milliseconds, at each look
# too much of a core. Their memory is read in microseconds.
_WALK_SECONDS = 0.3
_MB = 1 << 20


class Family:
    """The leader of a process group, the group, and descendants that left it.

    Parameters
    ----------
    leader
        Its process id, which is the group's too.
    """

    def __init__(self, leader: int) -> None:
        self._leader = leader
        self._members: list[psutil.Process] = []
        self._walked = -_WALK_SECONDS

    def memory_mb(self) -> float:
        """Return the resident memory of all members in MB; newcomers count after a moment."""
        now = time.monotonic()
        if now - self._walked >= _WALK_SECONDS:
            self._members = self._walk()
            self._walked = now
        total = 0
        for member in self._members:
            with suppress(psutil.Error):
                total += member.memory_info().rss
        return total / _MB

    def kill(self) -> None:
        """Kill them all, whatever signals they ignore."""
        for member in self._walk():
            with suppress(psutil.Error):
                member.kill()
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._leader, signal.SIGKILL)

    def _walk(self) -> list[psutil.Process]:
        try:
            leader = psutil.Process(self._leader)
            return [leader, *leader.children(recursive=True)]
        except psutil.Error:
            return []
