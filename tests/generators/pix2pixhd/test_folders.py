from __future__ import annotations

import numpy as np
import pytest
import tifffile
from PIL import Image

pytest.importorskip("torch")

from benchmark.errors import DatasetError
from generators.pix2pixhd.folders import check_labels, open_source


def test_labels_instances_and_pictures_belong_together(paired):
    source = open_source(paired(count=12))
    assert source.names[:3] == ("0", "1", "10")
    assert source.labelled is None
    assert source.given(1).shape == source.instances(1).shape == (1, 24, 32)
    assert source.wanted(1).shape == (3, 24, 32)
    assert np.array_equal(source.given(2)[0] > 0, source.instances(2)[0] >= 1000)
    assert np.array_equal(source.given(2)[0] == 0, source.wanted(2)[0] == 20)
    assert len(open_source(source.first[0].parents[1], most=5).names) == 5


def test_a_and_b_hold_pictures(paired):
    root = paired()
    (root / "train_label").rename(root / "train_A")
    (root / "train_img").rename(root / "train_B")
    source = open_source(root)
    assert source.labelled == 0
    assert source.given(0).dtype == np.uint8
    assert source.wanted(0).shape == (3, 24, 32)


def test_a_data_set_gives_foreground_labels_and_image():
    source = open_source("builtin", split="val", most=3)
    assert len(source.names) == 3
    assert source.labelled == 2
    assert np.array_equal(source.given(0), source.instances(0) > 0)
    assert source.wanted(0).shape == (1, 256, 256)
    assert source.digest != open_source("builtin", split="val", most=2).digest


def test_generated_labels_give_foreground_and_instances(tmp_path):
    for name in ("labels", "outlines"):
        (tmp_path / name).mkdir()
    labels = np.zeros((16, 24), np.uint16)
    labels[2:9, 3:20], labels[10:15, 3:9] = 1, 2
    for number in range(3):
        tifffile.imwrite(tmp_path / "labels" / f"seed000{number}.tif", labels)
    source = open_source(tmp_path, "test", most=2)
    assert source.names == ("seed0000", "seed0001")
    assert np.array_equal(source.instances(1)[0], labels)
    assert np.array_equal(source.given(1)[0], labels > 0)
    assert source.wanted(0) is None
    assert source.digest != open_source(tmp_path, "test").digest
    check_labels(source, 2)


def test_labels_within_range_pass(paired):
    told = []
    check_labels(open_source(paired()), 3, lambda done, count: told.append((done, count)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_label_out_of_range_is_named_with_its_file_before_anything_is_learned(paired):
    root = paired()
    Image.fromarray(np.full((24, 32), 7, np.uint8)).save(root / "train_label" / "1.png")
    with pytest.raises(DatasetError, match=r"the label 7 is not within 0 and 2") as caught:
        check_labels(open_source(root), 3)
    assert str(caught.value.where).endswith("train_label/1.png")
    assert "--label_nc 8" in caught.value.mend


def test_a_label_below_zero_is_named(paired):
    root = paired(count=1)
    (root / "train_label" / "0.png").unlink()
    tifffile.imwrite(root / "train_label" / "0.tif", np.full((24, 32), -1, np.int16))
    with pytest.raises(DatasetError, match=r"the label -1 is not within"):
        check_labels(open_source(root), 3)


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((24, 32, 3), np.uint8), "one value a pixel"),
        (np.full((24, 32), 0.5, np.float32), "no whole number"),
        (np.full((24, 32), 2**31, np.uint32), "no whole number"),
    ],
)
def test_what_is_no_label_map_is_refused(paired, array, said):
    root = paired(count=1)
    (root / "train_label" / "0.png").unlink()
    tifffile.imwrite(
        root / "train_label" / "0.tif", array, photometric="rgb" if array.ndim == 3 else None
    )
    with pytest.raises(DatasetError, match=said):
        open_source(root).given(0)


def test_what_is_missing_is_said(paired, tmp_path):
    root = paired()
    (root / "train_img" / "2.png").unlink()
    with pytest.raises(DatasetError, match="it holds 2 files, train_label 3"):
        open_source(root)
    for path in (root / "train_inst").iterdir():
        path.unlink()
    (root / "train_img" / "1.png").unlink()
    (root / "train_img" / "0.png").unlink()
    source = open_source(root)
    assert source.wanted(0) is None
    with pytest.raises(DatasetError, match="no instances") as caught:
        source.instances(0)
    assert "--no_instance" in caught.value.mend
    with pytest.raises(DatasetError, match="there is no test_label or test_A") as caught:
        open_source(root, "test")
    assert "--phase, such as train" in caught.value.mend
    (tmp_path / "empty" / "train_label").mkdir(parents=True)
    with pytest.raises(DatasetError, match="no pictures"):
        open_source(tmp_path / "empty")


def test_other_pixels_in_files_as_large_are_other_data(tmp_path):
    for name in ("train_label", "train_img"):
        (tmp_path / name).mkdir()
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / name / "a.bmp")
    before = open_source(tmp_path).digest
    file = tmp_path / "train_img" / "a.bmp"
    size = file.stat().st_size
    Image.fromarray(np.full((8, 8), 9, np.uint8)).save(file)
    assert file.stat().st_size == size
    assert open_source(tmp_path).digest != before


@pytest.mark.parametrize("most", [0, -1, -3])
def test_no_pairs_are_not_taken(paired, most):
    with pytest.raises(DatasetError, match="none to take"):
        open_source(paired(), most=most)


def test_generated_labels_that_are_not_there(tmp_path):
    for name in ("labels", "outlines"):
        (tmp_path / name).mkdir()
    with pytest.raises(DatasetError, match="no labels"):
        open_source(tmp_path)
