"""Crops of real spots: what is said of a spot is where the light is, however a crop is turned."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.errors import DatasetError
from generators.spottexture.examples import SIZE, examples_of
from generators.spottexture.fitting import fit
from generators.spottexture.reading import Field


@pytest.fixture(scope="module")
def examples(made):
    image, spots = made
    return examples_of([Field("one", image, spots.positions[:-2])])


def test_spots_that_were_not_marked_are_learned_from_too(examples, made):
    assert examples.spots == len(made[1].photons)
    assert examples.names == ("one",)
    assert len(examples.digest) == 64


def test_spots_are_where_the_light_is_in_every_turn(examples):
    numbers = 14 + examples.spots * np.arange(8)
    crops = examples.crops(numbers)
    assert crops.real.shape == (8, SIZE, SIZE)
    for k in range(8):
        own = crops.positions[crops.crop == k]
        inside = own[np.all((own > 6) & (own < SIZE - 7), axis=1)].astype(float)
        assert len(inside) > 0
        found = fit(crops.real[k].astype(float), inside)
        assert np.abs(found.positions - inside).max() < 0.15
        assert np.abs(crops.clean[k][tuple(np.rint(inside).astype(int).T)]).max() < 0.2


def test_crops_follow_from_their_numbers(examples):
    one, two = examples.crops(np.array([3, 70])), examples.crops(np.array([70]))
    assert np.array_equal(one.real[1], two.real[0])
    assert np.array_equal(one.positions[one.crop == 1], two.positions)
    # In peaks of the median spot, a Gaussian of 1.3 px has about 2π · 1.3² of light.
    assert np.median(one.light) == pytest.approx(2 * np.pi * (1.3**2 + 1 / 12), rel=0.2)


def test_an_image_without_enough_spots_is_refused(made):
    image, spots = made
    with pytest.raises(DatasetError, match="20 spots"):
        examples_of([Field("one", image[:32, :32], spots.positions[:2])])
