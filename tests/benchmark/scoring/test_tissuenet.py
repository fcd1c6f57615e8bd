from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.optimize import linear_sum_assignment

from benchmark.errors import BenchError
from benchmark.scoring import score
from benchmark.scoring.contingency import Contingency, contingency
from benchmark.scoring.kinds import PRED_KINDS, TRUE_KINDS
from benchmark.scoring.tissuenet import tissuenet


def table_of(shared, true_areas, pred_areas):
    """Return a table of objects that share the given numbers of pixels."""
    shared = np.asarray(shared).reshape(len(true_areas), len(pred_areas))
    pair_true, pair_pred = np.nonzero(shared)
    return Contingency(
        true_ids=np.arange(1, len(true_areas) + 1, dtype=np.uint64),
        true_areas=np.array(true_areas, np.int64),
        pred_ids=np.arange(1, len(pred_areas) + 1, dtype=np.uint64),
        pred_areas=np.array(pred_areas, np.int64),
        pair_true=pair_true,
        pair_pred=pair_pred,
        intersection=shared[pair_true, pair_pred].astype(np.int64),
    )


def named(table):
    """Return the matched pairs and the kinds by name."""
    matched, kinds = tissuenet(table)
    return (
        [(int(table.pair_true[k]), int(table.pair_pred[k])) for k in matched],
        [TRUE_KINDS[kind] for kind in kinds.true_kind],
        [PRED_KINDS[kind] for kind in kinds.pred_kind],
    )


@pytest.mark.parametrize(
    ("shared", "true_areas", "pred_areas", "expected"),
    [
        # IoU 60/100: two at a cost of .4 each are no cheaper than two alone.
        ([60], [80], [80], ([], ["missed"], ["spurious"])),
        ([61], [80], [80], ([(0, 0)], ["matched"], ["matched"])),
        ([[50, 50]], [100], [50, 50], ([], ["split"], ["split"] * 2)),
        ([[50], [50]], [50, 50], [100], ([], ["merged"] * 2, ["merged"])),
        # IoU 10/100 is a link, 10/101 is none.
        ([[10, 30]], [60], [50, 30], ([], ["split"], ["split"] * 2)),
        ([[10, 30]], [60], [51, 30], ([], ["missed"], ["spurious"] * 2)),
        # A crumb with more than half of its pixels in the cell; exactly half would not do.
        ([[2, 40]], [100], [3, 40], ([], ["split"], ["split"] * 2)),
        ([[2, 40]], [100], [4, 40], ([], ["missed"], ["spurious"] * 2)),
        # A crumb beside a cell that was found has nobody left to link to.
        ([[90, 10]], [100], [90, 10], ([(0, 0)], ["matched"], ["matched", "spurious"])),
        (
            [[40, 40], [0, 40]],
            [80, 60],
            [40, 80],
            ([], ["catastrophe"] * 2, ["catastrophe"] * 2),
        ),
        ([], [5], [], ([], ["missed"], [])),
        ([], [], [5, 5], ([], [], ["spurious"] * 2)),
        ([], [], [], ([], [], [])),
    ],
)
def test_by_hand(shared, true_areas, pred_areas, expected):
    assert named(table_of(shared, true_areas, pred_areas)) == expected


def test_events_are_numbered_by_their_first_true_object():
    truth = np.repeat([1, 2, 3, 4, 5], 20)
    prediction = np.repeat([9, 8, 7, 7, 6, 5, 4], [10, 10, 20, 20, 20, 8, 12])
    _, kinds = tissuenet(contingency(truth, prediction))
    assert [TRUE_KINDS[kind] for kind in kinds.true_kind] == [
        "split",
        "merged",
        "merged",
        "matched",
        "split",
    ]
    assert kinds.true_event.tolist() == [1, 2, 2, 0, 3]
    assert kinds.pred_event.tolist() == [3, 3, 0, 2, 1, 1]


def padded_assignment(iou):
    """Return the pairs that deepcell's matrix of n + m by n + m chooses, entry by entry."""
    n, m = iou.shape
    cost = np.ones((n + m, m + n))
    cost[:n, :m] = 1 - iou
    cost[n:, m:] = 1 - iou.T
    for t in range(n):
        cost[t, m + t] = (0.4 + 1) - 1  # as it is added up there: a breath below 0.4
    for p in range(m):
        cost[n + p, p] = (0.4 + 1) - 1
    chosen = zip(*linear_sum_assignment(cost), strict=True)
    return sorted((int(t), int(p)) for t, p in chosen if t < n and p < m)


def spread(start, links):
    """Return all objects that can be reached from one."""
    reached, front = set(), {start}
    while front:
        reached |= front
        front = {b for a, b in links if a in front} - reached
    return reached


def oracle(truth, prediction):
    """Return matched pairs, kind and event of every object, over all pairs one by one."""
    true_ids = [t for t in np.unique(truth).tolist() if t]
    pred_ids = [p for p in np.unique(prediction).tolist() if p]
    iou = np.zeros((len(true_ids), len(pred_ids)))
    boosted = iou.copy()
    for i, t in enumerate(true_ids):
        for j, p in enumerate(pred_ids):
            a, b = truth == t, prediction == p
            iou[i, j] = boosted[i, j] = (a & b).sum() / (a | b).sum()
            inside = max((a & b).sum() / a.sum(), (a & b).sum() / b.sum())
            if 0 < iou[i, j] <= 0.4 and inside > 0.5:
                boosted[i, j] = 0.1
    matched = padded_assignment(boosted)
    taken = {("t", i) for i, _ in matched} | {("p", j) for _, j in matched}
    links = set()
    for i, j in zip(*np.nonzero(boosted >= 0.1), strict=True):
        if not {("t", i), ("p", j)} & taken:
            links |= {(("t", int(i)), ("p", int(j))), (("p", int(j)), ("t", int(i)))}
    kind, event = {}, {}
    for one in [("t", i) for i in range(len(true_ids))] + [("p", j) for j in range(len(pred_ids))]:
        group = spread(one, links)
        n_true = sum(side == "t" for side, _ in group)
        n_pred = len(group) - n_true
        event[one] = sorted(group) if len(group) > 2 else None
        if one in taken:
            kind[one] = "matched"
        elif len(group) < 3:
            kind[one] = "missed" if one[0] == "t" else "spurious"
        else:
            kind[one] = "split" if n_true == 1 else "merged" if n_pred == 1 else "catastrophe"
    return matched, kind, event


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_equals_an_oracle_that_solves_the_whole_assignment(data):
    shape = data.draw(st.sampled_from([(6,), (12,), (5, 8), (3, 4, 5)]))
    ids = st.integers(0, data.draw(st.integers(1, 7)))
    truth = data.draw(hnp.arrays(np.int32, shape, elements=ids)).repeat(3, axis=-1)
    prediction = np.roll(truth, data.draw(st.integers(-2, 2)), axis=-1)
    if data.draw(st.booleans()):
        prediction = data.draw(hnp.arrays(np.int32, shape, elements=ids)).repeat(3, axis=-1)
    table = contingency(truth, prediction)
    matched, kinds = tissuenet(table)
    expected, kind, event = oracle(truth, prediction)
    pairs = zip(table.pair_true[matched].tolist(), table.pair_pred[matched].tolist(), strict=True)
    assert sorted(pairs) == expected
    objects = [("t", i) for i in range(table.n_true)] + [("p", j) for j in range(table.n_pred)]
    found = [TRUE_KINDS[k] for k in kinds.true_kind] + [PRED_KINDS[k] for k in kinds.pred_kind]
    assert found == [kind[one] for one in objects]
    numbers = kinds.true_event.tolist() + kinds.pred_event.tolist()
    members = {
        n: sorted(one for one, m in zip(objects, numbers, strict=True) if m == n) for n in numbers
    }
    assert [members[n] if n else None for n in numbers] == [event[one] for one in objects]


def test_a_large_table_needs_no_matrix_of_all_against_all():
    n = 200_000  # 400 000 by 400 000 would be 1.2 TiB
    truth = np.repeat(np.arange(1, n + 1), 10)
    matched, kinds = tissuenet(contingency(truth, np.roll(truth, 1)))
    assert len(matched) == n
    assert not kinds.true_kind.any()


def test_legacy_counts_a_catastrophe_as_one_correct_detection():
    """Two cells found as two that overlap neither well, and one found."""
    truth = np.array([1, 1, 1, 1, 2, 2, 2, 2, 0, 3, 3])
    prediction = np.array([1, 1, 2, 2, 1, 1, 2, 2, 0, 3, 3])
    today, legacy = (
        score(truth, prediction, profile="tissuenet", legacy=old) for old in (False, True)
    )
    assert (today.tp, today.fp, today.fn, today.f1) == ((1,), (2,), (2,), (1 / 3,))
    assert (legacy.tp, legacy.fp, legacy.fn, legacy.f1) == ((2,), (1,), (1,), (2 / 3,))
    assert today.true_kinds == legacy.true_kinds


def test_other_profiles_have_no_legacy():
    with pytest.raises(BenchError, match="no legacy"):
        score(np.array([1]), np.array([1]), legacy=True)
