"""Environments: their key, their building, and two builders at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from adapters import environments
from adapters.adapter import Adapter
from adapters.environments import cache_folder, describe, ensure
from adapters.errors import BuildError
from adapters.pythons import Interpreter

SEGMENTER = "class Segmenter: ...\n"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def adapter(make_adapter):
    """A function that returns an adapter with the given requirements."""

    def make(requirements, name="mine"):
        folder = make_adapter(name=name, segmenter__py=SEGMENTER, requirements__txt=requirements)
        return Adapter.load(folder)

    return make


@pytest.fixture
def install(monkeypatch):
    """Record what is installed instead of installing it."""
    calls = []

    def record(python, folder, requirements, *, log, tell):
        calls.append(folder)
        (folder / "bin").mkdir(parents=True)
        (folder / "bin" / "python").symlink_to(sys.executable)
        tell("Collecting six")
        return {"six": "1.16.0"}

    monkeypatch.setattr(environments, "install", record)
    return calls


def test_without_requirements_it_is_the_harness_itself(make_adapter):
    environment = ensure(Adapter.load(make_adapter(segmenter__py=SEGMENTER)))
    assert str(environment.python) == sys.executable
    assert environment.folder is None
    assert environment.built
    assert len(environment.lock) == 64


def test_the_cache_is_where_the_variable_says(cache, monkeypatch):
    assert cache_folder() == cache
    monkeypatch.delenv("BENCH_CACHE")
    assert cache_folder().name == "cellgen-bench"


def test_the_key_is_what_is_installed(adapter):
    one = describe(adapter("six==1.16.0\nidna==3.4\n", "one"))
    same = describe(adapter("# pinned\nidna==3.4  # names\n\nsix==1.16.0", "same"))
    other = describe(adapter("six==1.16.0\nidna==3.5\n", "other"))
    assert one == same
    assert one.lock != other.lock
    assert one.folder.name == one.lock[:16]


def test_the_key_holds_the_python(adapter, monkeypatch):
    mine = adapter("six==1.16.0\n")
    here = describe(mine).lock
    old = Interpreter(Path("python3.8"), "3.8.18")
    monkeypatch.setattr(environments, "find_python", lambda wanted: old)
    assert describe(mine).lock != here
    assert describe(mine).version == "3.8.18"


@pytest.mark.parametrize(
    "line",
    [
        "-e .",
        "--editable=../mine",
        ".",
        "./mine",
        "../mine-1.0-py3-none-any.whl",
        "mine-1.0.tar.gz",
        "mine @ file:///home/me/mine",
        "mine @ ./mine",
        "-r more.txt",
        "-c limits.txt",
        "--find-links wheels/",
    ],
)
def test_what_is_no_pin_is_refused(adapter, line):
    with pytest.raises(BuildError, match=r"(?s)not part of the lock.*pin versions"):
        describe(adapter(f"six==1.16.0\n{line}\n"))


@pytest.mark.parametrize(
    "line",
    [
        "six==1.16.0 ; python_version < '4'",
        "--index-url https://example.org/simple",
        "--require-hashes",
        "six @ https://example.org/six-1.16.0-py3-none-any.whl",
    ],
)
def test_other_lines_are_taken(adapter, line):
    assert describe(adapter(line)).lock


def test_every_package_of_the_harness_is_in_its_lock(make_adapter, monkeypatch):
    adapter = Adapter.load(make_adapter(segmenter__py=SEGMENTER))
    locks = set()
    for version in ("1", "2"):
        installed = [SimpleNamespace(name="opencv", version=version)]
        monkeypatch.setattr(environments, "distributions", lambda found=installed: found)
        environments._installed.cache_clear()
        locks.add(describe(adapter).lock)
    environments._installed.cache_clear()
    assert len(locks) == 2


def test_requirements_that_are_no_text_are_named(adapter):
    mine = adapter("six==1.16.0\n")
    mine.requirements.write_bytes(b"\xff\xfe")
    with pytest.raises(BuildError, match="cannot be read"):
        describe(mine)


def test_it_is_built_once(adapter, install):
    told = []
    mine = adapter("six==1.16.0\n")
    assert not describe(mine).built
    first = ensure(mine, told.append)
    second = ensure(mine, told.append)
    assert first == second
    assert first.built
    assert install == [first.folder]
    assert told[-1] == "mine: Collecting six"
    record = json.loads((first.folder / "complete.json").read_text())
    assert record["packages"] == {"six": "1.16.0"}


def test_a_half_built_one_is_built_again(adapter, install):
    mine = adapter("six==1.16.0\n")
    folder = describe(mine).folder
    folder.mkdir(parents=True)
    (folder / "left over").touch()
    assert ensure(mine).built
    assert not (folder / "left over").exists()


def test_one_whose_python_is_gone_is_built_again(adapter, install):
    mine = adapter("six==1.16.0\n")
    link = ensure(mine).python
    link.unlink()
    link.symlink_to("/gone/python")
    assert not describe(mine).built
    assert ensure(mine).built
    assert len(install) == 2


def test_without_requirements_another_python_is_refused(make_adapter, monkeypatch):
    other = Interpreter(Path("/usr/bin/python3.8"), "3.8.18")
    monkeypatch.setattr(environments, "find_python", lambda wanted: other)
    toml = 'name = "mine"\n[environment]\npython = "<3.9"\n[models.m]\ntrack = "classical"\n'
    folder = make_adapter(adapter__toml=toml, segmenter__py=SEGMENTER)
    with pytest.raises(BuildError, match=r"(?s)needs Python <3\.9.*add a requirements\.txt"):
        describe(Adapter.load(folder))


def test_a_cache_that_cannot_be_written_is_named(adapter, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "file"))
    with pytest.raises(BuildError, match="set BENCH_CACHE"):
        ensure(adapter("six==1.16.0\n"))


def test_an_interrupted_build_is_not_taken_for_whole(adapter, monkeypatch):
    mine = adapter("six==1.16.0\n")

    def interrupted(python, folder, *_, **__):
        folder.mkdir()
        raise KeyboardInterrupt

    monkeypatch.setattr(environments, "install", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ensure(mine)
    assert not describe(mine).built


@pytest.mark.slow
def test_a_failed_build_shows_the_log(adapter, tmp_path):
    # A requirement that pip refuses without asking any index.
    with pytest.raises(BuildError) as caught:
        ensure(adapter("no-such name\n"))
    assert "no-such name" in caught.value.what
    log = describe(adapter("no-such name\n", "again")).folder.with_suffix(".log")
    assert caught.value.where == str(log)
    assert "no-such name" in log.read_text()


def test_an_unknown_installer_is_named(adapter, monkeypatch):
    monkeypatch.setenv("BENCH_INSTALLER", "conda")
    with pytest.raises(BuildError, match="no installer 'conda'"):
        ensure(adapter("six==1.16.0\n"))


BUILDER = """
import sys
from pathlib import Path
from adapters.adapter import Adapter
from adapters.environments import ensure
print(ensure(Adapter.load(Path(sys.argv[1])), lambda line: print(line, file=sys.stderr)).python)
"""


@pytest.mark.segmenter
def test_two_builders_at_once_build_once(adapter):
    mine = adapter("six==1.16.0\n")
    command = [sys.executable, "-c", BUILDER, mine.folder]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    builders = [subprocess.Popen(command, **pipes) for _ in range(2)]
    answers = [builder.communicate() for builder in builders]
    assert [builder.returncode for builder in builders] == [0, 0]
    assert answers[0][0] == answers[1][0] == f"{describe(mine).python}\n"
    told = answers[0][1] + answers[1][1]
    assert told.count("new environment") == 1
    code = "import six; print(six.__version__)"
    done = subprocess.run([describe(mine).python, "-c", code], capture_output=True, text=True)
    assert done.stdout == "1.16.0\n"
