"""Cutting: worked by hand on small label images, and counted on real ones."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import io as skimage_io

from benchmark.dataset import DatasetWriter, SampleInput, open_any
from generators.errors import ShapeError
from generators.polygons import area, contains, is_simple, window_of
from generators.shapes.cutting import cut, folder_shapes, held_back, outline_of, real_shapes
from generators.shapes.geometry import moments, stacked


def blob(labels, number, y, x, radius):
    rows, columns = np.indices(labels.shape)
    labels[(rows - y) ** 2 + (columns - x) ** 2 <= radius**2] = number


def test_an_outline_rasterises_to_its_object():
    labels = np.zeros((40, 50), np.uint16)
    blob(labels, 9, 12, 14, 8)
    blob(labels, 4, 25, 33, 11)
    found = cut(labels)
    assert (found.at_border, found.holes, found.torn) == (0, 0, 0)
    for number, outline in zip((4, 9), found.outlines, strict=True):
        window = window_of(outline)
        own = np.zeros(labels.shape, bool)
        own[window.slices] = contains(outline, window)
        assert (own == (labels == number)).all()
        assert area(outline) > 0
        assert is_simple(outline)


def test_objects_at_the_border_are_left_out():
    labels = np.zeros((20, 20), int)
    labels[0:4, 5:9] = 1
    labels[8:12, 16:20] = 2
    labels[10:14, 4:8] = 3
    found = cut(labels)
    assert found.at_border == 2
    assert len(found.outlines) == 1


def test_holes_are_filled_and_counted():
    labels = np.zeros((20, 20), int)
    labels[4:12, 4:12] = 1
    labels[7:9, 7:9] = 0
    found = cut(labels)
    assert found.holes == 1
    # Halfway between pixel centres: 8 x 8 less the four corners of 1/8.
    assert area(found.outlines[0]) == pytest.approx(64 - 4 / 8)


def test_of_a_torn_object_the_largest_piece_counts():
    labels = np.zeros((20, 20), int)
    labels[3:9, 3:9] = 1
    labels[12:14, 12:14] = 1
    found = cut(labels)
    assert found.torn == 1
    assert area(found.outlines[0]) == pytest.approx(36 - 4 / 8)


def test_pieces_that_meet_at_a_corner_are_two():
    mask = np.zeros((8, 8), bool)
    mask[1:3, 1:3] = mask[3:6, 3:6] = True
    assert area(outline_of(mask)) == pytest.approx(9 - 4 / 8)


def test_a_touching_neighbour_does_not_change_an_outline():
    alone, touched = np.zeros((2, 30, 30), int)
    blob(alone, 1, 14, 10, 6)
    touched[:] = alone
    touched[8:20, 17:25] = 2
    assert (cut(alone).outlines[0] == cut(touched).outlines[0]).all()


@pytest.fixture
def dataset(tmp_path):
    def made(*labels, split="train"):
        with DatasetWriter(tmp_path / "set", name="set", version="1.0.0", targets=("nuclei",)) as w:
            for k, image in enumerate(labels):
                grey = np.zeros((1, *image.shape), np.uint8)
                w.add(SampleInput(id=f"s{k}", image=grey, labels={"nuclei": image}, split=split))
        return open_any(tmp_path / "set")

    return made


def field(radii, spacing=60):
    labels = np.zeros((spacing, spacing * len(radii)), np.uint16)
    for k, radius in enumerate(radii):
        blob(labels, k + 1, spacing // 2, spacing // 2 + k * spacing, radius)
    return labels


def test_the_scale_is_the_median_of_the_image(dataset):
    found = real_shapes([dataset(field([10, 10, 12, 20, 20, 5]), field([10, 10, 10, 10]))])
    # The smallest is not resolved, and the second image has too few for a scale.
    assert found.counts["kept"] == 5
    assert found.counts["small"] == 1
    assert found.counts["few"] == 4
    assert set(found.images) == {"set/s0"}
    expected = np.array([10, 10, 12, 20, 20]) / 12
    assert moments(stacked(found.outlines)).diameter == pytest.approx(expected, rel=0.03)


def test_fragments_are_left_out(dataset):
    found = real_shapes([dataset(field([25, 25, 25, 25, 25, 9]))])
    assert found.counts["fragments"] == 1
    assert found.counts["kept"] == 5


def test_a_folder_of_labels_is_cut_as_a_data_set_is(tmp_path):
    skimage_io.imsave(tmp_path / "a.png", field([10, 10, 12, 20, 20, 5]), check_contrast=False)
    found = folder_shapes(tmp_path)
    expected = np.array([10, 10, 12, 20, 20]) / 12
    assert moments(stacked(found)).diameter == pytest.approx(expected, rel=0.03)


def test_masks_of_one_object_each_share_a_scale(tmp_path):
    (tmp_path / "deeper").mkdir()
    for k, radius in enumerate([10, 12, 20, 12, 30]):
        mask = (field([radius], 80) > 0).astype(np.uint8) * 255
        np.save(tmp_path / "deeper" / f"{k}.npy", mask)
    found = moments(stacked(folder_shapes(tmp_path))).diameter
    assert found == pytest.approx(np.array([10, 12, 20, 12, 30]) / 12, rel=0.03)


def test_a_folder_without_masks_is_refused(tmp_path):
    with pytest.raises(ShapeError, match="no mask"):
        folder_shapes(tmp_path)
    np.save(tmp_path / "volume.npy", np.arange(20 * 24 * 24).reshape(20, 24, 24))
    with pytest.raises(ShapeError, match="two dimensions"):
        folder_shapes(tmp_path)


def test_every_third_image_is_held_back():
    images = np.array(["d", "a", "b", "c", "c", "f", "e"])
    assert held_back(images).tolist() == [False, False, False, True, True, True, False]


def test_nothing_to_cut_is_said(dataset):
    with pytest.raises(ShapeError, match="no object"):
        real_shapes([dataset(np.zeros((30, 30), np.uint16))])


def test_real_nuclei(shared_data, tmp_path):
    data = open_any(shared_data / "mini", cache=tmp_path)
    found = real_shapes([data])
    assert found.counts["kept"] == len(found.outlines) > 50
    assert np.median(moments(stacked(found.outlines)).diameter) == pytest.approx(1, abs=0.02)
    assert all(is_simple(outline) for outline in found.outlines)
