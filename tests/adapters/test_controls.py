"""The controls and the classical baseline, called as plain classes."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.registry import find


def segmenter(name, **parameters):
    """Return an instance of a shipped segmenter, loaded by path as the worker does."""
    adapter, model = find(name)
    spec = importlib.util.spec_from_file_location(f"segmenter_{name}", adapter.segmenter)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Segmenter(model.argument, adapter.resolve(parameters), "cpu")


def discs(*places, shape=(64, 64), bright=1000, dark=100):
    """Return an image (1, Y, X) of discs (y, x, radius)."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    image = np.full(shape, dark, np.uint16)
    for y, x, radius in places:
        image[(rows - y) ** 2 + (columns - x) ** 2 <= radius**2] = bright
    return image[np.newaxis]


def test_oracle_returns_the_truth():
    truth = np.arange(12, dtype=np.uint32).reshape(1, 3, 4)
    assert np.array_equal(segmenter("oracle").segment(truth), truth[0])


def test_empty_returns_nothing():
    labels = segmenter("empty").segment(discs((30, 30, 9)))
    assert labels.shape == (64, 64)
    assert not labels.any()


@given(st.integers(0, 255), st.integers(1, 90), st.integers(1, 90))
def test_random_depends_on_the_image_alone(value, height, width):
    image = np.full((1, height, width), value, np.uint8)
    one, two = segmenter("random").segment(image), segmenter("random").segment(image)
    assert np.array_equal(one, two)
    assert one.shape == (height, width)


def test_random_knows_nothing_of_the_objects():
    # Another seed for another image, but no more discs where there are more objects.
    few = [segmenter("random").segment(discs((9, 9, 3 + i), shape=(256, 256))) for i in range(9)]
    many = [
        segmenter("random").segment(
            discs(
                *[(y, x, 3 + i) for y in range(20, 250, 30) for x in range(20, 250, 30)],
                shape=(256, 256),
            )
        )
        for i in range(9)
    ]
    assert len({labels.tobytes() for labels in few + many}) == 18
    covered = [np.mean([np.mean(labels > 0) for labels in group]) for group in (few, many)]
    assert all(0.04 < share < 0.3 for share in covered)


def test_otsu_finds_discs_where_they_are():
    image = discs((16, 16, 8), (44, 40, 10))
    labels = segmenter("otsu-watershed").segment(image)
    assert labels.max() == 2
    assert len({labels[16, 16], labels[44, 40], 0}) == 3
    truth = image[0] > 500
    assert np.sum((labels > 0) & truth) / np.sum((labels > 0) | truth) > 0.95


def test_otsu_parts_touching_discs():
    image = discs((32, 22, 10), (32, 40, 10))
    labels = segmenter("otsu-watershed").segment(image)
    assert labels[32, 22] != labels[32, 40]
    assert labels.max() == 2


def test_otsu_drops_what_is_too_small():
    image = discs((16, 16, 8), (44, 40, 2))
    assert len(np.unique(segmenter("otsu-watershed").segment(image))) == 2
    assert len(np.unique(segmenter("otsu-watershed", min_size=0).segment(image))) == 3


def test_otsu_takes_the_channel_it_is_told():
    image = np.concatenate([discs(), discs((30, 30, 9))])
    assert segmenter("otsu-watershed").segment(image).any()
    assert not segmenter("otsu-watershed", channel=1).segment(image).any()
    assert segmenter("otsu-watershed", channel=2).segment(image).any()
    with pytest.raises(ValueError, match="no channel 3: the image has 2"):
        segmenter("otsu-watershed", channel=3).segment(image)


@pytest.mark.parametrize("value", [0, 7, 65535])
@pytest.mark.parametrize("shape", [(1, 1), (5, 9), (0, 4)])
def test_otsu_finds_nothing_in_a_constant_image(value, shape):
    image = np.full((1, *shape), value, np.uint16)
    assert not segmenter("otsu-watershed").segment(image).any()
