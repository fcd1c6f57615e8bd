from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from benchmark.dataset import DatasetWriter, SampleInput
from benchmark.errors import BenchError, DatasetError
from generators.masks import pictures
from generators.masks.pictures import open_pictures
from generators.shapes.maps import Frames, MapSettings, outlines_of


@pytest.fixture
def images(tmp_path):
    """A folder of two grey pictures and one colour picture, with classes."""
    rng = np.random.default_rng(0)
    place = tmp_path / "images"
    place.mkdir()
    for k, shape in enumerate([(20, 30), (24, 24), (18, 18, 3)]):
        values = rng.integers(0, 256, shape, np.uint8)
        Image.fromarray(values).save(place / f"{k}.png")
    (place / "dataset.json").write_text('{"labels": [["0.png", 0], ["1.png", 2], ["2.png", 1]]}')
    return place


@pytest.fixture
def nuclei(tmp_path):
    """A data set of one image of 24 ellipses for each of two splits."""
    y, x = np.indices((120, 180))
    labels = np.zeros((120, 180), np.uint16)
    for k in range(24):
        row, column = divmod(k, 6)
        long = 9 + k % 4
        labels[((y - 15 - 30 * row) / 10) ** 2 + ((x - 15 - 30 * column) / long) ** 2 < 1] = k + 1
    with DatasetWriter(
        tmp_path / "nuclei", name="nuclei", version="1.0.0", targets=("nuclei",), channels=("dna",)
    ) as writer:
        for split in ("train", "val"):
            image = labels[None] * np.uint16(100)
            writer.add(SampleInput(id=split, image=image, labels={"nuclei": labels}, split=split))
    return tmp_path / "nuclei"


@pytest.mark.parametrize("shown", ["residual", "distance"])
def test_objects_come_with_what_turns_their_maps_back(nuclei, shown):
    found = open_pictures(nuclei, "objects", 24, split="train", map=shown)
    assert found.images.shape == (24, 1, 24, 24)
    assert np.abs(found.images).max() <= 1
    content = json.loads(found.content)
    assert content["kind"] == "objects"
    settings = MapSettings.from_json(json.dumps(content["map"]))
    assert (settings.kind, settings.resolution) == (shown, 24)
    frames = Frames.from_json(json.dumps(content["frames"]))
    assert frames.sample(50, np.random.default_rng(0)).shape == (50, 2)
    outlines = outlines_of(found.images, np.tile([1.0, 1.2], (24, 1)), settings)
    assert all(outline is not None for outline in outlines)
    assert found.summary["dropped"] == {"border": 0, "small": 0, "few": 0, "fragments": 0}
    assert "foreground" not in found.summary  # of one object it says little


@pytest.mark.parametrize(("shown", "mirrored"), [("residual", [3, 2]), ("distance", [3])])
def test_objects_come_with_their_mirror_images(nuclei, shown, mirrored):
    plain = open_pictures(nuclei, "objects", 24, split="train", map=shown).images
    found = open_pictures(nuclei, "objects", 24, split="train", map=shown, flip=True).images
    expected = plain
    for axis in mirrored:
        expected = np.concatenate([expected, np.flip(expected, axis)])
    assert np.array_equal(found, expected)


def test_objects_of_several_data_sets(nuclei, tmp_path):
    (tmp_path / "with, comma").symlink_to(nuclei)
    one = open_pictures(nuclei, "objects", 24, split="train")
    two = open_pictures(f"{nuclei},{nuclei}", "objects", 24, split="train")
    assert np.array_equal(two.images, np.concatenate([one.images, one.images]))
    again = open_pictures(tmp_path / "with, comma", "objects", 24, split="train")
    assert again.digest == one.digest


def test_a_resolution_too_large_for_maps_is_refused(nuclei):
    with pytest.raises(BenchError, match="no such map"):
        open_pictures(nuclei, "objects", 1024)


def test_fields_of_a_data_set(nuclei):
    found = open_pictures(nuclei, "fields", 32, split="val", pixel_diameter=8)
    assert found.images.shape[1:] == (1, 32, 32)
    assert found.classes is None
    content = json.loads(found.content)
    assert content == {"kind": "fields", "level": 0.0, "pixel_diameter": 8, "reach": 3.0}
    assert found.summary["count"] == len(found.images)
    again = open_pictures(nuclei, "fields", 32, split="val", pixel_diameter=8)
    assert again.digest == found.digest
    other = open_pictures(nuclei, "fields", 32, split="val", pixel_diameter=9)
    assert other.digest != found.digest


def test_pictures_are_brought_to_one_shape(images):
    found = open_pictures(images, "pictures", 16)
    assert found.images.shape == (3, 1, 16, 16)
    assert found.images.dtype == np.float32
    assert np.abs(found.images).max() <= 1
    assert found.classes.tolist() == [[1, 0, 0], [0, 0, 1], [0, 1, 0]]
    assert json.loads(found.content)["level"] == pytest.approx(0.882, abs=1e-3)
    colour = open_pictures(images, "pictures", 16, channels=3)
    assert colour.images.shape == (3, 3, 16, 16)
    np.testing.assert_array_equal(colour.images[0, 0], found.images[0, 0])
    np.testing.assert_array_equal(colour.images[0, 0], colour.images[0, 2])
    stretched = open_pictures(images, "pictures", 16, fit="stretch")
    assert not np.array_equal(stretched.images[0], found.images[0])
    np.testing.assert_array_equal(stretched.images[1], found.images[1])


def test_pictures_become_masks_by_a_threshold(images):
    found = open_pictures(images, "pictures", 16, threshold=128)
    assert set(np.unique(found.images)) == {-1, 1}
    assert json.loads(found.content)["level"] == 0
    filled = open_pictures(images, "pictures", 16, threshold=128, fill=True)
    assert (filled.images >= found.images).all()
    assert filled.summary["mean_foreground"] > found.summary["mean_foreground"]


def test_variants_keep_their_class(images):
    found = open_pictures(images, "pictures", 16, flip=True, brightness=0.1)
    assert len(found.images) == 18
    assert found.classes.argmax(axis=1).tolist() == [0] * 6 + [2] * 6 + [1] * 6


def test_many_pictures_are_kept_in_a_file(images, monkeypatch):
    small = open_pictures(images, "pictures", 16)
    monkeypatch.setattr(pictures, "MEMORY", 1000)
    large = open_pictures(images, "pictures", 16)
    assert isinstance(large.images, np.memmap)
    np.testing.assert_array_equal(large.images, small.images)
    assert large.digest == small.digest


def test_the_digest_is_of_classes_too(images):
    before = open_pictures(images, "pictures", 16).digest
    (images / "dataset.json").unlink()
    assert open_pictures(images, "pictures", 16).digest != before


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("feilds", {}, "unknown content"),
        ("fields", {"diameter": 12}, "no option 'diameter'"),
        ("pictures", {"pixel_diameter": 12}, "no option"),
        ("fields", {"layout": "tiles"}, "layout is 'tiles'"),
        ("pictures", {"fit": "pad"}, "fit is 'pad'"),
        ("pictures", {"channels": 2}, "channels is 2"),
        ("pictures", {"threshold": 300}, "threshold is 300"),
        ("fields", {"reach": float("nan")}, "reach is nan"),
        ("fields", {"turn": -1}, "turn is -1"),
        ("objects", {"smallest": 0}, "smallest is 0"),
        ("objects", {"map": "binary"}, "map is 'binary'"),
    ],
)
def test_options_that_mean_nothing_are_refused(images, content, options, message):
    path = images if content == "pictures" else "builtin"
    with pytest.raises(BenchError, match=message):
        open_pictures(path, content, 16, **options)


@pytest.mark.parametrize("resolution", [0, 7, 5000])
def test_resolutions_have_limits(resolution):
    with pytest.raises(BenchError, match="out of its limits"):
        open_pictures("builtin", "fields", resolution)


def test_fields_too_large_for_the_images_are_an_error(nuclei):
    with pytest.raises(DatasetError, match="no field of 200 px is left"):
        open_pictures(nuclei, "fields", 200)
