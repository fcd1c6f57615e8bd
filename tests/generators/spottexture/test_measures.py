"""What painted spots are measured by."""

from __future__ import annotations

import numpy as np
import pytest

from generators.seeds import Seed
from generators.spottexture.examples import measure
from generators.spottexture.measures import about, alone, put_right, repainted, spectrum
from generators.spottexture.reading import Field


def test_power_of_white_noise_is_even():
    power = spectrum(np.random.default_rng(0).standard_normal((400, 32, 32)))
    assert power / power.mean() == pytest.approx(np.ones(8), abs=0.1)


def test_painted_spots_alone_are_where_they_were_asked_for(painter):
    made = alone(painter, 0, 1.4, Seed.root(0), count=9)
    assert len(made.light) == 9
    assert made.light == pytest.approx(np.full(9, 1000), rel=1e-6)
    assert np.abs(made.centroids - made.asked.positions).max() < 0.01


@pytest.mark.slow
def test_width_is_put_right(stored):
    from generators.spottexture.painter import SpotPainter

    right = put_right(stored)
    for number, kind in enumerate(right.kinds):
        made = alone(SpotPainter(right), number, 1.3, Seed.root(7), count=16)
        assert np.median(made.found.sigmas) == pytest.approx(1.3, rel=0.05)
        assert 0.5 < kind.share < 1.1


@pytest.mark.slow
def test_an_image_is_painted_anew(painter, made):
    image, spots = made
    example = measure(Field("one", image, spots.positions), Seed.root(0))
    assert about(example)["spots"] == len(spots.photons)
    assert about(example)["sigma (px)"] == pytest.approx(1.3, rel=0.03)
    for who in (painter, None):
        again = repainted(who, 1, example, Seed.root(1))
        rows, columns = np.rint(spots.positions).astype(int).T
        assert np.corrcoef(again[rows, columns], image[rows, columns])[0, 1] > 0.7
        assert again.sum() == pytest.approx(image.sum(), rel=0.05)
