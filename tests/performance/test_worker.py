"""What it costs to call an algorithm through a worker; run with `--benchmark-only` to compare."""

from __future__ import annotations

import numpy as np
import pytest

from adapters.environments import ensure
from adapters.registry import find
from adapters.worker import Worker


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 4000, (1, 256, 256)).astype(np.uint16)


@pytest.fixture
def labels():
    """Labels of 256 objects."""
    rows, columns = np.mgrid[:256, :256]
    return (rows // 16 * 16 + columns // 16 + 1).astype(np.uint16)[np.newaxis]


def test_empty_called_directly(benchmark, image):
    assert not benchmark(lambda: np.zeros(image.shape[1:], np.uint32)).any()


def test_empty_through_a_worker(benchmark, image):
    adapter, model = find("empty")
    with Worker(adapter, model, ensure(adapter)) as worker:
        worker.start()
        assert not benchmark(lambda: worker.segment(image)).labels.any()


def test_many_objects_through_a_worker(benchmark, labels):
    adapter, model = find("oracle")
    with Worker(adapter, model, ensure(adapter)) as worker:
        worker.start()
        assert benchmark(lambda: worker.segment(labels)).labels.max() == 256


def test_a_start(benchmark):
    adapter, model = find("empty")

    def start():
        with Worker(adapter, model, ensure(adapter)) as worker:
            worker.start()
            return worker.start_seconds

    assert benchmark(start) > 0
