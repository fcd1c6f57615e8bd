from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.scoring.contingency import Contingency
from benchmark.scoring.kinds import CATASTROPHE, MERGED, PRED_KINDS, SPLIT, TRUE_KINDS, kinds
from benchmark.scoring.matching import HALF, match


def table_of(shared, true_areas, pred_areas):
    """Return a table of objects that share the given numbers of pixels."""
    shared = np.asarray(shared, np.int64).reshape(len(true_areas), len(pred_areas))
    pair_true, pair_pred = np.nonzero(shared)
    return Contingency(
        true_ids=np.arange(1, len(true_areas) + 1, dtype=np.uint64),
        true_areas=np.array(true_areas, np.int64),
        pred_ids=np.arange(1, len(pred_areas) + 1, dtype=np.uint64),
        pred_areas=np.array(pred_areas, np.int64),
        pair_true=pair_true,
        pair_pred=pair_pred,
        intersection=shared[pair_true, pair_pred],
    )


def found(table, matched=None):
    """Return the kinds by name, and the events, of a table with all pairs of IoU 1/2 matched."""
    result = kinds(table, match(table, [HALF])[0] if matched is None else np.array(matched, int))
    return (
        [TRUE_KINDS[kind] for kind in result.true_kind],
        [PRED_KINDS[kind] for kind in result.pred_kind],
        result.true_event.tolist(),
        result.pred_event.tolist(),
    )


@pytest.mark.parametrize(
    ("shared", "true_areas", "pred_areas", "expected"),
    [
        pytest.param([80], [100], [80], (["matched"], ["matched"], [0], [0]), id="matched"),
        pytest.param([], [100], [], (["missed"], [], [0], []), id="missed"),
        pytest.param([], [], [10, 20], ([], ["spurious"] * 2, [], [0, 0]), id="spurious"),
        pytest.param([], [], [], ([], [], [], []), id="nothing"),
        pytest.param(
            [45], [100], [45], (["missed"], ["spurious"], [0], [0]), id="linked, but one and one"
        ),
        pytest.param(
            [[45, 45]],
            [100],
            [45, 45],
            (["split"], ["split"] * 2, [1], [1, 1]),
            id="split",
        ),
        pytest.param(
            [[45], [45]],
            [45, 45],
            [100],
            (["merged"] * 2, ["merged"], [1, 1], [1]),
            id="merged",
        ),
        pytest.param(
            [[30, 30], [30, 30]],
            [70, 70],
            [70, 70],
            (["catastrophe"] * 2, ["catastrophe"] * 2, [1, 1], [1, 1]),
            id="catastrophe",
        ),
        pytest.param(
            [[80, 5]],
            [100],
            [80, 8],
            (["matched"], ["matched", "split"], [1], [1, 1]),
            id="a crumb beside a match",
        ),
        pytest.param(
            [[80], [5]],
            [80, 8],
            [100],
            (["matched", "merged"], ["matched"], [1, 1], [1]),
            id="a speck swallowed by a match",
        ),
        pytest.param(
            [[50, 50]],
            [100],
            [50, 50],
            (["matched"], ["matched", "split"], [1], [1, 1]),
            id="two halves, of which one matches",
        ),
        pytest.param(
            [[80, 10], [0, 80]],
            [90, 90],
            [90, 90],
            (["matched"] * 2, ["matched"] * 2, [0, 0], [0, 0]),
            id="a link between two matched objects",
        ),
    ],
)
def test_by_hand(shared, true_areas, pred_areas, expected):
    assert found(table_of(shared, true_areas, pred_areas)) == expected


@pytest.mark.parametrize(
    ("shared", "true_area", "pred_area", "linked"),
    [
        (10, 55, 55, True),  # IoU 10/100
        (10, 55, 56, False),  # IoU 10/101
        (6, 100, 11, True),  # 6 of 11 in the cell, IoU 6/105
        (6, 100, 12, False),  # exactly half of it
        (6, 11, 100, True),
        (6, 12, 100, False),
        (1, 10**6, 1, True),
        (1, 10**6, 2, False),
    ],
)
def test_a_link_is_a_tenth_of_the_union_or_more_than_half_of_one(
    shared, true_area, pred_area, linked
):
    """The other prediction is linked for sure, so that a link shows as a split."""
    table = table_of([[shared, 20]], [true_area], [pred_area, 30])
    expected = ["split"] * 2 if linked else ["spurious"] * 2
    assert found(table, [])[1] == expected
    swapped = table_of([[shared], [20]], [pred_area, 30], [true_area])
    assert found(swapped, [])[0] == (["merged"] * 2 if linked else ["missed"] * 2)


def test_a_matched_object_brings_its_partner():
    """A crumb in cell 1, and a cell that the match of cell 1 swallows: two events."""
    table = table_of([[80, 9], [9, 0]], [100, 9], [100, 9])
    true_kind, pred_kind, true_event, pred_event = found(table)
    assert (true_kind, pred_kind) == (["matched", "merged"], ["matched", "split"])
    assert true_event == [1, 2]
    assert pred_event == [2, 1]


def test_a_match_within_a_catastrophe_stays_a_match():
    """Cell 1 and its match are linked with both a further prediction and a further cell."""
    table = table_of([[60, 20], [20, 20]], [90, 50], [90, 45])
    true_kind, pred_kind, true_event, pred_event = found(table)
    assert (true_kind, pred_kind) == (["matched", "catastrophe"], ["matched", "catastrophe"])
    assert true_event == pred_event == [1, 1]


def test_a_chain_is_one_event():
    """Cells and predictions shifted by half a cell: each overlaps the next."""
    shared = np.eye(5, 5) * 40 + np.eye(5, 5, 1) * 40
    table = table_of(shared, [100] * 5, [100] * 5)
    assert found(table) == (["catastrophe"] * 5, ["catastrophe"] * 5, [1] * 5, [1] * 5)


def test_matches_part_a_chain():
    """The third cell is found, so what is left and right of it has to do with it alone."""
    shared = np.eye(5, 5) * 40 + np.eye(5, 5, 1) * 40
    shared[2, 2], shared[2, 3], shared[1, 2] = 80, 20, 20
    table = table_of(shared, [100] * 5, [100] * 5)
    true_kind, pred_kind, *_ = found(table)
    assert true_kind == ["catastrophe"] * 2 + ["matched"] + ["catastrophe"] * 2
    assert pred_kind == ["catastrophe"] * 2 + ["matched"] + ["catastrophe"] * 2


def test_the_kind_of_each_event():
    shared = np.zeros((5, 5))
    shared[0, 0:2], shared[1:3, 2], shared[3:5, 3:5] = 40, 40, 30
    result = kinds(table_of(shared, [90] * 5, [90] * 5), np.empty(0, int))
    assert result.event_kind.tolist() == [SPLIT, MERGED, CATASTROPHE]
    assert result.true_event.tolist() == [1, 2, 2, 3, 3]
    assert result.pred_event.tolist() == [1, 1, 2, 3, 3]
    nothing = kinds(table_of([], [5], []), np.empty(0, int))
    assert nothing.event_kind.tolist() == []


def test_types():
    result = kinds(table_of([[45, 45]], [100], [45, 45]), np.empty(0, int))
    assert result.true_kind.dtype == result.pred_kind.dtype == np.int8
    assert result.true_event.dtype == result.pred_event.dtype == np.int64


@st.composite
def tables(draw):
    """Draw objects and overlaps that an image could have, many of them about the link's edge."""
    n, m = draw(st.integers(0, 5)), draw(st.integers(0, 5))
    pixels = st.sampled_from([0, 0, 0, 1, 5, 10, 50])
    shared = np.array(draw(st.lists(pixels, min_size=n * m, max_size=n * m)), int).reshape(n, m)
    rest = st.integers(1, 40)
    alone_true = draw(st.lists(rest, min_size=n, max_size=n))
    alone_pred = draw(st.lists(rest, min_size=m, max_size=m))
    return table_of(
        shared,
        shared.sum(1).astype(int) + np.array(alone_true, int),
        shared.sum(0).astype(int) + np.array(alone_pred, int),
    )


@settings(max_examples=200, deadline=None)
@given(table=tables(), strict=st.booleans())
def test_kinds_add_up_and_events_have_the_objects_they_are_named_for(table, strict):
    [matched] = match(table, [HALF], strict=strict)
    result = kinds(table, matched)
    n_true = np.bincount(result.true_kind, minlength=5)
    n_pred = np.bincount(result.pred_kind, minlength=5)
    assert n_true.sum() == table.n_true
    assert n_pred.sum() == table.n_pred
    assert n_true[0] == n_pred[0] == len(matched)
    assert set(table.pair_true[matched]) == set(np.flatnonzero(result.true_kind == 0))
    assert set(table.pair_pred[matched]) == set(np.flatnonzero(result.pred_kind == 0))
    numbers = set(result.true_event.tolist()) | set(result.pred_event.tolist())
    assert numbers - {0} == set(range(1, len(result.event_kind) + 1))
    for number, kind in enumerate(result.event_kind, start=1):
        for own in (
            result.true_kind[result.true_event == number],
            result.pred_kind[result.pred_event == number],
        ):
            assert set(own.tolist()) <= {0, kind}
    # Who is neither matched nor in an event is missed or spurious, and the other way round.
    assert ((result.true_kind == 1) <= (result.true_event == 0)).all()
    assert ((result.pred_event == 0) <= (result.pred_kind <= 1)).all()


@settings(max_examples=100, deadline=None)
@given(table=tables(), data=st.data())
def test_truth_and_prediction_swapped_swap_splits_and_merges(table, data):
    order = np.lexsort((table.pair_true, table.pair_pred))
    swapped = Contingency(
        table.pred_ids,
        table.pred_areas,
        table.true_ids,
        table.true_areas,
        table.pair_pred[order],
        table.pair_true[order],
        table.intersection[order],
    )
    [matched] = match(table, [HALF], strict=True)
    result = kinds(table, matched)
    other = kinds(swapped, np.flatnonzero(np.isin(order, matched)))
    as_swapped = np.array([0, 1, MERGED, SPLIT, CATASTROPHE])
    assert other.true_kind.tolist() == as_swapped[result.pred_kind].tolist()
    assert other.pred_kind.tolist() == as_swapped[result.true_kind].tolist()
    assert sorted(as_swapped[other.event_kind]) == sorted(result.event_kind)


def test_a_long_chain_needs_no_matrix():
    n = 100_000
    at = np.arange(n)
    table = Contingency(
        true_ids=(at + 1).astype(np.uint64),
        true_areas=np.full(n, 10),
        pred_ids=(at + 1).astype(np.uint64),
        pred_areas=np.full(n, 10),
        pair_true=np.repeat(at, 2)[1:],
        pair_pred=np.repeat(at, 2)[:-1],
        intersection=np.full(2 * n - 1, 4),
    )
    result = kinds(table, np.empty(0, int))
    assert (result.true_kind == CATASTROPHE).all()
    assert result.event_kind.tolist() == [CATASTROPHE]
