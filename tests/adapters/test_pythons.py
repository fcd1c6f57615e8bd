"""Finding an interpreter for an algorithm."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from adapters import pythons
from adapters.errors import AdapterError, BuildError
from adapters.pythons import Interpreter, find_python

OWN = f"{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A function that puts interpreters on an otherwise empty machine."""
    asked = {}
    monkeypatch.setattr(pythons, "ask", asked.get)
    monkeypatch.setenv("PATH", f"{tmp_path}/a:{tmp_path}/b")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("CONDA_PREFIX", raising=False)

    def install(path, version):
        path = tmp_path / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o755)
        asked[path] = Interpreter(path, version)
        return path

    return install


def test_its_own_interpreter_comes_first():
    assert find_python(f"=={OWN}.*").path == Path(sys.executable)


def test_the_newest_on_the_path_that_fits(machine):
    machine("a/python3.9", "3.9.2")
    wanted = machine("b/python3.10", "3.10.1")
    machine("b/python3", "3.13.0")
    machine("pyenv/versions/3.10.9/bin/python", "3.10.9")
    assert find_python(">=3.8,<3.11").path == wanted


def test_pyenv_and_conda_are_looked_at(machine, tmp_path):
    nine = machine("pyenv/versions/3.9.18/bin/python", "3.9.18")
    eight = machine("conda/envs/old/bin/python", "3.8.1")
    (tmp_path / ".conda").mkdir()
    (tmp_path / ".conda" / "environments.txt").write_text(f"{tmp_path}/conda/envs/old\n/gone\n")
    assert find_python("==3.9.*").path == nine
    assert find_python("<3.9").path == eight


def test_what_was_looked_at_and_how_to_mend_it(machine):
    machine("a/python3.9", "3.9.2")
    machine("b/python3", "3.12.0")
    with pytest.raises(BuildError) as caught:
        find_python(">=3.7,<3.9")
    assert "PATH: 3.9.2, 3.12.0" in caught.value.what
    assert "pyenv: none" in caught.value.what
    assert "`uv python install 3.8`" in caught.value.mend


def test_a_wrong_specifier_is_named():
    with pytest.raises(AdapterError, match="no version specifier"):
        find_python("3.9 or so")


@pytest.mark.parametrize(
    "script", ["exit 1", "echo nonsense", "kill -9 $$", "echo 3.9"], ids=lambda text: text[:6]
)
def test_what_only_looks_like_a_python_is_passed_over(tmp_path, script):
    program = tmp_path / "python3.9"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    assert pythons.ask(program) is None
    assert pythons.ask(tmp_path / "none") is None
