from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from benchmark.dataset import Dataset, import_folder, open_any, verify
from benchmark.dataset.importing import name_of
from benchmark.errors import DatasetError


@pytest.fixture
def folder(tmp_path, make_sample):
    """Four images with labels, as a pair of folders."""
    root = tmp_path / "My cells"
    for number in range(4):
        sample = make_sample(f"s{number}", seed=number)
        for side, array in (("images", sample.image[0]), ("labels", sample.labels["nuclei"])):
            (root / side).mkdir(parents=True, exist_ok=True)
            tifffile.imwrite(root / side / f"s{number}.tif", array)
    return root


def imported(folder, **options):
    out = folder.parent / "out" / "set"
    return import_folder(folder, out, **{"name": "set", "version": "1.0.0", **options})


def test_pixels_and_labels_are_those_of_the_files(folder, make_sample):
    dataset = imported(folder, licence="CC0-1.0", pixel_size_um=0.65, target="cells")
    assert dataset.manifest.targets == ("cells",)
    assert dataset.manifest.pixel_size_um == 0.65
    assert dataset.manifest.channels == ("intensity",)
    assert dataset.manifest.splits == {"test": 4}
    for number, name in enumerate(dataset.ids()):
        sample = make_sample(name, seed=number)
        np.testing.assert_array_equal(dataset.read_image(name), sample.image)
        np.testing.assert_array_equal(dataset.read_labels(name, "cells"), sample.labels["nuclei"])
    assert verify(dataset.path) == []


def test_the_number_of_workers_does_not_count(folder):
    told = []
    one = imported(folder, workers=1, progress=lambda *count: told.append(count))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    files = {path.name: path.read_bytes() for path in one.path.rglob("*") if path.is_file()}
    shutil.rmtree(one.path)
    many = imported(folder, workers=5)
    assert {p.name: p.read_bytes() for p in many.path.rglob("*") if p.is_file()} == files


def test_channels_may_be_named(folder):
    assert imported(folder, channels=("dapi",)).manifest.channels == ("dapi",)


LABELS = np.arange(40 * 48).reshape(40, 48) % 5


def cut(path):
    path.write_bytes(path.read_bytes()[:-500])


def save(array, **options):
    return lambda path: tifffile.imwrite(path, array, **options)


DAMAGE = {
    "missing mask": ("labels", Path.unlink, "s2.tif is without labels", "all 0"),
    "truncated image": ("images", cut, "truncated", "fresh copy"),
    "truncated mask": ("labels", cut, "truncated", "fresh copy"),
    "float labels": (
        "labels",
        save(LABELS.astype(np.float32)),
        "labels are whole numbers, not float32",
        "astype",
    ),
    "another shape": (
        "labels",
        save(LABELS[1:].astype(np.uint16)),
        r"the labels have the shape \(39, 48\), the image \(40, 48\)",
        "same size",
    ),
    "negative labels": ("labels", save(LABELS.astype(np.int16) - 1), "negative", "0"),
    "binary mask": (
        "labels",
        save((LABELS > 2).astype(np.uint8) * 255),
        "a binary mask",
        "--binary",
    ),
    "coloured mask": (
        "labels",
        save(np.dstack([LABELS, LABELS, LABELS * 2]).astype(np.uint8), photometric="rgb"),
        "labels are coloured",
        "one channel",
    ),
    "fractions": ("images", save(LABELS / 4), "neither uint8 nor uint16", "rescale"),
    "other channels": (
        "images",
        save(np.dstack([LABELS] * 3).astype(np.uint8), photometric="rgb"),
        r"3 channels \(red, green, blue\), the data set 1 channel",
        "two data sets",
    ),
}


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("kind", DAMAGE)
def test_bad_input_is_named_and_leaves_nothing(folder, kind, workers):
    side, damage, message, mend = DAMAGE[kind]
    damage(folder / side / "s2.tif")
    with pytest.raises(DatasetError, match=message) as caught:
        imported(folder, workers=workers)
    assert "s2" in str(caught.value)
    assert mend in caught.value.mend
    out = folder.parent / "out"
    assert not out.exists() or list(out.iterdir()) == []


def test_binary_masks_become_regions_on_request(folder):
    for path in (folder / "labels").iterdir():
        tifffile.imwrite(path, (tifffile.imread(path) == 3).astype(np.uint8) * 255)
    with pytest.raises(DatasetError, match="a binary mask"):
        imported(folder)
    dataset = imported(folder, binary=True)
    assert dataset.samples["n_nuclei"].max() >= 1
    assert dataset.read_labels("s0").max() == dataset.row("s0")["n_nuclei"]


def test_ids_that_are_no_file_names_are_refused(folder):
    for side in ("images", "labels"):
        (folder / side / "s2.tif").rename(folder / side / "s:2.tif")
    with pytest.raises(DatasetError, match="'s:2' cannot be a sample's id"):
        imported(folder)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems keep file names as Unicode")
def test_a_file_whose_name_is_no_unicode_is_refused_by_name(folder):
    for side in ("images", "labels"):
        (folder / side / "s2.tif").rename(folder / side / os.fsdecode(b"s\xff2.tif"))
    for layout in ("folders", None):
        with pytest.raises(DatasetError, match="it is no Unicode") as caught:
            imported(folder, layout=layout)
        assert caught.value.where.endswith(r"images/s\xff2.tif")
    with pytest.raises(DatasetError, match="it is no Unicode"):
        open_any(folder)


def test_an_unknown_layout_gets_the_nearest_name(folder):
    with pytest.raises(DatasetError, match="no layout 'folder'") as caught:
        imported(folder, layout="folder")
    assert "folders" in caught.value.mend


def test_a_folder_that_is_not_there_or_of_another_layout_is_told(folder, tmp_path):
    for layout in (None, "folders", "ctc"):
        with pytest.raises(DatasetError, match="no such folder"):
            import_folder(
                tmp_path / "nowhere", tmp_path / "out", name="a", version="1.0.0", layout=layout
            )
    with pytest.raises(DatasetError, match="no sample in the layout ctc") as caught:
        imported(folder, layout="ctc")
    assert "man_seg000.tif" in caught.value.mend


def test_a_folder_is_imported_once_until_it_changes(folder, own_cache):
    told = []
    first = open_any(folder, progress=lambda *count: told.append(count))
    assert (first.name, first.version) == ("My-cells", "0.0.0")
    assert first.path.parent == own_cache / "datasets"
    assert verify(first.path) == []
    again = open_any(str(folder), progress=lambda *_: pytest.fail("imported again"))
    assert again.path == first.path
    assert told[-1] == (4, 4)
    path = folder / "images" / "s0.tif"
    image = tifffile.imread(path)
    image[0, 0] += 1
    stat = path.stat()
    tifffile.imwrite(path, image)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1000))
    changed = open_any(folder)
    assert changed.read_image("s0")[0, 0, 0] == image[0, 0]
    assert changed.digest != first.digest


def test_a_file_replaced_with_one_of_the_same_size_and_time_is_noticed(folder):
    first = open_any(folder)
    path = folder / "images" / "s0.tif"
    image = tifffile.imread(path)
    image[0, 0] += 1
    before = path.stat()
    tifffile.imwrite(path, image)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    changed = open_any(folder)
    assert changed.digest != first.digest
    assert changed.read_image("s0")[0, 0, 0] == image[0, 0]


def test_an_import_in_passing_is_kept_for_each_target_and_meaning_of_masks(folder):
    for path in (folder / "labels").iterdir():
        tifffile.imwrite(path, (tifffile.imread(path) > 0).astype(np.uint8) * 255)
    with pytest.raises(DatasetError, match="a binary mask") as caught:
        open_any(folder, target="cells")
    assert caught.value.mend.startswith("add --binary")
    cells = open_any(folder, target="cells", binary=True)
    assert cells.manifest.targets == ("cells",)
    assert cells.read_labels("s0", "cells").max() == cells.row("s0")["n_cells"] > 1
    assert open_any(folder, binary=True).manifest.targets == ("nuclei",)
    with pytest.raises(DatasetError, match="a binary mask"):
        open_any(folder)


def test_a_data_set_says_itself_what_its_labels_are_of(make_dataset):
    made = make_dataset()
    assert open_any(made.path, target="cells", binary=True).manifest.targets == ("nuclei",)


def test_an_import_may_have_another_name_and_place(folder, tmp_path):
    dataset = open_any(folder, cache=tmp_path / "elsewhere", name="mine")
    assert dataset.name == "mine"
    assert dataset.path.parent == tmp_path / "elsewhere"


def test_a_failed_import_is_tried_again(folder):
    labels = (folder / "labels" / "s2.tif").read_bytes()
    (folder / "labels" / "s2.tif").unlink()
    with pytest.raises(DatasetError, match="without labels"):
        open_any(folder)
    (folder / "labels" / "s2.tif").write_bytes(labels)
    assert len(open_any(folder)) == 4


def test_a_data_set_is_opened_where_it_is(make_dataset):
    made = make_dataset()
    assert open_any(made.path).path == made.path


def test_what_cannot_be_opened_is_told(tmp_path):
    with pytest.raises(DatasetError, match="no such folder") as caught:
        open_any(tmp_path / "nowhere")
    assert "cellgen-nuclei" in caught.value.mend
    with pytest.raises(DatasetError, match="in no layout"):
        open_any(tmp_path)


@pytest.mark.parametrize(
    ("name", "expected"), [("bbbc039", "bbbc039"), ("A b (c)", "A-b-c"), ("..é..", "dataset")]
)
def test_a_data_set_is_called_after_its_folder(tmp_path, name, expected):
    assert name_of(tmp_path / name) == expected


def test_crops_of_real_images_are_taken_as_they_are(shared_data):
    source = shared_data / "mini"
    dataset = open_any(source)
    assert len(dataset) == 8
    assert dataset.samples["n_nuclei"].tolist() == dataset.samples["n_cells"].tolist()
    for row in dataset.samples.itertuples():
        with Image.open(source / "labels" / f"{row.id}.png") as file:
            np.testing.assert_array_equal(dataset.read_labels(row.id), np.asarray(file))
        with Image.open(source / "images" / f"{row.id}.png") as file:
            image = np.asarray(file)
        np.testing.assert_array_equal(dataset.read_image(row.id)[0], image)
        assert dataset.read_image(row.id).dtype == image.dtype
    assert verify(dataset.path) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("dsb2018_fluo", ({"train": 342, "val": 54}, 15_298, 272)),
        ("bbbc039", ({"train": 100, "val": 50}, 17_849, 150)),
    ],
)
def test_real_sets_are_taken_as_they_are(shared_data, tmp_path, name, expected):
    splits, objects, scenes = expected
    dataset = import_folder(shared_data / name, tmp_path / name, name=name, version="1.0.0")
    assert dataset.manifest.splits == splits
    assert len(dataset.objects) == dataset.samples["n_nuclei"].sum() == objects
    assert (dataset.samples["n_cells"] == dataset.samples["n_nuclei"]).all()
    assert dataset.samples["scene"].nunique() == scenes
    medians = dataset.objects.groupby("sample")["area"].median()
    stated = dataset.samples.set_index("id")["median_area"].dropna()
    assert (medians == stated[medians.index]).all()
    touching = dataset.objects.groupby("sample")["touching"].mean()
    stated = dataset.samples.set_index("id")["touch_frac"].dropna()
    np.testing.assert_allclose(touching, stated[touching.index], atol=1e-4)
    assert verify(dataset.path) == []
    assert Dataset.open(dataset.path).digest == dataset.digest
