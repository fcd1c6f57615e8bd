from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from benchmark.errors import LabelError
from benchmark.scoring import contingency as module
from benchmark.scoring import scan
from benchmark.scoring.contingency import contingency, without


def table_of(truth, prediction):
    """Return what a Contingency says as dictionaries keyed by id."""
    table = contingency(truth, prediction)
    pairs = zip(
        table.true_ids[table.pair_true].tolist(),
        table.pred_ids[table.pair_pred].tolist(),
        strict=True,
    )
    return (
        dict(zip(table.true_ids.tolist(), table.true_areas.tolist(), strict=True)),
        dict(zip(table.pred_ids.tolist(), table.pred_areas.tolist(), strict=True)),
        dict(zip(pairs, table.intersection.tolist(), strict=True)),
    )


def counted(truth, prediction):
    """Count the same pixel by pixel."""
    true_areas, pred_areas, shared = {}, {}, {}
    for t, p in zip(truth.ravel().tolist(), prediction.ravel().tolist(), strict=True):
        if t:
            true_areas[t] = true_areas.get(t, 0) + 1
        if p:
            pred_areas[p] = pred_areas.get(p, 0) + 1
        if t and p:
            shared[t, p] = shared.get((t, p), 0) + 1
    return true_areas, pred_areas, shared


def test_by_hand():
    truth = np.array([[1, 1, 0, 0], [1, 1, 2, 2], [0, 0, 2, 2]], np.uint8)
    prediction = np.array([[5, 5, 5, 0], [5, 5, 5, 9], [0, 0, 7, 0]], np.uint16)
    assert table_of(truth, prediction) == (
        {1: 4, 2: 4},
        {5: 6, 7: 1, 9: 1},
        {(1, 5): 4, (2, 5): 1, (2, 9): 1, (2, 7): 1},
    )
    table = contingency(truth, prediction)
    assert table.union.tolist() == [6, 9, 4, 4]
    assert table.iou.tolist() == [4 / 6, 1 / 9, 1 / 4, 1 / 4]


IDS = st.sampled_from([0, 0, 0, 1, 2, 3, 200, 255, 70_000, 2**40, 2**63 - 1])


@settings(max_examples=150, deadline=None)
@given(data=st.data(), block=st.sampled_from([1, 2, 3, 7, 1 << 18]))
def test_counts_as_one_would_pixel_by_pixel(data, block):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=5))
    truth = data.draw(hnp.arrays(np.int64, shape, elements=IDS))
    prediction = data.draw(hnp.arrays(np.uint64, shape, elements=IDS))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BLOCK", block)
        assert table_of(truth, prediction) == counted(truth, prediction)


KINDS = ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8")


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("kind", KINDS)
def test_any_integer_type_and_byte_order_gives_the_same_table(kind, order):
    generator = np.random.default_rng(0)
    truth, prediction = generator.integers(0, 100, (2, 20, 30))
    expected = table_of(truth, prediction)
    assert table_of(truth.astype(order + kind), prediction) == expected
    assert table_of(truth, prediction.astype(order + kind)) == expected


@pytest.mark.parametrize("true_kind", KINDS)
@pytest.mark.parametrize("pred_kind", [">i2", "<i4", ">u4", "u1", "u8"])
def test_any_two_types_together(true_kind, pred_kind):
    """The largest id of each type too, which may be a negative one of another."""
    top_true, top_pred = np.iinfo(true_kind).max, np.iinfo(pred_kind).max
    truth = np.array([0, 1, top_true, top_true, 2], true_kind)
    prediction = np.array([top_pred, top_pred, 0, 1, 2], pred_kind)
    assert table_of(truth, prediction) == counted(truth, prediction)


def test_arrays_longer_than_a_block_of_two_types():
    size = 2 * module._BLOCK + 5
    truth = (np.arange(size, dtype=np.int32) // 1000 * 7 % 5000).astype(">i4")
    prediction = np.roll(truth, 300).astype(np.int16)
    expected = contingency(truth.astype(np.int32), prediction.astype(np.int32))
    table = contingency(truth, prediction)
    for name, column in vars(expected).items():
        np.testing.assert_array_equal(getattr(table, name), column, err_msg=name)
    assert table.true_areas.sum() == np.count_nonzero(truth)
    assert table.pred_areas.sum() == np.count_nonzero(prediction)
    assert table.intersection.sum() == np.count_nonzero((truth != 0) & (prediction != 0))


def test_ids_and_pairs_are_in_order():
    """Also those that fill the table of pairs, and ids whose order as signed numbers is another."""
    generator = np.random.default_rng(3)
    ids = np.sort(generator.integers(1, 2**64, 300, np.uint64, endpoint=False))
    truth, prediction = generator.choice(ids, (2, 4000))
    table = contingency(truth, prediction)
    assert table.true_ids.tolist() == np.unique(truth).tolist()
    assert table.pred_ids.tolist() == np.unique(prediction).tolist()
    pairs = list(zip(table.pair_true.tolist(), table.pair_pred.tolist(), strict=True))
    assert pairs == sorted(set(pairs))
    assert table_of(truth, prediction) == counted(truth, prediction)


def test_memory_layout_does_not_matter():
    generator = np.random.default_rng(1)
    truth, prediction = generator.integers(0, 9, (2, 12, 14))
    expected = table_of(truth, prediction)
    assert table_of(np.asfortranarray(truth), prediction) == expected
    assert table_of(np.repeat(truth, 2, axis=1)[:, ::2], prediction) == expected
    assert table_of(truth[::-1, ::-1], prediction[::-1, ::-1]) == expected
    assert table_of(truth.T, prediction.T) == expected
    assert table_of(truth.ravel()[::2], prediction.ravel()[::2]) == counted(
        truth.ravel()[::2], prediction.ravel()[::2]
    )
    unaligned = np.frombuffer(b"." + truth.tobytes(), truth.dtype, offset=1).reshape(12, 14)
    assert not unaligned.flags.aligned
    assert table_of(unaligned, prediction) == expected


def test_the_pass_is_compiled_once_for_arrays_that_can_be_written_and_others():
    """As images are that were mapped into memory, or decoded by Pillow."""
    labels = np.array([[1, 1, 0], [2, 2, 2]], np.uint16)
    locked = labels.copy()
    locked.flags.writeable = False
    contingency(labels, labels)
    known = len(scan._scan.signatures)
    contingency(locked, labels)
    contingency(labels, locked)
    contingency(labels.astype(">u2"), labels)
    assert len(scan._scan.signatures) == known
    assert labels.flags.writeable


def test_one_number_in_place_of_an_array():
    """A view in which all pixels are one place in memory."""
    everywhere = np.broadcast_to(np.uint16(3), (4, 5))
    assert table_of(everywhere, np.ones((4, 5), int)) == ({3: 20}, {1: 20}, {(3, 1): 20})


def test_a_kind_of_array_of_its_own():
    class Stack(np.ndarray):
        pass

    truth = np.array([[1, 2], [0, 2]])
    assert table_of(truth.view(Stack), truth) == table_of(truth, truth)


def test_an_image_without_background_loses_no_object():
    truth = np.array([[3, 3], [4, 4]])
    table = contingency(truth, truth)
    assert (table.n_true, table.n_pred) == (2, 2)
    assert table.intersection.tolist() == [2, 2]


def test_255_objects_in_eight_bits():
    truth = np.arange(256, dtype=np.uint8).reshape(16, 16)
    table = contingency(truth, truth)
    assert table.n_true == 255
    assert table.intersection.tolist() == [1] * 255


def test_ids_up_to_the_largest():
    truth = np.array([0, 2**40, 2**40 + 1, 2**64 - 1], np.uint64)
    prediction = np.array([0, 1, 1, 2**63], np.uint64)
    assert table_of(truth, prediction) == (
        {2**40: 1, 2**40 + 1: 1, 2**64 - 1: 1},
        {1: 2, 2**63: 1},
        {(2**40, 1): 1, (2**40 + 1, 1): 1, (2**64 - 1, 2**63): 1},
    )


def test_ids_that_agree_in_their_low_bits_stay_apart():
    truth = np.array([1, 1 + 2**16, 1 + 2**32, 1 + 2**48])
    assert contingency(truth, truth).n_true == 4


def test_fragments_of_one_id_are_one_object():
    table = contingency(np.array([1, 0, 1, 0, 1]), np.array([2, 2, 2, 2, 2]))
    assert table.true_areas.tolist() == [3]
    assert table.intersection.tolist() == [3]


def test_nothing_at_all():
    for shape in [(0,), (0, 4), (3, 0, 2), (5, 5), (1, 1, 1)]:
        table = contingency(np.zeros(shape, np.int32), np.zeros(shape, np.uint8))
        assert (table.n_true, table.n_pred, len(table.intersection)) == (0, 0, 0)


GOOD = np.zeros((2, 3), np.uint16)


@pytest.mark.parametrize(
    ("labels", "what"),
    [
        (np.array([[0, -1, 1], [0, 0, -7]]), "negative id -7"),
        (np.array([[0, -1, 1], [0, 0, 0]], np.int8), "negative id -1"),
        (np.zeros((2, 3)), "type float64"),
        (np.full((2, 3), np.nan, np.float32), "type float32 and holds NaN or infinity"),
        (np.zeros((2, 3), bool), "boolean mask"),
        (np.zeros((2, 3), complex), "type complex128"),
        (np.zeros((2, 3), object), "type object"),
        ([[0, 0, 0], [0, 0, 0]], "of type list"),
        (None, "of type NoneType"),
        (np.ma.masked_equal(GOOD, 0), "of type MaskedArray"),
        (np.zeros((3, 2), np.uint16), r"shape \(\d, \d\)"),
        (np.zeros((2, 3, 1), np.uint16), "shape"),
        (np.zeros((0, 3), np.uint16), "shape"),
        (np.zeros((2, 3), "m8[s]"), "type timedelta64"),
        (np.zeros((2, 3), "U1"), "type <U1"),
        (np.zeros((2, 3), [("id", int)]), "type "),
        (np.array([[0, 1, 2], [1, 2, 3]]).view(np.matrix), "of type matrix"),
        (np.uint16(3), "of type uint16"),
        (np.zeros((2, 3), np.float16), r"type float16\n"),
        (np.full((2, 3), np.inf), "type float64 and holds NaN or infinity"),
    ],
)
def test_what_is_no_label_image_is_refused(labels, what):
    with pytest.raises(LabelError, match=what) as caught:
        contingency(labels, GOOD)
    assert caught.value.mend
    if "shape" not in what:
        assert caught.value.what.startswith("truth")
    with pytest.raises(LabelError, match=what) as caught:
        contingency(GOOD, labels)
    if "shape" not in what:
        assert caught.value.what.startswith("prediction")


@pytest.mark.parametrize("other_kind", KINDS)
@pytest.mark.parametrize("kind", ["i1", "i2", "i4", "i8", ">i2", ">i4", ">i8"])
def test_negative_ids_of_each_type_are_refused_beside_any_other(kind, other_kind):
    other = np.array([0, 1, 1, 2, 100], other_kind)
    for lowest in (-1, np.iinfo(kind).min):
        bad = np.array([0, 5, lowest, -1, 5], kind)
        with pytest.raises(LabelError, match=f"truth has the negative id {lowest}\n"):
            contingency(bad, other)
        with pytest.raises(LabelError, match=f"prediction has the negative id {lowest}\n"):
            contingency(other, bad)


@pytest.mark.parametrize("shape", [(), (1, 1, 2, 3), (0, 0, 0, 0)])
def test_more_axes_than_three_or_none_are_refused(shape):
    labels = np.zeros(shape, np.uint8)
    with pytest.raises(LabelError, match=f"{len(shape)} axes") as caught:
        contingency(labels, labels)
    assert caught.value.mend


def test_both_empty_but_of_different_shapes_is_refused():
    with pytest.raises(LabelError, match=r"truth has shape \(4, 4\), prediction \(4, 5\)"):
        contingency(np.zeros((4, 4), int), np.zeros((4, 5), int))
    with pytest.raises(LabelError, match=r"truth has shape \(16,\), prediction \(4, 4\)"):
        contingency(np.zeros(16, int), np.zeros((4, 4), int))


def test_objects_left_out_are_background():
    generator = np.random.default_rng(5)
    truth, prediction = generator.integers(0, 9, (2, 15, 15))
    gone = [np.array(ids, np.uint64) for ids in ([1, 4, 5, 77], [8, 2])]
    rest = without(contingency(truth, prediction), *gone)
    expected = contingency(
        np.where(np.isin(truth, gone[0]), 0, truth),
        np.where(np.isin(prediction, gone[1]), 0, prediction),
    )
    for name, column in vars(expected).items():
        np.testing.assert_array_equal(getattr(rest, name), column, err_msg=name)
    assert rest.union.tolist() == expected.union.tolist()
    nobody = np.array([], np.uint64)
    assert without(expected, nobody, nobody).iou.tolist() == expected.iou.tolist()
    assert without(expected, expected.true_ids, expected.pred_ids).n_pred == 0


def test_inputs_are_left_as_they_were():
    truth, prediction = np.array([1, 0, 2]), np.array([2, 2, 0])
    for array in (truth, prediction):
        array.flags.writeable = False
    contingency(truth, prediction)
