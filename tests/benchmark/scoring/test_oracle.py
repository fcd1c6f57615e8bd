"""A slow second opinion: every definition spelled out with dense matrices and fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from benchmark.scoring import score

THRESHOLDS = [Fraction(n, 20) for n in (1, 2, 4, 5, 6, 8, 10, 11, 13, 15, 16, 18, 20)]
COUNTS = ("tp", "fp", "fn")


def objects(labels):
    return sorted(set(labels.ravel().tolist()) - {0})


def iou_matrix(truth, prediction):
    return [
        [
            Fraction(
                int(np.count_nonzero((truth == t) & (prediction == p))),
                int(np.count_nonzero((truth == t) | (prediction == p))),
            )
            for p in objects(prediction)
        ]
        for t in objects(truth)
    ]


def best_matching(matrix, threshold, *, strict):
    """Return (matches, sum of IoU) of the best one-to-one matching, having tried all of them."""

    def best(row, used):
        if row == len(matrix):
            return 0, Fraction(0)
        options = [best(row + 1, used)]
        for column, iou in enumerate(matrix[row]):
            passes = iou > threshold if strict else iou >= threshold
            if passes and column not in used:
                count, total = best(row + 1, used | {column})
                options.append((count + 1, total + iou))
        return max(options)

    return best(0, frozenset())


def expected(truth, prediction, thresholds, *, strict):
    matrix = iou_matrix(truth, prediction)
    n_true, n_pred = len(objects(truth)), len(objects(prediction))

    def ratio(part, whole):
        if n_true + n_pred == 0:
            return None
        return Fraction(part) / whole if whole else Fraction(0)

    tp = [best_matching(matrix, t, strict=strict)[0] for t in thresholds]
    ap = [ratio(k, n_true + n_pred - k) for k in tp]
    half = Fraction(1, 2)
    matched, iou_sum = best_matching(matrix, half, strict=strict)
    above, iou_sum_above = best_matching(matrix, half, strict=True)
    return {
        "tp": tp,
        "fp": [n_pred - k for k in tp],
        "fn": [n_true - k for k in tp],
        "ap": ap,
        "f1": [ratio(2 * k, n_true + n_pred) for k in tp],
        "precision": [ratio(k, n_pred) for k in tp],
        "recall": [ratio(k, n_true) for k in tp],
        "mean_ap": None if None in ap else sum(ap) / len(ap),
        "mean_matched_iou": ratio(iou_sum, matched),
        "rq": ratio(2 * above, n_true + n_pred),
        "sq": ratio(iou_sum_above, above),
        "pq": ratio(2 * iou_sum_above, n_true + n_pred),
        "n_true": n_true,
        "n_pred": n_pred,
    }


def assert_agrees(truth, prediction, *, strict):
    result = score(truth, prediction, thresholds=THRESHOLDS, strict=strict).to_dict()
    assert result.pop("thresholds") == [float(t) for t in THRESHOLDS]
    oracle = expected(truth, prediction, THRESHOLDS, strict=strict)
    assert result.keys() == oracle.keys()
    for name, value in oracle.items():
        if name in COUNTS or name.startswith("n_"):
            assert result[name] == value, name
        else:
            np.testing.assert_allclose(numbers(result[name]), numbers(value), rtol=1e-14)


def numbers(value):
    """Return a figure or a list of figures as floats, NaN for None."""
    values = value if isinstance(value, list) else [value]
    return [float("nan") if entry is None else float(entry) for entry in values]


def pairs_of_labels():
    shapes = hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=6)
    labels = st.integers(0, 5)
    return shapes.flatmap(
        lambda shape: st.tuples(
            hnp.arrays(np.uint8, shape, elements=labels),
            hnp.arrays(np.uint8, shape, elements=labels),
        )
    )


@settings(max_examples=150, deadline=None)
@example(pair=(np.zeros(3, np.uint8), np.zeros(3, np.uint8)), strict=False)
@example(pair=(np.array([1, 1, 2, 2]), np.array([1, 2, 2, 2])), strict=False)
@given(pair=pairs_of_labels(), strict=st.booleans())
def test_agrees_with_trying_every_matching(pair, strict):
    assert_agrees(*pair, strict=strict)


@pytest.mark.parametrize("seed", range(20))
def test_agrees_where_many_objects_share_overlaps(seed):
    """Stretches of a line, shifted against each other: long chains of contested pairs."""
    generator = np.random.default_rng(seed)

    def stretches():
        lengths = generator.integers(2, 7, size=8)
        return np.repeat(generator.permutation(8) + 1, lengths)[:30]

    truth, prediction = stretches(), np.roll(stretches(), 2)
    size = min(len(truth), len(prediction))
    assert_agrees(truth[:size], prediction[:size], strict=bool(seed % 2))
