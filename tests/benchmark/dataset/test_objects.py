from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial.distance import cdist
from skimage.measure import regionprops_table

from benchmark.dataset import objects
from benchmark.dataset.objects import measure_objects


def test_two_squares_by_hand():
    labels = np.zeros((30, 40), np.int32)
    labels[10:14, 5:9] = 4
    labels[12:16, 14:16] = 1000
    image = np.full((1, 30, 40), 20.0)
    image[0, labels == 4] = 120
    image[0, labels == 1000] = 10
    table = measure_objects(image, labels).set_index("label")
    assert list(table.index) == [4, 1000]
    assert table["area"].tolist() == [16, 8]
    assert table[["centroid_y", "centroid_x"]].to_numpy().tolist() == [[11.5, 6.5], [13.5, 14.5]]
    boxes = table[["box_y0", "box_x0", "box_y1", "box_x1"]].to_numpy().tolist()
    assert boxes == [[10, 5, 14, 9], [12, 14, 16, 16]]
    assert table["contrast"].tolist() == [100, -10]
    assert table["gap"].tolist() == [5, 5]
    assert not table["touching"].any()
    assert table["snr"].isna().all()  # the background has no noise
    assert table["hidden"].isna().all()
    assert table["parent"].tolist() == [0, 0]


def test_neighbours_by_side_and_by_corner_touch():
    labels = np.zeros((8, 8), int)
    labels[1:3, 1:3], labels[1:3, 3:5], labels[3:5, 5:7] = 1, 2, 3
    table = measure_objects(np.zeros((1, 8, 8)), labels)
    assert table["touching"].all()
    np.testing.assert_allclose(table["gap"], [0, 0, np.sqrt(2) - 1])


def test_one_object_has_no_gap_and_a_full_image_no_contrast():
    table = measure_objects(np.ones((1, 5, 6)), np.ones((5, 6), int))
    assert table["area"].tolist() == [30]
    assert table[["gap", "contrast", "snr"]].isna().to_numpy().all()
    assert not table["touching"].any()


@pytest.mark.parametrize("shape", [(5, 6), (1, 1), (1, 9), (2, 2)])
def test_no_object_makes_no_row_with_the_same_columns(shape):
    empty = measure_objects(np.zeros((2, *shape)), np.zeros(shape, int))
    full = measure_objects(np.zeros((2, *shape)), np.ones(shape, int))
    assert len(empty) == 0
    assert empty.dtypes.to_dict() == full.dtypes.to_dict()


def test_noise_and_snr_are_those_put_in():
    labels = np.zeros((300, 300), int)
    labels[140:160, 140:160] = 1
    image = np.random.default_rng(0).normal(100, 4, labels.shape) + 80 * (labels > 0)
    table = measure_objects(image[np.newaxis], labels)
    assert table["contrast"][0] == pytest.approx(80, abs=1)
    assert table["snr"][0] == pytest.approx(20, rel=0.03)


def test_contrast_is_local_under_uneven_illumination():
    labels = np.zeros((60, 200), int)
    labels[25:35, 20:30], labels[25:35, 170:180] = 1, 2
    ramp = np.broadcast_to(np.arange(200.0), labels.shape)
    table = measure_objects((ramp + 50 * (labels > 0))[np.newaxis], labels)
    np.testing.assert_allclose(table["contrast"], 50, atol=1)


def test_the_channel_with_most_contrast_counts():
    labels = np.zeros((30, 30), int)
    labels[5:10, 5:10], labels[20:25, 20:25] = 1, 2
    image = np.stack([10 * (labels == 1), 30 * (labels == 2)])
    assert measure_objects(image, labels)["contrast"].tolist() == [10, 30]


label_images = hnp.arrays(
    st.sampled_from([np.uint8, np.int64, np.uint64, ">u2"]),
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=14),
    elements=st.sampled_from([0, 0, 0, 0, 0, 1, 2, 7, 100]),
)


@given(label_images)
def test_geometry_agrees_with_scikit_image(labels):
    table = measure_objects(np.zeros((1, *labels.shape)), labels)
    properties = ("label", "area", "centroid", "bbox")
    expected = regionprops_table(labels.astype(np.int64), properties=properties)
    if not len(table):
        return
    columns = ["label", "area", "centroid_y", "centroid_x", "box_y0", "box_x0", "box_y1", "box_x1"]
    np.testing.assert_allclose(table[columns].to_numpy().T, np.array([*expected.values()]))


@given(label_images)
def test_gaps_agree_with_all_distances(labels):
    table = measure_objects(np.zeros((1, *labels.shape)), labels)
    points = {label: np.argwhere(labels == label) for label in table["label"]}
    for label, gap in zip(table["label"], table["gap"], strict=True):
        others = [cdist(points[label], points[o]).min() for o in points if o != label]
        assert gap == pytest.approx(min(others) - 1) if others else np.isnan(gap)


def test_gaps_of_scattered_objects_agree_with_all_distances(monkeypatch):
    rng = np.random.default_rng(3)
    labels = np.zeros((120, 150), int)
    for number in range(1, 40):
        y, x = rng.integers(0, 110), rng.integers(0, 140)
        labels[y : y + rng.integers(1, 9), x : x + rng.integers(1, 9)] = number
    image = np.zeros((1, *labels.shape))
    table = measure_objects(image, labels)
    points = {label: np.argwhere(labels == label) for label in table["label"]}
    expected = [min(cdist(points[a], points[b]).min() for b in points if a != b) for a in points]
    np.testing.assert_allclose(table["gap"], np.array(expected) - 1)
    monkeypatch.setattr(objects, "MAX_PAIRS", 0)  # the way that large objects take
    np.testing.assert_array_equal(measure_objects(image, labels)["gap"], table["gap"])


@given(label_images, st.permutations([1, 2, 7, 100]))
def test_ids_do_not_count(labels, order):
    image = np.random.default_rng(0).random((2, *labels.shape))
    renamed = np.zeros(labels.shape, int)
    for old, new in zip([1, 2, 7, 100], order, strict=True):
        renamed[labels == old] = new * 10**12
    before = measure_objects(image, labels)
    after = measure_objects(image, renamed)
    key = {old: new * 10**12 for old, new in zip([1, 2, 7, 100], order, strict=True)}
    before = before.assign(label=before["label"].map(key)).sort_values("label")
    for column in before.columns:
        np.testing.assert_array_equal(before[column].to_numpy(float), after[column].to_numpy(float))
