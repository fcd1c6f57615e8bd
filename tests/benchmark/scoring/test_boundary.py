from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from benchmark.errors import BenchError
from benchmark.scoring.boundary import Boundaries, boundaries, units
from benchmark.scoring.contingency import contingency

FIELDS = ("mean", "hausdorff_95", "f1", "bias")


def measured(truth, prediction, pairs=None, **units):
    """Return the figures of all overlapping pairs, or of some, as rows of an array."""
    table = contingency(truth, prediction)
    if pairs is None:
        pairs = np.arange(len(table.pair_true))
    result = boundaries(truth, prediction, table, pairs, **units)
    figures = np.array([getattr(result, name) for name in FIELDS])
    assert figures.dtype == np.float64
    return figures


def of_one(truth, prediction, **units):
    """Return the figures of the only pair."""
    (figures,) = measured(truth, prediction, **units).T
    return dict(zip(FIELDS, figures.tolist(), strict=True))


def square(low=2, high=7, size=9):
    labels = np.zeros((size, size), np.uint8)
    labels[low:high, low:high] = 1
    return labels


def by_transform(truth, prediction, spacing, tolerance):
    """Return the same figures by scipy's distance transform of whole images, pair by pair."""
    table = contingency(truth, prediction)
    rows = []
    for t, p in zip(table.pair_true, table.pair_pred, strict=True):
        ours, theirs = truth == table.true_ids[t], prediction == table.pred_ids[p]
        sides = []
        for one, other in ((ours, theirs), (theirs, ours)):
            here = one & ~ndimage.binary_erosion(one)
            there = other & ~ndimage.binary_erosion(other)
            away = ndimage.distance_transform_edt(~there, sampling=spacing)[here]
            sides.append((away, np.where(other[here], away, -away)))
        (true_away, true_signed), (pred_away, pred_signed) = sides
        n = len(true_away) + len(pred_away)
        recall, precision = (np.mean(away <= tolerance) for away in (true_away, pred_away))
        rows.append(
            [
                (true_away.sum() + pred_away.sum()) / n,
                max(np.percentile(true_away, 95), np.percentile(pred_away, 95)),
                2 * recall * precision / (recall + precision) if recall + precision else 0.0,
                (true_signed.sum() - pred_signed.sum()) / n,
            ]
        )
    return np.array(rows).reshape(-1, 4).T


def blobs(generator, shape, n, cell):
    """Return labels in blocks of some pixels with ragged edges: pieces, holes and thin bridges."""
    coarse = generator.integers(0, n, [-(-length // cell) for length in shape])
    for axis in range(len(shape)):
        coarse = np.repeat(coarse, cell, axis=axis)
    labels = coarse[tuple(slice(length) for length in shape)].copy()
    ragged = generator.random(shape) < 0.1
    labels[ragged] = generator.integers(0, n, np.count_nonzero(ragged))
    return labels


# By hand


def test_identical_outlines_are_no_distance_apart():
    exact = {"mean": 0, "hausdorff_95": 0, "f1": 1, "bias": 0}
    assert of_one(square(), square(), tolerance=0) == exact


def test_square_one_pixel_to_the_right():
    """Of 16 pixels, 5 on the left and 3 on the right are one pixel off, as far in as out."""
    truth = square()
    prediction = np.roll(truth, 1, axis=1)
    expected = {"mean": 0.5, "hausdorff_95": 1, "f1": 1, "bias": 0}
    assert of_one(truth, prediction) == expected
    assert of_one(truth, prediction, tolerance=0.99) == {**expected, "f1": 0.5}


@pytest.mark.parametrize("spacing", [1, 0.5, 3])
def test_dilated_by_a_pixel_the_bias_is_plus_one_pixel_and_eroded_minus_one(spacing):
    truth = square(3, 10, 13)
    larger = ndimage.binary_dilation(truth).astype(np.uint8)
    away = {"mean": spacing, "hausdorff_95": spacing}
    for tolerance, f1 in ((1, 1), (0.99, 0)):
        reach = {"spacing": spacing, "tolerance": tolerance * spacing}
        assert of_one(truth, larger, **reach) == {**away, "f1": f1, "bias": spacing}
        assert of_one(larger, truth, **reach) == {**away, "f1": f1, "bias": -spacing}


def test_one_pixel_and_three_in_a_row():
    truth, prediction = np.zeros((2, 5, 5), np.int32)
    truth[2, 2] = 1
    prediction[2, 1:4] = 1
    expected = {"mean": 0.5, "hausdorff_95": 1, "f1": 0.5, "bias": 0.5}
    assert of_one(truth, prediction, tolerance=0) == expected


def test_the_frame_is_outline():
    """An object that fills the image ends at the frame: 16 pixels around 8."""
    truth = np.ones((5, 5), np.int64)
    result = of_one(truth, square(1, 4, 5))
    mean = (12 + 4 * np.sqrt(2) + 8) / 24
    assert result["mean"] == pytest.approx(mean, rel=1e-15)
    assert result["bias"] == pytest.approx(-mean, rel=1e-15)


def test_a_hole_has_an_outline_and_filling_it_reaches_beyond_the_truth():
    filled = square()
    ring = filled.copy()
    ring[4, 4] = 0
    # Four of 20 pixels are one pixel from the outline of 16, which are none from that of 20.
    expected = {"mean": 4 / 36, "hausdorff_95": 1, "f1": 1, "bias": 4 / 36}
    assert of_one(ring, filled) == expected
    assert of_one(filled, ring) == {**expected, "bias": -4 / 36}


def test_percentile_is_interpolated():
    """Of the distances 0, 0 and 5, the one at rank 1.9 of 0 to 2 is 4.5."""
    truth, prediction = np.zeros((2, 1, 9), np.uint8)
    truth[0, :2] = 1
    prediction[0, [0, 1, 6]] = 1
    assert of_one(truth, prediction)["hausdorff_95"] == pytest.approx(4.5, rel=1e-15)


def test_one_plane_and_two_in_a_volume():
    truth, prediction = np.zeros((2, 4, 3, 3), np.uint16)
    truth[1] = prediction[1:3] = 7
    result = of_one(truth, prediction, spacing=(2, 0.5, 0.5))
    # 9 and 18 pixels, all outline; half of the 18 are a plane away, more than two fine pixels
    expected = {"mean": 2 / 3, "hausdorff_95": 2, "f1": 2 / 3, "bias": 2 / 3}
    assert result == pytest.approx(expected, rel=1e-15)


def test_an_axis_of_one_pixel_is_an_axis():
    """In a volume of one plane, every pixel has the outside above it."""
    truth = square()[None]
    prediction = np.roll(truth, 1, axis=2)
    assert of_one(truth, prediction)["mean"] == 0.2
    assert of_one(truth[0], prediction[0])["mean"] == 0.5


def test_a_distance_of_the_tolerance_is_within_whatever_the_unit():
    """3 * 0.1 > 0.3 and 0.3 / 0.1 < 3 as floats."""
    truth, prediction = np.zeros((2, 30), np.uint8)
    truth[5:20], prediction[8:23] = 1, 1
    for unit in (1, 0.1, 0.065, 1e-6, 7e5):
        assert of_one(truth, prediction, spacing=unit, tolerance=3 * unit)["f1"] == 1
    assert of_one(truth, prediction, spacing=0.1, tolerance=0.3)["f1"] == 1
    assert of_one(truth, prediction, spacing=0.1, tolerance=0.2999)["f1"] == 0


# Independent oracle


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_agrees_with_the_distance_transform_on_small_images(data):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=7))
    ids = st.integers(0, 3)
    truth, prediction = (data.draw(hnp.arrays(np.uint8, shape, elements=ids)) for _ in range(2))
    length = st.sampled_from([0.3, 0.5, 1.0, 2.7])
    spacing = data.draw(st.tuples(*[length] * len(shape)))
    tolerance = data.draw(st.sampled_from([0.0, 0.71, 1.9]))
    figures = measured(truth, prediction, spacing=spacing, tolerance=tolerance)
    expected = by_transform(truth, prediction, spacing, tolerance)
    np.testing.assert_allclose(figures, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("shape", "spacing"),
    [
        ((400,), 0.3),
        ((70, 90), 1),
        ((70, 90), (0.4, 1.1)),
        ((3, 300), (2.5, 0.7)),
        ((300, 3), (2.5, 0.7)),
        ((18, 24, 30), 1),
        ((9, 30, 40), (1.7, 0.31, 0.44)),
        ((40, 30, 4), (0.31, 0.44, 1.7)),
    ],
)
@pytest.mark.parametrize("cell", [1, 2, 9])
def test_agrees_with_the_distance_transform(shape, spacing, cell):
    generator = np.random.default_rng([*shape, cell])
    truth, prediction = (blobs(generator, shape, 5, cell) for _ in range(2))
    tolerance = 2.3 * np.min(spacing)
    figures = measured(truth, prediction, spacing=spacing, tolerance=tolerance)
    expected = by_transform(truth, prediction, spacing, tolerance)
    assert figures.shape[1] == 16 or len(shape) == 1
    np.testing.assert_allclose(figures, expected, rtol=1e-9, atol=1e-9)


def test_agrees_where_outlines_are_far_apart_and_in_pieces():
    """A search that has to cross empty rows and planes, before and behind and on either side."""
    truth, prediction = np.zeros((2, 30, 40, 50), np.uint8)
    truth[14:16, 19:21, 24:26] = 1
    truth[2, 3, 4] = truth[28, 38, 47] = 1
    grid = np.indices(truth.shape) - np.reshape([15, 20, 25], (3, 1, 1, 1))
    prediction[(grid**2).sum(axis=0) < 196] = 1
    for ours, theirs in ((truth, prediction), (prediction, truth)):
        figures = measured(ours, theirs, spacing=(1.5, 1, 1), tolerance=13.05)
        expected = by_transform(ours, theirs, (1.5, 1, 1), 13.05)
        np.testing.assert_allclose(figures, expected, rtol=1e-9)


def test_percentile_of_outlines_whose_distances_rise_and_fall():
    y, x = np.ogrid[:500, :500]
    truth, prediction = (
        ((y - 250) ** 2 + (x - middle) ** 2 < 200**2).astype(np.uint8) for middle in (240, 265)
    )
    figures = measured(truth, prediction)
    np.testing.assert_allclose(figures, by_transform(truth, prediction, 1, 2), atol=1e-9)


# Properties


@pytest.fixture(params=[(60, 70), (12, 25, 20)], ids=["2-D", "3-D"])
def images(request):
    generator = np.random.default_rng(len(request.param))
    truth, prediction = (blobs(generator, request.param, 9, 4) for _ in range(2))
    return truth.astype(np.uint8), prediction.astype(np.uint8)


@pytest.mark.parametrize(
    "dtype", ["u1", "i1", "<u2", ">u2", "<i4", ">i4", ">u4", "<u8", ">i8", "i8"]
)
def test_the_type_of_either_image_does_not_matter(images, dtype):
    truth, prediction = images
    expected = measured(truth, prediction)
    np.testing.assert_array_equal(measured(truth.astype(dtype), prediction), expected)
    np.testing.assert_array_equal(measured(truth, prediction.astype(dtype)), expected)


def test_the_layout_in_memory_does_not_matter(images, tmp_path):
    truth, prediction = images
    expected = measured(truth, prediction)
    wide = np.zeros([2 * length for length in truth.shape], np.uint8)
    every_second = wide[(slice(None, None, 2),) * truth.ndim]
    every_second[...] = truth
    backwards = np.flip(np.flip(truth).copy())
    frozen = prediction.copy()
    frozen.flags.writeable = False
    np.save(tmp_path / "truth.npy", truth)
    mapped = np.load(tmp_path / "truth.npy", mmap_mode="r")
    shifted = np.frombuffer(b"." + prediction.astype("<u4").tobytes(), "<u4", offset=1)
    unaligned = shifted.reshape(prediction.shape)
    assert not unaligned.flags.aligned
    for ours, theirs in (
        (every_second, prediction),
        (backwards, frozen),
        (np.asfortranarray(truth), np.asfortranarray(prediction)),
        (mapped, unaligned),
    ):
        np.testing.assert_array_equal(measured(ours, theirs), expected)
    assert truth.flags.writeable, "the caller's array is left as it is"


def test_ids_do_not_matter(images):
    """Permuted, sparse, and such that a careless hash puts all in one place."""
    truth, prediction = images
    table = contingency(truth, prediction)
    expected = measured(truth, prediction)
    generator = np.random.default_rng(1)
    for step in (1, 1 << 16, 1 << 32, 1 << 40, 3 << 57):
        renamed = []
        for labels in images:
            ids = np.append(0, generator.permutation(np.arange(1, 10))).astype(np.uint64)
            renamed.append((ids * np.uint64(step))[labels])
        other = contingency(*renamed)
        places = {
            tuple(np.unravel_index(np.argmax(pair), pair.shape)): k
            for k, pair in enumerate(
                (renamed[0] == other.true_ids[t]) & (renamed[1] == other.pred_ids[p])
                for t, p in zip(other.pair_true, other.pair_pred, strict=True)
            )
        }
        order = [
            places[tuple(np.unravel_index(np.argmax(pair), pair.shape))]
            for pair in (
                (truth == table.true_ids[t]) & (prediction == table.pred_ids[p])
                for t, p in zip(table.pair_true, table.pair_pred, strict=True)
            )
        ]
        np.testing.assert_array_equal(measured(*renamed, np.array(order)), expected)


def test_many_objects_of_sparse_ids():
    labels = (np.arange(1, 15_001, dtype=np.uint64) << np.uint64(49)).reshape(100, 150)
    labels = labels.repeat(2, axis=0).repeat(3, axis=1)
    figures = measured(labels, labels)
    np.testing.assert_array_equal(figures, np.repeat([[0.0], [0], [1], [0]], 15_000, axis=1))


def test_truth_and_prediction_exchanged_only_the_bias_changes_its_sign(images):
    truth, prediction = images
    there, back = contingency(truth, prediction), contingency(prediction, truth)
    order = np.lexsort((back.pair_true, back.pair_pred))
    np.testing.assert_array_equal(back.pair_pred[order], there.pair_true)
    forth = measured(truth, prediction, tolerance=1)
    returned = measured(prediction, truth, order, tolerance=1)
    np.testing.assert_array_equal(returned[:3], forth[:3])
    np.testing.assert_array_equal(returned[3], -forth[3])


def test_axes_exchanged_nothing_changes(images):
    truth, prediction = images
    spacing = (1.3, 0.4, 0.9)[: truth.ndim]
    expected = measured(truth, prediction, spacing=spacing)
    for turned in (0, 1):
        axes = np.roll(np.arange(truth.ndim), 1 + turned)
        again = measured(
            truth.transpose(axes), prediction.transpose(axes), spacing=np.take(spacing, axes)
        )
        np.testing.assert_allclose(again, expected, rtol=1e-12)


def test_lengths_scale_with_the_spacing_and_shares_do_not(images):
    truth, prediction = images
    spacing = np.array([0.25, 0.5, 1.5][: truth.ndim])
    figures = measured(truth, prediction, spacing=spacing)
    for factor in (0.5, 64, 1e-150, 1e150):
        scaled = measured(truth, prediction, spacing=factor * spacing)
        lengths = figures * np.array([[factor], [factor], [1], [factor]])
        np.testing.assert_allclose(scaled, lengths, rtol=1e-14)


def test_background_around_the_image_changes_only_what_touches_the_frame():
    truth, prediction = square(), np.roll(square(), 1, axis=0)
    wide = [np.pad(labels, ((3, 40), (7, 1))) for labels in (truth, prediction)]
    np.testing.assert_array_equal(measured(*wide), measured(truth, prediction))


def test_pairs_come_in_the_order_asked_for_and_may_share_an_object(images):
    truth, prediction = images
    every = measured(truth, prediction)
    pairs = np.random.default_rng(0).integers(0, every.shape[1], 30)
    np.testing.assert_array_equal(measured(truth, prediction, pairs), every[:, pairs])


def test_no_pair_is_no_figure():
    table = contingency(square(), np.zeros_like(square()))
    result = boundaries(square(), np.zeros_like(square()), table, np.empty(0, np.intp))
    assert isinstance(result, Boundaries)
    assert all(getattr(result, name).shape == (0,) for name in FIELDS)
    nothing = np.zeros((0, 4), np.uint8)
    assert measured(nothing, nothing).shape == (4, 0)


# What is refused


@pytest.mark.parametrize(
    "spacing",
    [
        0,
        -1,
        np.nan,
        np.inf,
        (1, 0),
        (1, -0.5),
        (1, 2, 3),
        (1,),
        (),
        [[1, 1]],
        "fine",
        {"y": 1, "x": 1},
        1j,
        10**400,
    ],
    ids=repr,
)
def test_what_is_no_spacing_is_refused(spacing):
    with pytest.raises(BenchError, match=r"is no spacing of an image with 2 axes") as caught:
        measured(square(), square(), spacing=spacing)
    assert "such as (0.5, 0.5)" in caught.value.mend


def test_spacing_in_two_units_is_refused():
    with pytest.raises(BenchError, match=r"more than 1e\+06 times") as caught:
        measured(square(), square(), spacing=(1, 6.5e-8))
    assert "same unit" in caught.value.mend


@pytest.mark.parametrize("tolerance", [-0.1, np.nan, np.inf, "wide", (1, 1), 10**400], ids=repr)
def test_what_is_no_tolerance_is_refused(tolerance):
    with pytest.raises(BenchError, match="is no tolerance") as caught:
        measured(square(), square(), tolerance=tolerance)
    assert "unit of the spacing" in caught.value.mend


@pytest.mark.parametrize("shape", [(), (2, 2, 2, 2)])
def test_other_than_one_to_three_axes_are_refused(shape):
    labels = np.ones(shape, np.uint8)
    with pytest.raises(BenchError, match=f"the images have {len(shape)}"):
        measured(labels, labels)


def test_units_are_refused_even_without_a_pair():
    nothing = np.zeros((3, 3), np.uint8)
    with pytest.raises(BenchError, match="is no spacing"):
        measured(nothing, nothing, spacing=0)


def test_default_units():
    assert units(2, None, None) == ((1.0, 1.0), 2.0)
    assert units(3, np.array([3, 0.5, 1]), None) == ((3.0, 0.5, 1.0), 1.0)
