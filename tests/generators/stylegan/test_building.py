from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from adapters.errors import BuildError  # noqa: E402
from generators.stylegan import building, fused  # noqa: E402

ROOT = Path(__file__).parents[3]
ASK = "from generators.stylegan.fused import available; print(available(), available())"
SMALL = """
import torch
from generators.stylegan.fused import fused_filtered_lrelu
y = fused_filtered_lrelu(torch.tensor([[[[-1.0, 2.0]]]]), up_filter=None, down_filter=None, up=1,
                         down=1, padding=(0, 0, 0, 0), gain=1.0, slope=0.5, clamp=None)
print(y.flatten().tolist())
"""


def program(code, cache, **environment):
    """Start a Python with a cache folder of its own."""
    settings = {k: v for k, v in os.environ.items() if k != "CXX"}
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**settings, "BENCH_CACHE": str(cache), "OMP_NUM_THREADS": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def results(process):
    out, notices = process.communicate()
    assert process.returncode == 0, notices
    return out.strip(), notices.splitlines()


def script(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_import_builds_nothing(tmp_path):
    out, notices = results(program("import generators.stylegan.fused", tmp_path / "cache"))
    assert (out, notices) == ("", [])
    assert not (tmp_path / "cache").exists()


def test_without_a_compiler_one_line_says_so(tmp_path):
    out, notices = results(program(ASK, tmp_path / "cache", PATH=""))
    assert out == "False False"
    assert notices == [
        "no fused op: the compiler 'c++' cannot be started; pure torch does its work"
    ]
    assert not (tmp_path / "cache").exists()


def test_what_is_named_by_cxx_has_to_be_a_compiler(tmp_path, monkeypatch):
    monkeypatch.setenv("CXX", script(tmp_path / "false", "exit 1"))
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path))
    with pytest.raises(BuildError, match="is no compiler"):
        building.build(b"")


def test_a_compiler_that_fails_leaves_a_log_and_no_library(tmp_path, monkeypatch, capsys):
    # It answers all questions, but compiles nothing.
    halting = script(tmp_path / "c++", 'case "$*" in *" -c "*) echo "no disc" >&2; exit 1; esac')
    monkeypatch.setenv("CXX", halting)
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    for _ in range(2):  # failure is not kept
        with pytest.raises(BuildError, match="the compiler failed") as caught:
            building.build(b"int x;")
        assert "no disc" in Path(caught.value.where).read_text()
    assert capsys.readouterr().err.count("compiling an operation") == 2
    assert not list((tmp_path / "cache").rglob("*.so"))


def test_a_cache_that_cannot_be_written_is_named(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").touch()
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "file"))
    monkeypatch.setattr(building, "_probe", lambda _: ((), ""))
    with pytest.raises(BuildError, match="cannot be kept") as caught:
        building.build(b"")
    assert "BENCH_CACHE" in caught.value.mend


@pytest.fixture
def compiled(tmp_path, monkeypatch):
    """The builds done, by a compiler that writes down the source as the library."""
    builds = []

    def run(command, **_):
        folder = Path(command[4])
        (folder / "operations.so").write_bytes((folder / "source.cpp").read_bytes())
        builds.append(folder)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setenv("BENCH_CACHE", str(tmp_path))
    monkeypatch.setattr(building, "_probe", lambda _: (("-O3",), "a processor"))
    monkeypatch.setattr(building.subprocess, "run", run)
    monkeypatch.setattr(torch.ops, "load_library", lambda path: None)
    return builds


def test_each_source_compiler_and_torch_is_built_once(compiled, monkeypatch):
    first = building.build(b"one")
    assert building.build(b"one") == first
    assert len(compiled) == 1
    assert building.build(b"two") != first
    monkeypatch.setattr(building, "_probe", lambda _: (("-O3",), "another processor"))
    other = building.build(b"one")
    monkeypatch.setattr(building, "_probe", lambda _: (("-O2",), "another processor"))
    plain = building.build(b"one")
    monkeypatch.setattr(torch, "__version__", "9.9")
    assert len({first, other, plain, building.build(b"one")}) == 4
    assert len(compiled) == 5


@pytest.mark.parametrize(
    "damage",
    [
        lambda library: library.write_bytes(b"half a libr"),
        lambda library: library.unlink(),
        lambda library: (library.parent / "complete.json").unlink(),
        lambda library: (library.parent / "complete.json").write_text("{"),
    ],
    ids=["library cut", "library gone", "no record", "record cut"],
)
def test_a_damaged_build_is_built_again(compiled, damage):
    library = building.build(b"one")
    damage(library)
    assert building.build(b"one") == library
    assert library.read_bytes() == b"one"
    assert building.build(b"one") == library
    assert len(compiled) == 2


def test_a_library_that_does_not_load_is_an_error(compiled, monkeypatch):
    def fail(path):
        raise OSError("undefined symbol")

    monkeypatch.setattr(torch.ops, "load_library", fail)
    with pytest.raises(BuildError, match="undefined symbol"):
        building.build(b"one")


def test_the_notice_names_the_log(monkeypatch, capsys):
    def fail():
        raise BuildError("the compiler failed", where="/cache/ops/1.log", mend="read its log")

    monkeypatch.setattr(fused, "load", fail)
    assert not fused.available.__wrapped__()
    assert capsys.readouterr().err == (
        "no fused op: the compiler failed (/cache/ops/1.log); pure torch does its work\n"
    )


@pytest.mark.slow
def test_two_processes_build_once_and_a_third_mends_it(tmp_path):
    both = [program(SMALL, tmp_path) for _ in range(2)]
    notices = []
    for process in both:
        out, said = results(process)
        assert out == "[-0.5, 2.0]"
        notices += said
    assert len(notices) == 1, notices
    (library,) = tmp_path.rglob("*.so")
    made = library.read_bytes()
    library.write_bytes(made[: len(made) // 2])
    out, notices = results(program(SMALL, tmp_path))
    assert out == "[-0.5, 2.0]"
    assert len(notices) == 1
    assert results(program(SMALL, tmp_path)) == ("[-0.5, 2.0]", [])
