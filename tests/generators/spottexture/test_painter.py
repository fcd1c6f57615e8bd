"""Painted spots: their middle is where it was asked for, their light what was asked for."""

from __future__ import annotations

import numpy as np
import pytest

from generators.painting.errors import PainterError
from generators.seeds import Seed
from generators.spots import SpotList
from generators.spottexture.painter import named, opened

SEED = Seed.root(3)


def spots(*rows):
    table = np.array(rows, float).reshape(-1, 4)
    return SpotList(table[:, :2], table[:, 2], table[:, 3])


def centroid(picture):
    return (np.indices(picture.shape) * picture).sum(axis=(1, 2)) / picture.sum()


@pytest.mark.parametrize("kind", [0, 1])
@pytest.mark.parametrize("at", [(30.0, 30.0), (29.51, 30.49), (30.1, 28.77)])
def test_position_and_photons_are_exact(painter, kind, at):
    picture = painter.paint(spots((*at, 700, 1.4)), (60, 60), SEED, kind=kind)
    assert picture.sum() == pytest.approx(700, rel=1e-9)
    assert centroid(picture) == pytest.approx(at, abs=1e-4)
    assert picture.min() >= 0


def test_width_is_what_was_asked_for(painter):
    from generators.spottexture.fitting import fit

    narrow, wide = (
        fit(painter.paint(spots((40, 40, 1e3, s)), (80, 80), SEED, kind=0), np.array([[40, 40]]))
        for s in (1.0, 1.8)
    )
    assert wide.sigmas[0] / narrow.sigmas[0] == pytest.approx(1.8, rel=0.1)


def test_spots_look_the_same_when_others_follow(painter):
    one = painter.paint(spots((20, 20, 500, 1.2)), (64, 64), SEED)
    two = painter.paint(spots((20, 20, 500, 1.2), (50, 50, 900, 1.2)), (64, 64), SEED)
    assert two[:34, :34] == pytest.approx(one[:34, :34], abs=1e-9)
    assert two.sum() == pytest.approx(1400)
    assert not np.allclose(one, painter.paint(spots((20, 20, 500, 1.2)), (64, 64), SEED.at("b")))


def test_spots_differ_from_each_other_and_from_gaussians(painter):
    shares = painter.weights(3, 1, SEED)
    assert shares.sum(axis=(1, 2)) == pytest.approx([1, 1, 1], abs=1e-12)
    assert np.abs(shares[0] - shares[1]).max() > 1e-4


def test_the_frame_cuts_spots_off_and_changes_nothing_else(painter):
    whole = painter.paint(spots((30, 33, 500, 1.2)), (60, 60), SEED, kind=0)
    part = painter.paint(spots((0, 3, 500, 1.2)), (30, 30), SEED, kind=0)
    assert part == pytest.approx(whole[30:, 30:], abs=1e-9)
    assert not painter.paint(spots((-40, 3, 500, 1.2)), (30, 30), SEED).any()
    assert not painter.paint(spots(), (30, 20), SEED).any()


def test_kinds_are_drawn_as_often_as_they_have_spots(painter):
    pictures = [painter.paint(spots((20, 20, 1, 1)), (40, 40), SEED.at(k)) for k in range(40)]
    kinds = [
        np.array_equal(picture, painter.paint(spots((20, 20, 1, 1)), (40, 40), SEED.at(k), kind=1))
        for k, picture in enumerate(pictures)
    ]
    assert 20 < sum(kinds) < 40
    assert painter.kinds == ("beads", "tissue")


def test_unknown_painters_are_named(tmp_path):
    with pytest.raises(PainterError) as caught:
        named("spot")
    assert "spots" in caught.value.mend
    with pytest.raises(PainterError, match="no painter here"):
        opened(tmp_path / "none.safetensors")
