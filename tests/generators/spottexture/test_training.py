"""A step of learning: sizes of spots are kept, and steps follow from their numbers."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from generators.spottexture import examples as examples_of  # noqa: E402
from generators.spottexture.examples import examples_of as examples_from  # noqa: E402
from generators.spottexture.lattice import SIDE  # noqa: E402
from generators.spottexture.network import placed  # noqa: E402
from generators.spottexture.options import SpotOptions  # noqa: E402
from generators.spottexture.reading import Field  # noqa: E402
from generators.spottexture.training import Scenes, seen, start, step  # noqa: E402

TINY = SpotOptions(channels=4, layers=1, ndf=4, batch=2)


def test_placed_spots_have_their_centroids_where_they_belong():
    rng = torch.Generator().manual_seed(0)
    weights = torch.rand(3, SIDE, SIDE, generator=rng, dtype=torch.float64) ** 8
    at = torch.tensor([[16.0, 16.0], [15.4, 16.7], [17.1, 14.9]], dtype=torch.float64)
    pictures = placed(weights, at, torch.full((3,), 0.9, dtype=torch.float64), 32)
    assert torch.allclose(pictures.sum(dim=(1, 2)), weights.sum(dim=(1, 2)))
    own = torch.arange(32, dtype=torch.float64)
    rows = (pictures.sum(dim=2) * own).sum(dim=1) / pictures.sum(dim=(1, 2))
    columns = (pictures.sum(dim=1) * own).sum(dim=1) / pictures.sum(dim=(1, 2))
    assert torch.allclose(torch.stack([rows, columns], dim=1), at, atol=2e-3)


def test_networks_see_alike_in_both_libraries():
    light = np.linspace(-0.2, 3, 50)
    assert seen(torch.tensor(light)).numpy() == pytest.approx(examples_of.seen(light))


@pytest.mark.training
def test_steps_learn_and_follow_from_their_numbers(made):
    image, spots = made
    examples = examples_from([Field("one", image, spots.positions)])
    crops = examples.crops(np.arange(0, 24, 6))
    scenes = Scenes(crops)
    drawn = torch.Generator().manual_seed(0)
    first = start(TINY, 1, 1.0)
    with torch.no_grad():
        painted = scenes.painted(first.generator, drawn)
    # Before anything is learned, spots are nearly the Gaussians that these are.
    assert np.corrcoef(painted.numpy().ravel(), scenes.real.numpy().ravel())[0, 1] > 0.95
    second = start(TINY, 1, 1.0)
    figures = [(step(first, crops), step(second, crops)) for _ in range(3)]
    assert all(one == two for one, two in figures)
    assert first.pictures == 12
    for one, two in zip(first.average.parameters(), second.average.parameters(), strict=True):
        assert torch.equal(one, two)
