"""The house rules, each held by a tool: style, types, the one way that imports may go."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ("ruff", "check", "."),
        ("ruff", "format", "--check", "."),
        ("mypy",),
        ("lint-imports",),
    ],
    ids=" ".join,
)
def test_tool_finds_nothing(command):
    tool = Path(sys.executable).parent / command[0]
    done = subprocess.run([tool, *command[1:]], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("heavy", ["torch", "numpy", "pandas", "pydantic", "rich.progress"])
def test_help_imports_nothing_heavy(heavy):
    program = (
        "import sys; from benchmark.cli import app; app(['--help'], result_action='return_value');"
        f"sys.exit({heavy!r} in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "leaderboard" in done.stdout


def test_bad_usage_ends_with_code_2():
    for arguments in (["runn"], ["run", "--no-such-option"], ["dataset", "info"]):
        done = subprocess.run(
            [sys.executable, "-c", "from benchmark.cli import main; main()", *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 2, done.stderr
        assert done.stdout == ""
