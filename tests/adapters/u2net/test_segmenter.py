"""The segmenter in its own environment, on images as they come."""

from __future__ import annotations

import numpy as np
import pytest

from adapters.errors import SegmenterError, WeightsUnavailableError
from benchmark.scoring import score

pytestmark = pytest.mark.segmenter

SAVE_PUBLISHED = """
import torch
from network import U2Net
torch.manual_seed(0)
state = U2Net(3, 1, small=sys.argv[2] == "small").state_dict()
torch.save(state, sys.argv[1])
print(json.dumps(len(state)))
"""

SAVE_OTHER = """
import torch
torch.save({"layer.weight": torch.zeros(3)}, sys.argv[1])
print(json.dumps(1))
"""

SAVE_TRAP = """
import pathlib, torch
class Trap:
    def __reduce__(self):
        return (pathlib.Path.touch, (pathlib.Path(sys.argv[2]),))
torch.save({"stage1": Trap()}, sys.argv[1])
print(json.dumps(1))
"""

GROW = """
import numpy as np
from segmenter import grow
depth = np.array([[0, .5, 1, .5, .4, .5, 1, .5, 0, 0, .2, 0]])
depth = np.repeat(np.repeat(depth, 5, 1), 9, 0)
labels = grow(depth, depth > 0, float(sys.argv[1]), int(sys.argv[2]))
print(json.dumps([labels.max().item(), labels[4, ::5].tolist()]))
"""

TILES = """
import segmenter
segmenter.FIELD, segmenter._OVERLAP = 10, 4
print(json.dumps([segmenter._tiles(n) for n in (1, 10, 11, 16, 25)]))
"""


def test_it_finds_what_is_plain_to_see(worker, discs):
    image, labels = discs
    found = score(labels, worker().segment(image).labels)
    assert found.ap[0] == 1.0


@pytest.mark.parametrize("shape", [(1, 37, 53), (1, 1, 1), (3, 64, 65), (2, 5, 130)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_any_size_type_and_number_of_channels(worker, shape, dtype):
    rng = np.random.default_rng(0)
    image = rng.integers(0, np.iinfo(dtype).max, shape, dtype)
    assert worker().segment(image).labels.shape == shape[1:]


def test_an_image_without_contrast_has_no_objects(worker):
    assert not worker().segment(np.full((1, 40, 40), 700, np.uint16)).labels.any()


def test_gain_and_channels_of_equal_content_change_nothing(worker, discs):
    image, _ = discs
    segmenter = worker()
    expected = segmenter.segment(image).labels
    np.testing.assert_array_equal(segmenter.segment(image * 4).labels, expected)
    np.testing.assert_array_equal(segmenter.segment(np.repeat(image, 3, 0)).labels, expected)


def test_a_channel_can_be_chosen(worker, discs):
    image, _ = discs
    two = np.concatenate((np.zeros_like(image), image))
    np.testing.assert_array_equal(
        worker(channel=2).segment(two).labels, worker().segment(image).labels
    )
    with pytest.raises(SegmenterError, match="channel 3 of an image with 2"):
        worker(channel=3).segment(two)


def test_a_tiled_image_is_segmented_like_a_whole_one(worker, discs):
    image, labels = discs
    # Larger than a tile along one axis; the discs lie across the seam.
    wide = np.tile(image, (1, 1, 10))
    found = score(
        np.concatenate([np.where(labels > 0, labels + 9 * n, 0) for n in range(10)], 1),
        worker().segment(wide).labels,
    )
    assert wide.shape[2] > 1024
    assert found.ap[0] > 0.97


@pytest.mark.parametrize("size", ["small", "full"])
def test_the_authors_weights_load_by_name(inside, worker, tmp_path, discs, size):
    path = tmp_path / "published.pth"
    inside(SAVE_PUBLISHED, path, size)
    image, _ = discs
    assert worker(path).segment(image).labels.shape == image.shape[1:]


def test_the_authors_weights_are_found_by_name(inside, worker, tmp_path, discs, monkeypatch):
    image, _ = discs
    monkeypatch.delenv("U2NET_HOME", raising=False)
    for model, home, folder in (("u2netp", "HOME", ".u2net"), ("u2net", "U2NET_HOME", ".")):
        monkeypatch.setenv(home, str(tmp_path))
        path = tmp_path / folder / f"{model}.pth"
        path.parent.mkdir(exist_ok=True)
        inside(SAVE_PUBLISHED, path, "small")
        by_name = worker(model).segment(image).labels
        np.testing.assert_array_equal(by_name, worker(path).segment(image).labels)


@pytest.mark.parametrize("model", ["u2net", "u2netp"])
def test_without_the_authors_weights_it_says_where_to_get_them(
    worker, tmp_path, monkeypatch, model
):
    monkeypatch.setenv("U2NET_HOME", str(tmp_path))
    with pytest.raises(WeightsUnavailableError, match="xuebinqin/U-2-Net") as caught:
        worker(model).start()
    assert str(tmp_path / f"{model}.pth") in caught.value.what


def test_other_weights_are_refused(inside, worker, tmp_path, discs):
    path = tmp_path / "other.pth"
    inside(SAVE_OTHER, path)
    with pytest.raises(SegmenterError, match="holds no weights of a U2-Net"):
        worker(path).segment(discs[0])


def test_nothing_in_a_file_is_executed(inside, worker, tmp_path, discs):
    path, touched = tmp_path / "trap.pth", tmp_path / "touched"
    inside(SAVE_TRAP, path, touched)
    with pytest.raises(SegmenterError, match=r"[Ww]eights.only"):
        worker(path).segment(discs[0])
    assert not touched.exists()


def test_objects_grow_from_peaks_that_stand_out(inside):
    # Two peaks of 1 with a dip to 0.4 between, and a low one of 0.2, each step 5 pixels wide.
    two_and_low = [0, 1, 1, 1, 1, 2, 2, 2, 0, 0, 3, 0]
    count, row = inside(GROW, 0.1, 0)
    assert count == 3
    assert [row[i] for i in (1, 2, 3, 5, 6, 7, 10)] == [
        two_and_low[i] for i in (1, 2, 3, 5, 6, 7, 10)
    ]
    assert inside(GROW, 0.8, 0)[0] == 1  # no dip is that deep, and the low peak not that high
    assert inside(GROW, 0.1, 60)[0] == 2  # the low one has 5 x 9 pixels


def test_tiles_cover_an_axis_once(inside):
    for length, tiles in zip((1, 10, 11, 16, 25), inside(TILES), strict=True):
        kept = [p for _, first, end in tiles for p in range(first, end)]
        assert kept == list(range(length))
        assert all(start <= first and end <= start + 10 for start, first, end in tiles)
