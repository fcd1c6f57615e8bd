from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from benchmark.scoring import score
from benchmark.scoring.objects import pieces


def worked_example():
    """A cell with a crumb, one missed, two merged into one, and a prediction from nowhere."""
    truth, prediction = np.zeros((2, 9, 40), np.uint32)
    truth[2:6, 2:12], prediction[2:6, 2:10], prediction[2:6, 11] = 9, 4, 70_000
    truth[7, 0:3] = 2
    truth[2:6, 16:20], truth[2:6, 21:26], prediction[2:6, 16:26] = 5, 2**31, 6
    prediction[1:3, 36:40] = 8
    return truth, prediction


COLUMNS = [
    "label",
    "area",
    "kind",
    "match",
    "iou",
    "best",
    "best_iou",
    "event",
    "pieces",
    "boundary_mean",
    "hausdorff_95",
    "boundary_f1",
    "boundary_bias",
]


def test_true_objects_by_hand():
    table = score(*worked_example()).true_objects
    assert list(table) == COLUMNS
    assert table["label"].tolist() == [2, 5, 9, 2**31]
    assert table["area"].tolist() == [3, 16, 40, 20]
    assert table["kind"].tolist() == ["missed", "merged", "matched", "matched"]
    assert table["match"].tolist() == [0, 0, 4, 6]
    assert table["iou"].tolist() == [0, 0, 32 / 40, 20 / 40]
    assert table["best"].tolist() == [0, 6, 4, 6]
    assert table["best_iou"].tolist() == [0, 16 / 40, 32 / 40, 20 / 40]
    assert table["pieces"].tolist() == [1, 1, 1, 1]
    merge, split = table["event"][1], table["event"][2]
    assert {merge, split} == {1, 2}
    assert table["event"].tolist() == [0, merge, split, merge]
    for figure in COLUMNS[9:]:
        assert table[figure].isna().tolist() == [True, True, False, False]
    # The crumb's column and the gap before it are missing: 8 of 10 columns were found.
    assert table["boundary_bias"][2] < 0 < table["boundary_bias"][3]


def test_pred_objects_by_hand():
    result = score(*worked_example())
    table, truth = result.pred_objects, result.true_objects
    assert list(table) == COLUMNS
    assert table["label"].tolist() == [4, 6, 8, 70_000]
    assert table["area"].tolist() == [32, 40, 8, 4]
    assert table["kind"].tolist() == ["matched", "matched", "spurious", "split"]
    assert table["match"].tolist() == [9, 2**31, 0, 0]
    assert table["iou"].tolist() == [0.8, 0.5, 0, 0]
    assert table["best"].tolist() == [9, 2**31, 0, 9]
    assert table["best_iou"].tolist() == [0.8, 0.5, 0, 0.1]
    split, merge = table["event"][0], table["event"][1]
    assert table["event"].tolist() == [split, merge, 0, split]
    # A pair has one outline distance, whichever side it is read from.
    for figure in COLUMNS[9:]:
        assert table[figure][:2].tolist() == truth[figure][[2, 3]].tolist()


def test_events_by_hand():
    result = score(*worked_example())
    events = {event["kind"]: event for event in result.events}
    assert events["split"] == {"kind": "split", "true": [9], "pred": [4, 70_000]}
    assert events["merged"] == {"kind": "merged", "true": [5, 2**31], "pred": [6]}
    assert (result.splits, result.merges, result.catastrophes) == (1, 1, 0)
    for table, side in ((result.true_objects, "true"), (result.pred_objects, "pred")):
        for label, number in zip(table["label"], table["event"], strict=True):
            if number:
                assert label in result.events[number - 1][side]


def test_a_match_is_in_the_event_of_its_partner_too():
    """A crumb in cell 1, whose match swallows cell 2: a split and a merge, each of three."""
    truth = np.repeat([1, 1, 1, 2, 0], [80, 12, 8, 9, 3])
    prediction = np.repeat([5, 6, 0, 5, 5], [80, 12, 8, 9, 3])
    result = score(truth, prediction)
    assert result.events == [
        {"kind": "split", "true": [1], "pred": [5, 6]},
        {"kind": "merged", "true": [1, 2], "pred": [5]},
    ]
    assert result.true_objects["event"].tolist() == [1, 2]
    assert result.pred_objects["event"].tolist() == [2, 1]


def test_no_events_and_no_objects():
    nothing = np.zeros((3, 3), int)
    result = score(nothing, nothing)
    assert result.events == []
    assert len(result.true_objects) == len(result.pred_objects) == 0
    assert list(result.true_objects) == COLUMNS
    assert result.true_objects["label"].dtype == np.uint64


def test_of_equal_ious_the_best_is_the_lower_id():
    truth, prediction = np.ones(8, int), np.repeat([7, 3], 4)
    result = score(truth, prediction, strict=True)
    assert result.true_objects["best"].tolist() == [3]
    assert result.pred_objects["best"].tolist() == [1, 1]
    assert result.true_objects["match"].tolist() == [0]


def test_pieces_by_hand():
    labels = np.zeros((5, 7), np.uint16)
    labels[0, 0] = labels[1, 1] = 3  # share a corner
    labels[3, 0] = labels[3, 2] = labels[3, 4] = 9
    labels[3, 1] = 4  # lies between two pieces of another, and touches both
    labels[0, 5:] = 2
    assert pieces(labels, np.array([2, 3, 4, 9], np.uint64)).tolist() == [1, 1, 1, 3]
    assert pieces(labels, np.array([9], np.uint64)).tolist() == [3]


def test_objects_that_touch_are_no_pieces_of_one():
    labels = np.array([[1, 2, 1], [2, 1, 2]])
    assert pieces(labels, np.array([1, 2], np.uint64)).tolist() == [1, 1]
    assert pieces(labels[0], np.array([1, 2], np.uint64)).tolist() == [2, 1]


@pytest.mark.parametrize(
    ("kind", "top"),
    [
        ("u1", 255),
        ("i1", 127),
        (">u2", 65_535),
        ("<i4", 2**31 - 1),
        (">i8", 2**63 - 1),
        ("u8", 2**64 - 1),
        (">u8", 2**63 + 12_345),
    ],
)
def test_pieces_of_the_largest_ids(kind, top):
    labels = np.array([[top, 0, top, 0, top], [0, 0, 0, 0, 1]], kind)
    assert pieces(labels, np.array([1, top], np.uint64)).tolist() == [1, 3]
    assert pieces(np.asfortranarray(labels), np.array([1, top], np.uint64)).tolist() == [1, 3]
    assert pieces(labels.T, np.array([1, top], np.uint64)).tolist() == [1, 3]


def test_fragments_are_counted_on_each_side():
    truth = np.array([[1, 0, 1, 0, 2], [0, 0, 0, 0, 2]])
    prediction = np.array([[1, 1, 1, 0, 2], [3, 0, 3, 0, 3]])
    result = score(truth, prediction)
    assert (result.fragmented_true, result.fragmented_pred) == (1, 1)
    assert result.true_objects["pieces"].tolist() == [2, 1]
    assert result.pred_objects["pieces"].tolist() == [1, 1, 3]
    assert result.to_dict()["fragmented_true"] == 1


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_pieces_are_those_of_each_mask_alone(data):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=6))
    ids = [0, 0, 1, 2, 2**64 - 1]
    labels = data.draw(hnp.arrays(np.uint64, shape, elements=st.sampled_from(ids)))
    present = np.unique(labels[labels > 0])
    touching = np.ones((3,) * labels.ndim)
    expected = [ndimage.label(labels == one, touching)[1] for one in present]
    assert pieces(labels, present).tolist() == expected
