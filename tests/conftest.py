"""What every test may ask for, and which tests run by default."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# A plain test compiles nothing; those of the compiled operation ask for it by name.
os.environ.setdefault("BENCH_OPS", "torch")

# Each takes minutes, or needs what a plain machine may lack; `--full` runs them too.
MARKED = ("segmenter", "browser", "kill", "training", "slow")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="run the marked tests too")
    parser.addoption(
        "--rounds", type=int, default=1, help="how often to time what takes minutes (figures: 3)"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--full") or config.getoption("-m"):
        return
    kept = [item for item in items if not any(item.get_closest_marker(m) for m in MARKED)]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real annotated images beside the checkout; they are not part of the project."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real images at {folder.parent.name}/{folder.name} beside the checkout")
    return folder
