from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmark.scoring import scan
from benchmark.scoring.compiled import changes, compiled, set_bits, trailing_zeros

ROOT = Path(__file__).parents[3]

KERNEL = """
from benchmark.scoring.compiled import compiled

@compiled
def total(values):
    n = 0
    for value in values:
        n += value
    return n
"""

USE = """
import numpy as np
from kernel import total
assert total(np.arange(5)) == 10
print(sum(total.stats.cache_hits.values()))
"""

SCORE = """
import numpy as np
from benchmark.scoring import score
truth = np.array([1, 1, 1, 0, 2], np.uint8)
print(score(truth, np.array([7, 7, 0, 0, 7], np.uint8), thresholds=[0.5]).tp[0])
"""


def run(program, folder, **environment):
    """Run a program that finds modules in a folder first; return what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(folder), **environment}
    done = subprocess.run(
        [sys.executable, "-B", "-c", program],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_function_without_a_source_file_is_compiled_all_the_same():
    scope = {"compiled": compiled}
    exec("@compiled\ndef twice(x):\n    return 2 * x", scope)
    assert scope["twice"](21) == 42
    assert scope["twice"].nopython_signatures


def test_compiled_code_lets_go_of_the_lock():
    for kernel in (scan._scan, scan._changed, compiled(lambda x: x)):
        assert kernel.targetoptions["nogil"]


def test_zeros_that_a_word_ends_in():
    @compiled
    def zeros(word):
        return trailing_zeros(word)

    words = [*(1 << k for k in range(64)), 0xF0, 2**64 - 8, 0]
    assert [zeros(np.uint64(word)) for word in words] == [*range(64), 4, 3, 64]


def test_bits_that_are_set_in_a_word():
    @compiled
    def bits(word):
        return set_bits(word)

    words = [0, 1, 0xF0, 2**63, 2**64 - 1]
    assert [bits(np.uint64(word)) for word in words] == [0, 1, 4, 1, 64]


@pytest.mark.parametrize("kind", ["u1", "u2", "u4", "u8"])
def test_pixels_that_differ_from_the_one_before(kind):
    @compiled
    def changed(one, other, at):
        return changes(one, other, at)

    generator = np.random.default_rng(0)
    one, other = (generator.integers(0, 2, 80).astype(kind) << 7 for _ in range(2))
    flat = np.zeros(80, kind)
    for at in (1, 2, 16):
        expected = (np.diff(one) != 0, np.diff(other) != 0)
        for arrays, differs in (
            ((one, flat), expected[0]),
            ((flat, other), expected[1]),
            ((one, other), expected[0] | expected[1]),
        ):
            word = int(changed(*arrays, at))
            assert [bool(word >> k & 1) for k in range(64)] == differs[at - 1 : at + 63].tolist()


def test_machine_code_is_kept_for_the_next_process(tmp_path):
    (tmp_path / "kernel.py").write_text(KERNEL)
    cache = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    assert run(USE, tmp_path, **cache) == "0"
    assert list((tmp_path / "cache").rglob("*.nbi"))
    assert run(USE, tmp_path, **cache) == "1"


def test_a_cache_folder_that_cannot_be_made_is_passed_over(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "kernel.py").write_text(KERNEL)
    run(USE, tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "file" / "cache"))
    assert list((tmp_path / "__pycache__").glob("*.nbi"))


def test_a_full_disk_takes_time_and_nothing_else(tmp_path):
    """A limit on the size of files, since an empty file can be made on a full disk too."""
    (tmp_path / "kernel.py").write_text(KERNEL)
    full = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))"
    cache = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    assert run(full + USE, tmp_path, **cache) == "0"
    assert not list((tmp_path / "cache").rglob("*.nbi"))


@pytest.fixture
def recompile(tmp_path, monkeypatch):
    """Compile a function as a new process would; return whether it came from the disk."""
    (tmp_path / "kernel_on_disk.py").write_text(KERNEL)
    monkeypatch.syspath_prepend(tmp_path)
    kernel = importlib.import_module("kernel_on_disk")

    def call(kind):
        total = importlib.reload(kernel).total
        assert total(np.arange(5, dtype=kind)) == 10
        return bool(sum(total.stats.cache_hits.values()))

    return call


def on_disk(suffix):
    folder = Path(sys.modules["kernel_on_disk"].total.stats.cache_path)
    return list(folder.glob(f"kernel_on_disk.*.{suffix}"))


@pytest.mark.parametrize(
    ("suffix", "rest"), [("nbi", b""), ("nbc", bytes(100))], ids=["index", "code"]
)
def test_a_damaged_cache_is_made_anew(recompile, suffix, rest):
    """As after a loss of power."""
    assert [recompile("u1"), recompile("u1")] == [False, True]
    [file] = on_disk(suffix)
    file.write_bytes(rest)
    assert [recompile("u1"), recompile("u1")] == [False, True]


def test_code_for_another_type_is_not_taken(recompile):
    """As after two processes that compiled for different types have written at once."""
    assert not recompile("u1")
    [code] = on_disk("nbc")
    before = code.read_bytes()
    assert not recompile("i8")
    for code in on_disk("nbc"):
        code.write_bytes(before)
    assert [recompile("i8"), recompile("i8"), recompile("u1")] == [False, True, False]


def test_without_any_place_to_keep_it_scores_are_the_same(tmp_path):
    """An installation that cannot be written, for a user without a home."""
    for package in ("adapters", "benchmark"):
        shutil.copytree(
            ROOT / package,
            tmp_path / package,
            ignore=lambda folder, names: [
                name
                for name in names
                if not (Path(folder, name).suffix == ".py" or Path(folder, name).is_dir())
                or name == "__pycache__"
            ],
        )
    for blocked in ("file", "benchmark/scoring/__pycache__"):
        (tmp_path / blocked).touch()
    nowhere = str(tmp_path / "file" / "cache")
    environment = dict.fromkeys(("NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "HOME"), nowhere)
    assert run(SCORE, tmp_path, **environment) == "1"
    assert not list(tmp_path.rglob("*.nbi"))
