"""A process and what it started."""

from __future__ import annotations

import subprocess
import sys
import time

import psutil
import pytest

from adapters.family import Family

PROGRAM = """
import os, sys, time
kept = b"x" * (60 << 20)
if os.fork() == 0:
    if "leave" in sys.argv:
        os.setsid()
    kept += b"y"
print("ready", flush=True)
time.sleep(1000)
"""


@pytest.fixture
def leader():
    """A function that starts a process with one descendant, which may leave the group."""
    started = []

    def start(*words):
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *words],
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        started.append(process)
        for _ in range(2):
            assert process.stdout.readline() == b"ready\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("words", [(), ("leave",)])
def test_all_are_counted_and_killed(leader, words):
    process = leader(*words)
    members = [psutil.Process(process.pid), *psutil.Process(process.pid).children()]
    assert len(members) == 2
    family = Family(process.pid)
    assert family.memory_mb() > 120
    family.kill()
    process.wait()
    end = time.monotonic() + 10
    while any(m.is_running() and m.status() != psutil.STATUS_ZOMBIE for m in members):
        assert time.monotonic() < end
        time.sleep(0.01)
    assert Family(process.pid).memory_mb() == 0


def test_what_is_gone_can_be_killed_again(leader):
    process = leader()
    Family(process.pid).kill()
    process.wait()
    Family(process.pid).kill()
