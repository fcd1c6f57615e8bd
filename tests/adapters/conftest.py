"""What the tests of adapters share."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from adapters.adapter import Adapter
from adapters.environments import ensure
from adapters.worker import Limits, Worker

MISBEHAVING = Path(__file__).parent / "misbehaving"


@pytest.fixture(scope="module")
def misbehaving():
    """A function that returns a worker which misbehaves in the given ways."""
    with ExitStack() as stack:

        def make(*modes, limits=None, **options):
            adapter = Adapter.load(MISBEHAVING)
            worker = Worker(
                adapter,
                adapter.model(),
                ensure(adapter),
                parameters={"mode": ",".join(modes)},
                limits=limits or Limits(seconds=20, start_seconds=20),
                threads=1,
                **options,
            )
            return stack.enter_context(worker)

        yield make


@pytest.fixture
def good_image():
    """An image that the misbehaving adapter treats well."""
    return np.zeros((1, 8, 6), np.uint16)


@pytest.fixture
def bad_image():
    """An image that sets the misbehaving adapter off."""
    return np.ones((1, 8, 6), np.uint16)


@pytest.fixture
def make_adapter(tmp_path):
    """A function that writes an adapter's folder and returns its path."""

    def make(name="mine", files=(), **texts):
        folder = tmp_path / name
        folder.mkdir()
        texts = {name.replace("__", "."): text for name, text in texts.items()}
        for file, text in {**dict(files), **texts}.items():
            path = folder / file
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return folder

    return make
