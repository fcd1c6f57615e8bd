from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from benchmark.errors import LabelError
from benchmark.scoring.labels import as_unsigned, in_border, require_labels, require_positive


@pytest.mark.parametrize("kind", ["i1", "u1", ">i2", "<u4", "i8", ">u8"])
def test_every_integer_type_is_taken(kind):
    require_labels(np.zeros((2, 2), kind), "truth")


@pytest.mark.parametrize(
    ("labels", "what", "mend"),
    [
        ([[0, 1]], "truth is of type list", "numpy.asarray"),
        (np.ma.array([1, 2]), "truth is of type MaskedArray", "fill a masked array"),
        (np.array([[1, 2]]).view(np.matrix), "truth is of type matrix", "numpy.asarray"),
        (np.int64(3), "truth is of type int64", "numpy.asarray"),
        (np.array([True]), "boolean mask", "label"),
        (np.array([1.0]), "type float64\n", "astype"),
        (np.array([1.0, np.nan]), "holds NaN", "astype"),
        (np.array([1j]), "type complex128\n", "astype"),
        (np.array(["a"]), "type <U1\n", "astype"),
        (np.array([None]), "type object\n", "astype"),
        (np.array([], float), "type float64\n", "astype"),
    ],
)
def test_what_is_no_label_image_is_refused_with_a_cure(labels, what, mend):
    with pytest.raises(LabelError, match=what) as caught:
        require_labels(labels, "truth")
    assert mend in caught.value.mend


def wider(*kinds):
    """Return each type with each width in bytes that its labels may be given."""
    return [
        (kind, width)
        for kind in kinds
        for width in (1, 2, 4, 8)
        if np.dtype(kind).itemsize <= width
    ]


@pytest.mark.parametrize(("kind", "width"), wider("i1", "u1", ">i2", "<i4", ">u4", "i8", "u8"))
def test_unsigned_ids_keep_positive_ones_and_part_the_others(kind, width):
    info = np.iinfo(kind)
    labels = np.array([0, 1, info.max, info.min], kind)
    unsigned = as_unsigned(labels, width)
    assert unsigned.dtype == f"u{width}"
    assert unsigned.tolist() == [0, 1, info.max, info.min % 2 ** (8 * width)]


@pytest.mark.parametrize(("kind", "width"), wider("i1", "i2", "i4", "i8"))
def test_negative_ids_are_named_by_the_lowest(kind, width):
    lowest = np.iinfo(kind).min
    for ids in ([3, -1], [-2, -1], [1, lowest, -1], [lowest]):
        found = np.sort(as_unsigned(np.array(ids, kind), width)).astype(np.uint64)
        with pytest.raises(LabelError, match=f"truth has the negative id {min(ids)}\n") as caught:
            require_positive(found, np.dtype(kind), width, "truth")
        assert "set ignored pixels to 0" in caught.value.mend


def test_high_ids_of_an_unsigned_type_are_fine():
    require_positive(np.array([255], np.uint64), np.dtype("u1"), 1, "truth")
    require_positive(np.array([2**64 - 1], np.uint64), np.dtype("u8"), 8, "truth")
    require_positive(np.array([127], np.uint64), np.dtype("i1"), 1, "truth")
    require_positive(np.array([2**63 - 1], np.uint64), np.dtype("i8"), 8, "truth")
    require_positive(np.array([], np.uint64), np.dtype("i1"), 1, "truth")


def test_the_border_by_hand():
    labels = np.zeros((7, 8), np.int16)
    labels[3, 3], labels[2, 2], labels[1, 4], labels[3, 6], labels[5, 3] = 1, 2, 3, 4, 5
    labels[4, 4] = 3  # a second piece inside
    assert in_border(labels, 1).tolist() == []
    assert in_border(labels, 2).tolist() == [3, 4, 5]
    assert in_border(labels, 3).tolist() == [2, 3, 4, 5]
    assert in_border(labels, 4).tolist() == [1, 2, 3, 4, 5]


@settings(max_examples=60, deadline=None)
@given(data=st.data(), width=st.integers(1, 4))
def test_the_border_is_all_but_the_inner_pixels(data, width):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=9))
    labels = data.draw(hnp.arrays(np.dtype(">u8"), shape, elements=st.integers(0, 2**64 - 1)))
    place = np.indices(shape)
    from_end = np.array(shape).reshape((-1,) + (1,) * labels.ndim) - 1 - place
    outer = (np.minimum(place, from_end) < width).any(axis=0)
    assert in_border(labels, width).tolist() == sorted(set(labels[outer].tolist()) - {0})
