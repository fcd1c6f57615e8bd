from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmark.errors import BenchError
from benchmark.scoring import score
from benchmark.scoring.aggregate import (
    POOLED_BY,
    ImageMean,
    image_mean,
    pool_counts,
    pool_figure,
    pool_table,
    summarise,
)
from benchmark.scoring.metrics import LISTS


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


@pytest.fixture
def scenes():
    """Pairs of label images (Y, X) with a margin of background: found, split, missed, nothing."""
    generator = np.random.default_rng(5)
    pairs = []
    for n in (1, 4, 9, 0):
        truth, prediction = np.zeros((2, 40, 40), np.uint16)
        for label in range(1, n + 1):
            y, x = divmod(label - 1, 3)
            truth[4 + 12 * y : 13 + 12 * y, 4 + 12 * x : 13 + 12 * x] = label
            dy, dx = generator.integers(-2, 3, 2)
            if generator.random() < 0.8:
                rows = slice(4 + 12 * y + dy, 13 + 12 * y + dy)
                prediction[rows, 4 + 12 * x + dx : 13 + 12 * x + dx] = label
            if generator.random() < 0.3:
                prediction[8 + 12 * y : 13 + 12 * y, 4 + 12 * x : 13 + 12 * x] = 100 + label
        pairs.append((truth, prediction))
    return pairs


def test_every_pooled_figure_is_that_of_the_images_side_by_side(scenes):
    side_by_side = [
        np.concatenate([np.where(one > 0, one + 1000 * k, 0) for k, one in enumerate(images)], 1)
        for images in zip(*scenes, strict=True)
    ]
    whole = score(*side_by_side)
    summary = summarise([score(*pair).to_dict(objects=False) for pair in scenes])
    assert 0 < whole.mean_ap < 1
    for name in (*LISTS, "mean_ap", "mean_f1", *POOLED_BY):
        np.testing.assert_allclose(
            summary["pooled"][name], getattr(whole, name), rtol=1e-12, err_msg=name
        )
    for name in ("n_true", "n_pred", "splits", "merges", "catastrophes", "true_kinds"):
        assert summary[name] == getattr(whole, name), name


def test_a_summary_has_the_mean_over_images_beside_the_pooled_figure(scenes):
    scores = [score(*pair) for pair in scenes]
    summary = summarise([one.to_dict(objects=False) for one in scores])
    assert (summary["n"], summary["n_empty"]) == (4, 1)
    assert summary["mean"]["mean_ap"] == pytest.approx(np.mean([s.mean_ap for s in scores[:3]]))
    assert summary["mean"]["ap"][0] == pytest.approx(np.mean([s.ap[0] for s in scores[:3]]))
    assert summary["mean"]["mean_ap"] != pytest.approx(summary["pooled"]["mean_ap"])
    assert "aji" in summary["mean"]
    assert "aji" not in summary["pooled"]


def test_images_without_any_object_count_what_the_profile_says():
    nothing = np.zeros((8, 8), np.uint8)
    for profile, expected in (("default", np.nan), ("stardist", 0.0), ("pq", 0.0)):
        one = score(nothing, nothing, profile=profile)
        summary = summarise([one.to_dict(objects=False)] * 2, empty=one.profile.empty)
        for way in ("mean", "pooled"):
            for figure in ("mean_ap", "pq", "seg", "mean_matched_iou"):
                np.testing.assert_equal(summary[way][figure], expected, err_msg=figure)
            assert np.isnan(summary[way]["boundary_mean"])
        assert summary["n_empty"] == 2


def test_scores_at_other_thresholds_and_none_at_all_are_refused():
    ones = np.ones(3, int)
    scores = [score(ones, ones, thresholds=[0.5, last]).to_dict() for last in (0.75, 0.9)]
    with pytest.raises(BenchError, match="different thresholds"):
        summarise(scores)
    with pytest.raises(BenchError, match="no score"):
        summarise([])
