"""Kill a run, or its workers, at random moments: the same command ends with the same bytes."""

from __future__ import annotations

import hashlib
import random
import subprocess
import sys
import time

import psutil
import pytest

FILES = ("leaderboard.json", "leaderboard.csv", "results.parquet", "scores.parquet")
KILLS = 20


def command(dataset, out, adapter):
    program = "from benchmark.cli import main; main()"
    options = ["--algorithms", f"{adapter},oracle,empty", "--out", out, "--no-timings"]
    return [sys.executable, "-c", program, "run", dataset.path, *options, "--no-report"]


@pytest.fixture
def run_command(tmp_path, make_dataset, make_adapter):
    dataset = make_dataset(80)
    adapter = make_adapter("mine", "import time; time.sleep(0.05)")

    def start(name):
        out = tmp_path / name
        with (tmp_path / "stderr").open("w") as stderr:
            arguments = list(map(str, command(dataset, out, adapter)))
            process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=stderr)
        return out, process

    return start


def outcome(out):
    """Return the digest of each file that the run made, by path."""
    files = [out / name for name in FILES] + sorted(out.glob("predictions/*/*"))
    return {str(p.relative_to(out)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.mark.kill
def test_a_killed_run_ends_with_the_same_bytes(run_command):
    out, process = run_command("whole")
    assert process.wait() == 0, (out.parent / "stderr").read_text()
    whole = outcome(out)
    assert len(whole) == len(FILES) + 3 * 60

    rng = random.Random(20)
    kills = attempt = 0
    while kills < KILLS:
        attempt += 1
        out, process = run_command(f"killed{attempt}")
        while kills < KILLS:
            time.sleep(rng.uniform(0.2, 3.0))
            children = psutil.Process(process.pid).children(recursive=True)
            process.kill()
            if process.wait() == 0:
                break
            kills += 1
            psutil.wait_procs(children, timeout=5)
            assert not any(child.is_running() for child in children), "a worker outlived its run"
            out, process = run_command(f"killed{attempt}")
        assert process.wait() == 0, (out.parent / "stderr").read_text()
        assert outcome(out) == whole


@pytest.mark.kill
def test_killed_workers_cost_nothing(run_command):
    out, process = run_command("whole")
    assert process.wait() == 0
    whole = outcome(out)

    rng = random.Random(21)
    kills = attempt = 0
    while kills < KILLS:
        attempt += 1
        out, process = run_command(f"killed{attempt}")
        while process.poll() is None:
            time.sleep(rng.uniform(0.2, 1.0))
            for child in psutil.Process(process.pid).children() if process.poll() is None else ():
                child.kill()
                kills += 1
        # All, some or, where each was hit while it started, none may have come through.
        assert process.returncode in {0, 1, 2}, (out.parent / "stderr").read_text()
        out, process = run_command(f"killed{attempt}")
        assert process.wait() == 0, (out.parent / "stderr").read_text()
        assert outcome(out) == whole
