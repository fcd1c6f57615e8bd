"""What every test may ask for, and which tests run by default."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# A plain test compiles nothing; those of the compiled operation ask for it by name.
os.environ.setdefault("BENCH_OPS", "torch")

# Each takes minutes, or needs what a plain machine may lack; `--full` runs them too.
MARKED = ("segmenter", "browser", "kill", "training", "slow")

# Folders whose files share what takes minutes to make.
TOGETHER = ("adapters/cellpose", "adapters/u2net", "agreement")
HERE = Path(__file__).parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="run the marked tests too")
    parser.addoption(
        "--rounds", type=int, default=1, help="how often to time what takes minutes (figures: 3)"
    )


@pytest.hookimpl(tryfirst=True)  # before xdist looks for groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:  # with `-n 2 --dist loadgroup` one process gets all of a group
        folder = next((f for f in TOGETHER if item.path.is_relative_to(HERE / f)), None)
        item.add_marker(pytest.mark.xdist_group(folder or str(item.path)))
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
