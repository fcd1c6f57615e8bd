from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmark.scoring import score
from benchmark.scoring.aggregate import (
    ImageMean,
    image_mean,
    pool_counts,
    pool_figure,
    pool_table,
)


@pytest.fixture
def images():
    """Three images of different sizes, one of them empty in truth and prediction."""
    generator = np.random.default_rng(3)
    pairs = []
    for size, n in [(20, 3), (60, 12)]:
        truth = np.repeat(np.arange(n), size)
        prediction = truth.copy()
        prediction[generator.integers(0, truth.size, truth.size // 4)] = 0
        pairs.append((truth, prediction))
    pairs.append((np.zeros(9, int), np.zeros(9, int)))
    return pairs


def test_mean_leaves_out_and_counts_what_is_undefined():
    assert image_mean([0.25, np.nan, 0.75, np.nan]) == ImageMean(0.5, 2, 2)
    nothing = image_mean([np.nan])
    assert np.isnan(nothing.value)
    assert (nothing.n, nothing.n_undefined) == (0, 1)
    assert image_mean([]).n == 0


def test_the_two_means_differ_on_images_of_different_sizes():
    tp, fp, fn = [[2], [10]], [[0], [40]], [[0], [50]]
    assert image_mean([2 / 2, 10 / 100]).value == pytest.approx(0.55)
    assert pool_counts(tp, fp, fn).ap.tolist() == [12 / 102]


def test_pooling_images_is_scoring_them_side_by_side(images):
    scores = [score(*pair) for pair in images]
    offset, truths, predictions = 0, [], []
    for truth, prediction in images:
        truths.append(np.where(truth > 0, truth + offset, 0))
        predictions.append(np.where(prediction > 0, prediction + offset, 0))
        offset += 1000
    together = score(np.concatenate(truths), np.concatenate(predictions))
    rates = pool_counts([s.tp for s in scores], [s.fp for s in scores], [s.fn for s in scores])
    for name in ("tp", "fp", "fn", "ap", "f1", "precision", "recall"):
        assert tuple(getattr(rates, name).tolist()) == getattr(together, name)
    matches = [s.tp[0] for s in scores]
    pooled_iou = pool_figure([s.mean_matched_iou for s in scores], matches)
    assert pooled_iou == pytest.approx(together.mean_matched_iou, rel=1e-14)
    objects = [s.n_true + s.n_pred for s in scores]
    assert pool_figure([s.pq for s in scores], objects) == pytest.approx(together.pq, rel=1e-14)


def test_pooling_nothing_is_undefined():
    assert np.isnan(pool_figure([np.nan, np.nan], [0, 0]))
    assert np.isnan(pool_counts([0], [0], [0]).ap)


def test_pool_table_agrees_with_pool_counts():
    scores = pd.DataFrame(
        {
            "algorithm": ["b"] * 4 + ["a"] * 4,
            "sample": ["x", "x", "y", "y"] * 2,
            "threshold": [0.5, 0.75] * 4,
            "tp": [3, 1, 2, 2, 5, 4, 0, 0],
            "fp": [1, 3, 0, 0, 0, 1, 0, 0],
            "fn": [0, 2, 5, 5, 0, 1, 9, 9],
        }
    )
    table = pool_table(scores, by=["algorithm"])
    assert table[["algorithm", "threshold"]].to_numpy().tolist() == [
        ["a", 0.5],
        ["a", 0.75],
        ["b", 0.5],
        ["b", 0.75],
    ]
    assert table["ap"].tolist() == [5 / 14, 4 / 15, 5 / 11, 3 / 13]
    assert table["precision"].tolist() == [1, 4 / 5, 5 / 6, 3 / 6]
