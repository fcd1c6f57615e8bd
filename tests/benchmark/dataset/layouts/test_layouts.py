"""Each layout: found, read, written, and read again without loss."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tifffile
from PIL import Image

from benchmark.dataset import Dataset, export, import_folder, verify
from benchmark.dataset.layouts import LAYOUTS, cellpose, ctc, folders, recognise, stardist
from benchmark.errors import DatasetError

FOREIGN = [layout.NAME for layout in LAYOUTS if layout.NAME != "format1"]
IMAGE = np.random.default_rng(0).integers(0, 200, (6, 7)).astype(np.uint8)
LABELS = np.repeat([[0, 1, 1, 5, 5, 0, 9]], 6, axis=0).astype(np.uint16)


def put(root, *names, array=IMAGE):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".png":
            Image.fromarray(array).save(path)
        else:
            tifffile.imwrite(path, array)
    return root


def found(layout, root):
    return {pair.id: (pair.split, pair.image.name, pair.labels.name) for pair in read(layout, root)}


def read(layout, root):
    return layout.read(root, "nuclei", binary=None)


@pytest.mark.parametrize(
    ("names", "layout", "ids"),
    [
        (["images/a.png", "labels/a.png"], folders, ["a"]),
        (["Images/a.png", "Masks/a.tif"], stardist, ["a"]),
        (["images/a.ome.tif", "labels/a.tif"], folders, ["a"]),
        (["img/a.png", "gt/a_mask.png"], folders, ["a"]),
        (["train/images/a.tif", "train/masks/a.tif"], stardist, ["a"]),
        (["test/images/a.tif", "test/labels/a.tif"], folders, ["a"]),
        (["a_img.png", "a_masks.png"], cellpose, ["a"]),
        (["a_img.png", "a_img_cp_masks.png"], cellpose, ["a"]),
        (["a.tif", "a_masks.tif", "a_flows.tif"], cellpose, ["a"]),
        (["test/a.tif", "test/a_masks.tif", "train/b.tif", "train/b_masks.tif"], cellpose, None),
        (["01/t000.tif", "01/t001.tif", "01_GT/SEG/man_seg001.tif"], ctc, ["01_t001"]),
    ],
)
def test_folders_are_recognised(tmp_path, names, layout, ids):
    put(tmp_path, *names)
    recognised = recognise(tmp_path)
    assert recognised is layout or layout is stardist  # which the plain folders read as well
    assert layout.detect(tmp_path)
    assert sorted(found(recognised, tmp_path)) == (ids or ["a", "b"])
    assert found(recognised, tmp_path) == found(layout, tmp_path)


def test_what_is_in_no_layout_is_told_with_all_that_are(tmp_path):
    put(tmp_path, "a.tif", "pictures/b.tif")
    with pytest.raises(DatasetError, match="in no layout that can be imported") as caught:
        recognise(tmp_path)
    for layout in LAYOUTS:
        assert layout.NAME in caught.value.mend
        assert not layout.detect(tmp_path / "nowhere")


def test_subfolders_are_splits(tmp_path):
    for split in ("train", "validation", "Test"):
        put(tmp_path, f"{split}/images/{split}.tif", f"{split}/labels/{split}.tif")
    splits = {name: split for name, (split, *_) in found(folders, tmp_path).items()}
    assert splits == {"train": "train", "validation": "val", "Test": "test"}


def test_names_in_two_splits_get_the_split_in_front(tmp_path):
    for split in ("train", "test"):
        put(tmp_path, f"{split}/images/a.tif", f"{split}/masks/a.tif")
    assert sorted(found(stardist, tmp_path)) == ["test_a", "train_a"]


@pytest.mark.parametrize(
    ("layout", "names", "lost", "message"),
    [
        (folders, ["images/a.png", "images/b.png", "labels/a.png"], None, "b.png is without"),
        (folders, ["images/a.png", "labels/a.png", "labels/b.png"], None, "b.png is without an"),
        (folders, ["images/x.txt", "labels/a.png"], None, "there are no images"),
        (folders, ["images/a.png", "images/a.tif", "labels/a.png"], None, "have one name"),
        (folders, ["images/a.png", "labels/a.png", "masks/a.png"], None, "labels or masks"),
        (stardist, ["images/a.tif", "images/b.tif", "masks/b.tif"], None, "a.tif is without"),
        (cellpose, ["a_img.png", "b_img.png", "a_masks.png"], None, "b_img.png is without"),
        (cellpose, ["a.png", "a_masks.png", "b_masks.png"], None, "b_masks.png is without"),
        (ctc, ["01/t000.tif", "01_GT/SEG/man_seg001.tif"], None, "man_seg001.tif belongs to no"),
        (ctc, ["01/t000.tif", "01_GT/SEG/man_seg_000_003.tif"], None, "belongs to no frame"),
    ],
)
def test_what_has_no_partner_is_named(tmp_path, layout, names, lost, message):
    put(tmp_path, *(name for name in names if not name.endswith(".txt")))
    (tmp_path / "images").mkdir(exist_ok=True)
    with pytest.raises(DatasetError, match=message):
        read(layout, tmp_path)


def test_many_without_labels_are_counted(tmp_path):
    put(tmp_path, *(f"images/{i}.tif" for i in range(9)), "labels/8.tif")
    with pytest.raises(DatasetError, match=r"0\.tif, 1\.tif, 2\.tif and 5 more are without labels"):
        read(folders, tmp_path)


def test_sequences_and_frames_are_kept(tmp_path):
    put(tmp_path, *(f"{s}/t{f:03}.tif" for s in ("01", "02") for f in range(3)))
    put(tmp_path, "01_GT/SEG/man_seg002.tif", "02_GT/SEG/man_seg000.tif", array=LABELS)
    pairs = read(ctc, tmp_path)
    assert [(p.id, p.scene, p.factors) for p in pairs] == [
        ("01_t002", "01", {"frame": 2}),
        ("02_t000", "02", {"frame": 0}),
    ]


@pytest.fixture
def dataset(make_dataset, make_sample, tmp_path):
    """A data set with everything that a layout with an index has to keep."""
    samples = [
        make_sample(
            f"well {number}",
            seed=number,
            split=("train", "val", "test")[number % 3],
            scene=f"scene{number // 2}",
            dtype=(np.uint8, np.uint16)[number % 2],
            shape=(30 + number, 40),
            factors={
                "snr_level": number / 3,
                "kind": f"m0{number}",
                "n": number,
                "odd": number if number % 2 else None,
            },
        )
        for number in range(5)
    ]
    samples[0] = replace(samples[0], seed=2**62 + 1)
    labels = samples[1].labels["nuclei"].astype(np.int64)
    labels[0, 0] = 2**33
    samples[1] = replace(samples[1], labels={"nuclei": labels})
    return make_dataset(samples=samples, channels=("intensity",))


def same_arrays(first: Dataset, second: Dataset):
    columns = ["id", "split", "digest_image", "digest_nuclei"]
    return first.samples[columns].equals(second.samples[columns])


@pytest.mark.parametrize("layout", FOREIGN)
def test_a_round_trip_loses_nothing(dataset, tmp_path, layout):
    left = export(dataset, tmp_path / "out", layout)
    assert any("measurements" in one for one in left)
    back = import_folder(tmp_path / "out", tmp_path / "back", name="small", version="1.0.0")
    assert same_arrays(dataset, back)
    for table in ("samples", "objects"):
        assert dataset.manifest.tables[table] == back.manifest.tables[table]
    assert verify(back.path) == []


@pytest.mark.parametrize("layout", ["stardist", "cellpose"])
def test_a_round_trip_without_the_index_keeps_names_splits_and_pixels(dataset, tmp_path, layout):
    export(dataset, tmp_path / "out", layout)
    (tmp_path / "out" / "index.csv").unlink()
    back = import_folder(
        tmp_path / "out", tmp_path / "back", name="small", version="1.0.0", layout=layout
    )
    assert same_arrays(dataset, back)


def test_a_round_trip_through_sequences_without_the_index_keeps_names_and_pixels(
    dataset, tmp_path, make_dataset, make_sample
):
    samples = [make_sample(f"{s:02}_t{f:03}", seed=s * 9 + f) for s in (1, 3) for f in (0, 7)]
    dataset = make_dataset(tmp_path / "set", samples=samples)
    export(dataset, tmp_path / "out", "ctc")
    (tmp_path / "out" / "index.csv").unlink()
    assert (tmp_path / "out" / "03_GT" / "SEG" / "man_seg007.tif").is_file()
    back = import_folder(tmp_path / "out", tmp_path / "back", name="small", version="1.0.0")
    assert same_arrays(dataset, back)


@pytest.mark.parametrize("layout", FOREIGN)
@pytest.mark.parametrize("names", [("red", "green", "blue"), ("channel_0", "channel_1")])
def test_channels_survive_a_round_trip_or_are_refused(
    make_dataset, make_sample, tmp_path, layout, names
):
    samples = [make_sample("a", channels=len(names), dtype=np.uint8)]
    dataset = make_dataset(tmp_path / "set", samples=samples, channels=names)
    if layout == "ctc":
        with pytest.raises(DatasetError, match=f"have {len(names)} channels; this layout holds"):
            export(dataset, tmp_path / "out", layout)
        assert not (tmp_path / "out").exists()
        return
    export(dataset, tmp_path / "out", layout)
    back = import_folder(tmp_path / "out", tmp_path / "back", name="small", version="1.0.0")
    assert same_arrays(dataset, back)
    assert back.manifest.channels == names


def test_a_copy_in_format_1_is_the_same_data_set(make_dataset, tmp_path):
    dataset = make_dataset(recipe={"a": [1, 2]}, networks={"shape": "0" * 64}, citation="x")
    assert export(dataset, tmp_path / "copy", "format1") == []
    assert Dataset.open(tmp_path / "copy").digest == dataset.digest
    assert verify(tmp_path / "copy") == []


def test_a_new_version_is_an_import_of_format_1(make_dataset, tmp_path):
    dataset = make_dataset(citation="x")
    new = import_folder(
        dataset.path, tmp_path / "new", name="small", version="1.0.1", licence="CC0-1.0"
    )
    assert (new.manifest.licence, new.manifest.citation) == ("CC0-1.0", "x")
    assert new.manifest.tables == dataset.manifest.tables


@pytest.mark.parametrize("layout", FOREIGN)
def test_several_targets_are_refused_unless_one_is_chosen(
    make_dataset, make_sample, tmp_path, layout
):
    sample = make_sample("a")
    sample = replace(sample, labels={"cells": sample.labels["nuclei"] * 2, **sample.labels})
    dataset = make_dataset(tmp_path / "set", samples=[sample], targets=("nuclei", "cells"))
    with pytest.raises(DatasetError, match="holds labels of one target") as caught:
        export(dataset, tmp_path / "out", layout)
    assert "--target" in caught.value.mend
    with pytest.raises(DatasetError, match="no target 'cell'"):
        export(dataset, tmp_path / "out", layout, target="cell")
    assert not (tmp_path / "out").exists()
    left = export(dataset, tmp_path / "out", layout, target="cells")
    assert "labels of nuclei" in left
    back = import_folder(
        tmp_path / "out", tmp_path / "b", name="b", version="1.0.0", target="cells"
    )
    np.testing.assert_array_equal(back.read_labels("a", "cells"), sample.labels["cells"])


def test_an_export_is_whole_or_nothing(dataset, tmp_path):
    (dataset.path / "images" / "well 3.tif").unlink()
    with pytest.raises(DatasetError, match="missing"):
        export(dataset, tmp_path / "out", "folders")
    (tmp_path / "there").mkdir()
    with pytest.raises(DatasetError, match="never overwritten"):
        export(dataset, tmp_path / "there", "folders")
    with pytest.raises(DatasetError, match="no layout 'cellpos'") as caught:
        export(dataset, tmp_path / "out", "cellpos")
    assert caught.value.mend == "did you mean 'cellpose'?"
    assert {path.name for path in tmp_path.iterdir()} == {"small-1.0.0", "there"}
