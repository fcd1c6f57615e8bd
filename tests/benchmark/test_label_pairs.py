"""Which file of one folder belongs to which of another."""

from __future__ import annotations

import pytest

from benchmark.errors import DatasetError
from benchmark.label_pairs import pair_folders


@pytest.fixture
def folders(tmp_path):
    """A function that makes two folders of files of these names, with nothing in them."""

    def make(truth, prediction):
        for side, names in (("truth", truth), ("prediction", prediction)):
            (tmp_path / side).mkdir()
            for name in names:
                (tmp_path / side / name).touch()
        return tmp_path / "truth", tmp_path / "prediction"

    return make


def paired(pairing):
    return {
        pair.name: (pair.truth.name, pair.prediction and pair.prediction.name)
        for pair in pairing.pairs
    }


@pytest.mark.parametrize(
    ("truth", "prediction"),
    [
        ("a.tif", "a.tif"),
        ("a.png", "a.npy"),
        ("a.tif", "a_cp_masks.png"),
        ("a_masks.tif", "a_seg.npz"),
        ("a_label.tif", "a_labels.TIFF"),
        ("a_gt.png", "a_pred.png"),
        ("a_img_masks.tif", "a.tif"),
        ("a.ome.tif", "a_mask.ome.tif"),
        ("a.b_mask.tif", "a.b.tif"),
        ("man_seg007.tif", "mask007.tif"),
        ("man_seg0007.tif", "0007.png"),
        ("man_track007.tif", "t007.npy"),
        ("_mask.tif", "_mask.tif"),
    ],
)
def test_files_of_one_image(folders, truth, prediction):
    pairing = pair_folders(*folders([truth], [prediction]))
    assert list(paired(pairing).values()) == [(truth, prediction)]
    assert (pairing.missing, pairing.unpaired, pairing.left_out) == ([], (), ())


def test_pairs_are_sorted_and_what_has_none_is_named(folders):
    pairing = pair_folders(
        *folders(["b2.tif", "a.tif", "b_label.tif"], ["b.tif", "d.tif", "b2_seg.tif"])
    )
    assert paired(pairing) == {
        "a": ("a.tif", None),
        "b": ("b_label.tif", "b.tif"),
        "b2": ("b2.tif", "b2_seg.tif"),
    }
    assert list(paired(pairing)) == ["a", "b", "b2"]
    assert pairing.missing == ["a"]
    assert pairing.unpaired == ("d.tif",)


def test_what_cellpose_leaves_beside_labels(folders):
    names = ["a.tif", "a_cp_masks.tif", "a_seg.npy", "a_flows.tif", "a_cp_outlines.txt"]
    pairing = pair_folders(*folders(["a.png"], [*names, "a_cp_output.png", ".a_masks.tif"]))
    assert paired(pairing) == {"a": ("a.png", "a_cp_masks.tif")}
    assert pairing.left_out == ("a.tif", "a_seg.npy")


def test_images_are_not_scored_against_images(folders):
    both = ["a_img.png", "a_masks.png", "b_img.png", "b_masks.png"]
    pairing = pair_folders(*folders(both, both))
    assert paired(pairing) == {
        "a": ("a_masks.png", "a_masks.png"),
        "b": ("b_masks.png", "b_masks.png"),
    }
    assert pairing.left_out == ("a_img.png", "b_img.png") * 2


def test_cellposes_own_file_is_taken_where_there_is_no_other(folders):
    """And then refused when it is read, which says what to do."""
    pairing = pair_folders(*folders(["a.tif"], ["a.tif", "a_seg.npy"]))
    assert paired(pairing) == {"a": ("a.tif", "a_seg.npy")}


@pytest.mark.parametrize(
    "names", [("a.tif", "a.png"), ("a_mask.tif", "a_labels.tif"), ("mask007.tif", "man_seg007.tif")]
)
def test_two_files_that_could_be_meant(folders, names):
    with pytest.raises(DatasetError, match="could both be the labels of") as caught:
        pair_folders(*folders(names, ["x.tif"]))
    for name in names:
        assert name in caught.value.what


def test_no_pair_at_all(folders):
    with pytest.raises(DatasetError, match="called a, b, c and 1 more, predictions x"):
        pair_folders(*folders(["a.tif", "b.tif", "c.tif", "d.tif"], ["x.tif"]))


def test_no_label_file(folders, tmp_path):
    truth, prediction = folders(["a.tif"], ["a.csv", "a.jpg"])
    with pytest.raises(DatasetError, match="no label file") as caught:
        pair_folders(truth, prediction)
    assert ".tif" in caught.value.mend
    for inside in ("images", "labels", "labels/nuclei"):
        (prediction / inside).mkdir()
        (prediction / inside / "a.txt").touch()
    (prediction / "images" / "a.png").touch()
    (prediction / "labels" / "nuclei" / "a.png").touch()
    with pytest.raises(DatasetError) as caught:
        pair_folders(truth, prediction)
    assert caught.value.mend == "name the folder that holds them: labels/nuclei"
