"""Real images to learn from: crops, bias of the annotators, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from benchmark.dataset import open_any
from benchmark.errors import BenchError
from generators.painting.examples import read


@pytest.fixture
def dataset(draw, photograph, tmp_path):
    """Two images of discs that annotators drew half a pixel too large."""
    for name in ("images", "labels"):
        (tmp_path / "set" / name).mkdir(parents=True)
    rng = np.random.default_rng(0)
    for k in range(2):
        centres = [(y + 5 * k, x) for y in (24, 72) for x in (24, 72)]
        labels = draw((96, 96), centres, [13, 15, 12, 14])
        light = photograph(labels, inside=0.5)
        image = np.rint(light + np.sqrt(0.4 * (light - 105)) * rng.standard_normal(light.shape))
        Image.fromarray(image.astype(np.uint16)).save(tmp_path / "set" / "images" / f"{k}.png")
        Image.fromarray(labels).save(tmp_path / "set" / "labels" / f"{k}.png")
    return open_any(tmp_path / "set", cache=tmp_path / "cache")


def test_the_annotators_bias_is_measured_and_taken_out(dataset):
    examples = read(dataset, None, None, 64)
    assert examples.bias == pytest.approx(0.5, abs=0.1)
    drawn = read(dataset, None, None, 64).images[0].geometry
    straight = drawn.signed[24, 24 - 13 + 3] - drawn.signed[24, 24 - 13]
    assert straight == pytest.approx(3, abs=0.2)
    assert drawn.signed[24, 12] < 0.6


def test_noise_and_scale_are_common_or_each_images_own(dataset):
    common, own = (read(dataset, None, None, 64, own=o) for o in (False, True))
    assert {one.noise for one in common.images} == {common.noise}
    assert len({one.noise for one in own.images}) == 2
    assert common.scale == own.scale
    assert common.digest == own.digest


def test_crops_are_parts_of_the_images(dataset):
    examples = read(dataset, None, None, 64)
    crops = examples.crops(np.array([0, 1, 7, 0]), 48)
    assert crops.seen.shape == (4, 1, 48, 48)
    assert (crops.seen[0] == crops.seen[3]).all()
    assert not (crops.seen[0] == crops.seen[2]).all()
    levels = set(np.unique(examples.images[0].seen).tolist())
    assert set(np.unique(crops.seen[0]).tolist()) <= levels


def test_objects_of_different_crops_have_different_numbers(dataset):
    objects = read(dataset, None, None, 64).crops(np.arange(6), 48).objects
    own = [set(np.unique(one[one > 0]).tolist()) for one in objects]
    assert len(set.union(*own)) == sum(map(len, own))
    assert set.union(*own) == set(range(1, objects.max() + 1))


def test_images_that_are_too_small_are_left_out(dataset):
    with pytest.raises(BenchError, match="no image of 128 px"):
        read(dataset, None, None, 128)
