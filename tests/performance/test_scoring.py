"""How long scoring takes, beside a contingency table alone by scikit-image.

pytest tests/performance/test_scoring.py --benchmark-only
"""

from __future__ import annotations

import numpy as np
import pytest
from skimage.metrics import contingency_table

from benchmark.scoring import score


def field(size, n, radius, seed):
    """Return discs as truth, and the same discs moved by two pixels or so as prediction."""
    generator = np.random.default_rng(seed)
    labels = np.zeros((2, size, size), np.uint16)
    y, x = np.ogrid[:size, :size]
    for k in range(1, n + 1):
        centre = generator.uniform(0, size, 2)
        squared = (radius * generator.uniform(0.7, 1.3)) ** 2
        for plane, shift in enumerate((np.zeros(2), generator.normal(0, 2, 2))):
            cy, cx = centre + shift
            rows = slice(max(0, int(cy - 2 * radius)), int(cy + 2 * radius))
            columns = slice(max(0, int(cx - 2 * radius)), int(cx + 2 * radius))
            disc = (y[rows] - cy) ** 2 + (x[:, columns] - cx) ** 2 < squared
            labels[plane, rows, columns][disc] = k
    return labels


pytestmark = pytest.mark.slow

SETS = {
    "100 of 256x256, 40 cells": lambda: [field(256, 40, 14, seed) for seed in range(100)],
    "1 of 1024x1024, 600 cells": lambda: [field(1024, 600, 16, 0)],
}


@pytest.fixture(scope="module", params=SETS)
def pairs(request):
    return SETS[request.param]()


def test_score(benchmark, pairs):
    scores = benchmark(lambda: [score(truth, prediction) for truth, prediction in pairs])
    assert all(0 < result.mean_ap < 1 for result in scores)


def test_scikit_image_contingency_table_alone(benchmark, pairs):
    tables = benchmark(
        lambda: [contingency_table(truth, prediction) for truth, prediction in pairs]
    )
    for table, (truth, prediction) in zip(tables, pairs, strict=True):
        result = score(truth, prediction)
        inner = table.toarray()[1:, 1:]
        assert int(np.count_nonzero(inner.sum(axis=1) + table.toarray()[1:, 0])) == result.n_true
