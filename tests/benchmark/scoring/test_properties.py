"""What must hold of the scores of any two images."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from benchmark.scoring import PROFILES, score
from benchmark.scoring.metrics import LISTS, NUMBERS

LOW_TOO = [0.1, 0.3, 0.45, 0.5, 0.6, 0.75, 0.9]
NAMES = st.sampled_from(sorted(PROFILES))
# Of the IDs alone depends which of several equal overlaps these take.
OF_TIES = {"aji", "aji_plus", "aji_cellpose"}
OF_OUTLINES = {"boundary_mean", "hausdorff_95", "boundary_f1", "boundary_bias"}
WITHOUT_TIES = sorted({*NUMBERS} - OF_TIES - OF_OUTLINES)


@st.composite
def pairs_of_labels(draw, min_dims=1, max_side=8, ids=4):
    """Draw an image, and a prediction that is anything or the truth with a few pixels changed."""
    shape = draw(hnp.array_shapes(min_dims=min_dims, max_dims=3, min_side=1, max_side=max_side))
    labels = hnp.arrays(np.uint8, shape, elements=st.integers(0, ids))
    truth, anything = draw(labels), draw(labels)
    if draw(st.booleans()):
        return truth, anything
    changed = draw(hnp.arrays(np.uint8, shape, elements=st.integers(0, 7), fill=st.just(0)))
    return truth, np.where(changed == 1, anything, truth)


def blobs(seed, shape=(40, 50), n=9):
    """Return two images of overlapping boxes, of which no two overlaps are equal by design."""
    generator = np.random.default_rng(seed)
    images = np.zeros((2, *shape), np.int64)
    for k in range(1, n + 1):
        low = generator.integers(0, np.array(shape) - 8)
        size = generator.integers(5, 14, len(shape))
        for image in images:
            start = np.maximum(low + generator.integers(-2, 3, len(shape)), 0)
            box = tuple(slice(a, a + s) for a, s in zip(start, size, strict=True))
            image[box] = k
    return images


def numbers(result, names=NUMBERS):
    return {name: getattr(result, name) for name in names}


def assert_same(found, expected, rel=1e-13):
    """Compare results as from `to_dict`; sums may have been added up in another order."""
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        if isinstance(value, dict):
            assert_same(found[name], value, rel)
        elif isinstance(value, list | tuple) and any(isinstance(one, float) for one in value):
            assert len(found[name]) == len(value)
            for one, other in zip(found[name], value, strict=True):
                assert one == other or one == pytest.approx(other, rel=rel, abs=1e-13), name
        elif isinstance(value, float):
            assert found[name] == pytest.approx(value, rel=rel, abs=1e-13, nan_ok=True), name
        else:
            assert found[name] == value, name


@settings(max_examples=60, deadline=None)
@given(pair=pairs_of_labels(), data=st.data())
def test_ids_do_not_matter(pair, data):
    new_ids = st.lists(st.integers(1, 2**64 - 1), min_size=4, max_size=4, unique=True).map(
        lambda ids: np.array([0, *ids], np.uint64)
    )
    relabelled = data.draw(new_ids)[pair[0]], data.draw(new_ids)[pair[1]]
    result, other = score(*pair, thresholds=LOW_TOO), score(*relabelled, thresholds=LOW_TOO)
    for name in (*LISTS, "true_kinds", "pred_kinds", "splits", "merges", "catastrophes"):
        assert str(getattr(result, name)) == str(getattr(other, name)), name
    assert_same(numbers(other, WITHOUT_TIES), numbers(result, WITHOUT_TIES), rel=1e-15)
    assert sorted(result.true_objects["area"]) == sorted(other.true_objects["area"])


@pytest.mark.parametrize("seed", range(6))
def test_ids_do_not_matter_to_any_figure_without_ties(seed):
    truth, prediction = blobs(seed)
    generator = np.random.default_rng(seed)
    true_ids, pred_ids = (np.array([0, *generator.permutation(9) + 1]) for _ in range(2))
    result, other = score(truth, prediction), score(true_ids[truth], pred_ids[prediction])
    assert other.table.true_areas.tolist() != result.table.true_areas.tolist()
    assert_same(numbers(other), numbers(result))


@settings(max_examples=60, deadline=None)
@given(pair=pairs_of_labels(), name=NAMES, data=st.data())
def test_ids_in_the_same_order_change_nothing_at_all(pair, name, data):
    """Down to which of two equal halves is matched."""
    ids = data.draw(st.lists(st.integers(1, 2**64 - 1), min_size=4, max_size=4, unique=True))
    new_ids = np.array([0, *sorted(ids)], np.uint64)
    result = score(new_ids[pair[0]], new_ids[pair[1]], profile=name).to_dict()
    expected = score(*pair, profile=name).to_dict()
    for side in ("true_objects", "pred_objects"):
        for column in ("label", "match", "best"):
            expected[side][column] = new_ids[expected[side][column]].tolist()
    for event in expected["events"]:
        event |= {side: new_ids[event[side]].tolist() for side in ("true", "pred")}
    assert result == expected


@settings(max_examples=80, deadline=None)
@given(pair=pairs_of_labels(), name=NAMES, data=st.data())
def test_type_byte_order_and_memory_do_not_matter(pair, name, data):
    expected = score(*pair, profile=name).to_dict()

    def disguised(labels):
        kind = data.draw(st.sampled_from(["u1", "i1", ">i2", "<u4", ">i4", "i8", ">u8"]))
        layout = data.draw(st.sampled_from(["C", "F", "strided", "reversed", "read-only"]))
        labels = labels.astype(kind, order="F" if layout == "F" else "C")
        if layout == "strided":
            labels = np.repeat(labels, 2, axis=-1)[..., ::2]
        if layout == "reversed":
            labels = labels[::-1].copy()[::-1]
        if layout == "read-only":
            labels.flags.writeable = False
        return labels

    assert score(*map(disguised, pair), profile=name).to_dict() == expected


@settings(max_examples=60, deadline=None)
@given(pair=pairs_of_labels(), strict=st.booleans())
def test_swapping_truth_and_prediction_swaps_the_errors(pair, strict):
    options = {"thresholds": LOW_TOO, "strict": strict}
    result, swapped = score(*pair, **options), score(*pair[::-1], **options)
    assert (result.tp, result.fp, result.fn) == (swapped.tp, swapped.fn, swapped.fp)
    both = ("pq", "sq", "rq", "mean_ap", "mean_f1", "mean_matched_iou", "foreground_iou")
    assert_same(numbers(swapped, both), numbers(result, both), rel=1e-15)
    np.testing.assert_array_equal(result.precision, swapped.recall)
    np.testing.assert_array_equal(result.recall, swapped.precision)
    assert (result.splits, result.merges) == (swapped.merges, swapped.splits)
    assert result.catastrophes == swapped.catastrophes
    assert list(result.true_kinds.values())[:2] == list(swapped.pred_kinds.values())[:2]
    assert result.true_kinds["split"] == swapped.pred_kinds["merged"]
    if strict:  # else one of two halves is matched, which may not be the same one
        sizes = ("boundary_mean", "hausdorff_95", "boundary_f1")
        assert_same(numbers(swapped, sizes), numbers(result, sizes))
        np.testing.assert_allclose(swapped.boundary_bias, -result.boundary_bias, atol=1e-13)


@settings(max_examples=60, deadline=None)
@given(pair=pairs_of_labels(), name=NAMES.filter("tissuenet".__ne__), strict=st.booleans())
def test_a_higher_threshold_never_gains(pair, name, strict):
    result = score(*pair, thresholds=LOW_TOO, profile=name, strict=strict)
    assert list(result.tp) == sorted(result.tp, reverse=True)
    assert list(result.fp) == sorted(result.fp)
    assert list(result.fn) == sorted(result.fn)


@settings(max_examples=60, deadline=None)
@given(pair=pairs_of_labels())
def test_strict_never_gains(pair):
    strict = score(*pair, thresholds=LOW_TOO, strict=True)
    result = score(*pair, thresholds=LOW_TOO)
    assert (np.array(strict.tp) <= result.tp).all()


@settings(max_examples=80, deadline=None)
@given(pair=pairs_of_labels(), name=NAMES)
def test_identities_of_each_profile(pair, name):
    assume(pair[0].any() or pair[1].any())
    result = score(*pair, profile=name)
    assume(result.n_true + result.n_pred)
    tp, fp, fn = (np.array(counts) for counts in (result.tp, result.fp, result.fn))
    assert (tp + fn == result.n_true).all()
    assert (tp + fp == result.n_pred).all()
    f1, ap = np.array(result.f1), np.array(result.ap)
    np.testing.assert_allclose(ap, f1 / (2 - f1), rtol=1e-14)
    for k, (p, r) in enumerate(zip(result.precision, result.recall, strict=True)):
        assert f1[k] == pytest.approx(2 * p * r / (p + r) if p + r else 0, rel=1e-14)
    assert result.pq == result.sq * result.rq
    assert result.mean_ap == pytest.approx(ap.mean(), rel=1e-14)
    assert result.mean_f1 == pytest.approx(f1.mean(), rel=1e-14)
    matched = result.mean_matched_iou * len(result.matched)
    assert result.mean_true_iou * result.n_true == pytest.approx(matched, rel=1e-14)
    for figure in {*NUMBERS} - OF_OUTLINES:
        assert 0 <= getattr(result, figure) <= 1


@settings(max_examples=60, deadline=None)
@given(pair=pairs_of_labels())
def test_f1_at_strict_one_half_is_recognition_quality(pair):
    result = score(*pair, thresholds=[0.5], strict=True)
    np.testing.assert_equal(result.f1, (result.rq,))
    np.testing.assert_equal(result.sq, result.mean_matched_iou)
    assert score(*pair, profile="pq").f1 == (score(*pair, profile="pq").rq,)
    at_half = score(*pair, profile="stardist")
    assert at_half.f1 == (at_half.rq,)


@settings(max_examples=80, deadline=None)
@given(pair=pairs_of_labels(), name=NAMES)
def test_kinds_add_up_to_the_counts(pair, name):
    result = score(*pair, profile=name)
    assert sum(result.true_kinds.values()) == result.n_true
    assert sum(result.pred_kinds.values()) == result.n_pred
    at = result.thresholds.index(0.5) if 0.5 in result.thresholds else 0
    errors = {"missed", "spurious", "split", "merged", "catastrophe"}
    assert result.true_kinds["matched"] == result.pred_kinds["matched"] == result.tp[at]
    assert sum(n for kind, n in result.true_kinds.items() if kind in errors) == result.fn[at]
    assert sum(n for kind, n in result.pred_kinds.items() if kind in errors) == result.fp[at]
    if not result.profile.any_overlap:
        assert len(result.events) == result.splits + result.merges + result.catastrophes
    for kinds, objects in (
        (result.true_kinds, result.true_objects),
        (result.pred_kinds, result.pred_objects),
    ):
        assert objects["kind"].value_counts().to_dict() == {k: n for k, n in kinds.items() if n}
        assert (objects["match"] > 0).tolist() == (objects["kind"] == "matched").tolist()
        # A match has the largest IoU there is, though another may have as much.
        matched = objects[objects["match"] > 0]
        assert matched["iou"].tolist() == matched["best_iou"].tolist()


@settings(max_examples=60, deadline=None)
@given(pair=pairs_of_labels(), width=st.integers(0, 5), name=NAMES)
def test_background_around_changes_nothing(pair, width, name):
    """But where objects at the border are left out, and then it brings them in."""
    padded = [np.pad(labels, width) for labels in pair]
    profile = replace(PROFILES[name], border=0)
    expected = score(*pair, profile=profile).to_dict()
    assert score(*padded, profile=profile).to_dict() == expected
    if width >= 2:
        assert score(*padded, profile=name).to_dict() == expected


@settings(max_examples=60, deadline=None)
@given(pair=pairs_of_labels(min_dims=2))
def test_cropping_background_away_changes_nothing(pair):
    anything = (pair[0] > 0) | (pair[1] > 0)
    assume(anything.any())
    where = np.nonzero(anything)
    box = tuple(slice(at.min(), at.max() + 1) for at in where)
    assert score(pair[0][box], pair[1][box]).to_dict() == score(*pair).to_dict()


ADDING = ("tp", "fp", "fn", "n_true", "n_pred", "splits", "merges", "catastrophes")


@settings(max_examples=80, deadline=None)
@given(
    pair=pairs_of_labels(min_dims=2),
    data=st.data(),
    name=NAMES.filter("neurips".__ne__),
    low=st.booleans(),
)
def test_images_side_by_side_add_up(pair, data, name, low):
    """With ids of their own, whichever axis they lie along."""
    axis = data.draw(st.integers(0, pair[0].ndim - 1))
    labels = hnp.arrays(np.uint8, pair[0].shape, elements=st.integers(0, 4))
    other = data.draw(labels), data.draw(labels)
    both = [
        np.concatenate((one, np.where(two, two + 10, 0)), axis)
        for one, two in zip(pair, other, strict=True)
    ]
    thresholds = LOW_TOO if low and name != "tissuenet" else None
    parts = [score(*each, profile=name, thresholds=thresholds) for each in (pair, other)]
    whole = score(*both, profile=name, thresholds=thresholds)
    counts = ADDING if name != "stardist" or not low else ADDING[:5]  # ties below one half
    for count in counts:
        total = np.sum([getattr(part, count) for part in parts], axis=0)
        assert np.array_equal(getattr(whole, count), total), count
    for side in ("n_true", "n_pred"):
        areas = getattr(whole, side.replace("n_", "") + "_objects")["area"].sum()
        assert areas == np.count_nonzero(both[side == "n_pred"])
    weights = {"seg": "n_true", "pq": ("n_true", "n_pred"), "rq": ("n_true", "n_pred")}
    if low:
        return
    for figure, weight in weights.items():
        names = [weight] if isinstance(weight, str) else weight
        n = [sum(getattr(part, each) for each in names) for part in (*parts, whole)]
        values = [getattr(part, figure) if n[k] else 0 for k, part in enumerate((*parts, whole))]
        total = math.fsum(value * k for value, k in zip(values[:2], n[:2], strict=True))
        assert values[2] * n[2] == pytest.approx(total, rel=1e-13)


@settings(max_examples=60, deadline=None)
@given(pair=pairs_of_labels(min_dims=2), name=NAMES)
def test_turning_both_images_changes_nothing(pair, name):
    spacing = (2.0, 0.5, 0.3)[: pair[0].ndim]
    expected = score(*pair, profile=name, spacing=spacing).to_dict()
    turned = score(*(labels.T for labels in pair), profile=name, spacing=spacing[::-1]).to_dict()
    assert_same(turned, expected)
    flipped = score(*(labels[::-1, ::-1] for labels in pair), profile=name, spacing=spacing)
    assert_same(flipped.to_dict(), expected)


@settings(max_examples=60, deadline=None)
@given(pair=pairs_of_labels(), name=NAMES)
def test_an_axis_of_one_pixel_changes_nothing(pair, name):
    """A single image may come as a stack of one."""
    assume(pair[0].ndim < 3)
    profile = replace(PROFILES[name], border=0)
    expected = score(*pair, profile=profile).to_dict()
    for axis in range(pair[0].ndim + 1):
        result = score(*(np.expand_dims(labels, axis) for labels in pair), profile=profile)
        for figure, value in result.to_dict().items():
            if figure not in OF_OUTLINES and not figure.endswith("objects"):
                assert value == expected[figure]


@settings(max_examples=40, deadline=None)
@given(pair=pairs_of_labels(), factor=st.integers(2, 3), name=NAMES)
def test_larger_pixels_of_the_same_picture_change_no_overlap(pair, factor, name):
    profile = replace(PROFILES[name], border=0)
    block = np.ones((factor,) * pair[0].ndim, np.uint8)
    result = score(*(np.kron(labels, block) for labels in pair), profile=profile)
    expected = score(*pair, profile=profile)
    names = [*LISTS, *sorted({*NUMBERS} - OF_OUTLINES), "true_kinds", "pred_kinds"]
    for figure in names:
        assert str(getattr(result, figure)) == str(getattr(expected, figure)), figure


@settings(max_examples=40, deadline=None)
@given(pair=pairs_of_labels(), name=NAMES)
def test_truth_against_itself_is_perfect(pair, name):
    truth = pair[0]
    assume(truth.any())
    result = score(truth, truth, profile=replace(PROFILES[name], border=0))
    for figure in {*NUMBERS} - {"boundary_mean", "hausdorff_95", "boundary_bias"}:
        assert getattr(result, figure) == 1, figure
    assert result.boundary_mean == result.hausdorff_95 == result.boundary_bias == 0
    assert result.ap == (1,) * len(result.thresholds)
    assert result.true_kinds["matched"] == result.n_true
    assert result.events == []
