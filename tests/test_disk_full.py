"""A full disk, a real one: a clear error, nothing half-written, and the same command goes on."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import tifffile


def bench(*arguments):
    return subprocess.run(
        [sys.executable, "-c", "from benchmark.cli import main; main()", *map(str, arguments)],
        capture_output=True,
        text=True,
    )


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 KiB, and a function that makes it larger."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small file system is not permitted here")

    def enlarge():
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)

    yield disk, enlarge
    subprocess.run(["umount", str(disk)], check=True)


@pytest.fixture
def images(tmp_path):
    """Six noisy images with labels, as a pair of folders: far more than 64 KiB."""
    rng = np.random.default_rng(0)
    for i in range(6):
        labels = rng.integers(0, 50, (128, 128)).astype(np.uint16)
        for folder, array in (("images", 5 * labels), ("labels", labels)):
            path = tmp_path / "mine" / folder / f"{i}.tif"
            path.parent.mkdir(parents=True, exist_ok=True)
            tifffile.imwrite(path, array)
    return tmp_path / "mine"


@pytest.mark.slow
def test_import_leaves_nothing_behind(small_disk, images):
    disk, enlarge = small_disk
    command = ("dataset", "import", images, "--out", disk / "set")
    full = bench(*command)
    assert full.returncode == 2
    assert "no space left" in full.stderr
    assert list(disk.iterdir()) == []
    enlarge()
    assert bench(*command).returncode == 0


@pytest.mark.slow
def test_generate_leaves_nothing_behind(small_disk):
    disk, _ = small_disk
    full = bench("generate", "spots", "--out", disk / "set")
    assert full.returncode == 2
    assert "no space left" in full.stderr
    assert list(disk.iterdir()) == []


@pytest.mark.slow
def test_run_continues_once_there_is_space(small_disk, images, tmp_path):
    disk, enlarge = small_disk
    bench("dataset", "import", images, "--out", tmp_path / "set")
    command = ("run", tmp_path / "set", "--algorithms", "oracle,empty", "--no-timings")
    full = bench(*command, "--out", disk / "run")
    assert full.returncode == 2
    assert "no space left" in full.stderr
    assert not (disk / "run" / "leaderboard.json").exists()
    assert not list((disk / "run").glob("**/*.part"))
    enlarge()
    assert bench(*command, "--out", disk / "run").returncode == 0
    assert bench(*command, "--out", tmp_path / "other").returncode == 0
    name = "leaderboard.json"
    assert (disk / "run" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()
