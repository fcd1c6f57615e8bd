"""Scenes whose spots are painted: only the light of the spots is another."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from generators.render import render
from generators.seeds import Seed
from generators.spots import Spots
from generators.spottexture.files import save

SEED = Seed.root(5)
DIALS = {"inside": "anywhere", "spots_per_megapixel": 3000, "spot_photons": 3000}


@pytest.fixture
def pair(scene_of, stored, tmp_path):
    """Return a scene with analytic spots, and the same with painted ones."""
    save(tmp_path / "tiny.safetensors", stored)

    def rendered(**dials):
        return [
            render(
                scene_of(
                    spots=Spots(**DIALS, **dials, painter=painter),
                    channels={"dna": ("nuclei",), "spots": ("spots",)},
                ),
                SEED,
            )
            for painter in ("analytic", str(tmp_path / "tiny.safetensors"))
        ]

    return rendered


@pytest.mark.parametrize("combine", ["photons", "saturating"])
def test_truth_and_other_light_stay_and_photons_are_kept(pair, combine):
    plain, painted = pair(combine=combine)
    assert painted.spots.equals(plain.spots)
    assert painted.objects.equals(plain.objects)
    assert np.array_equal(painted.labels["nuclei"], plain.labels["nuclei"])
    assert np.array_equal(painted.image[0], plain.image[0])
    assert not np.array_equal(painted.image[1], plain.image[1])
    ground = np.median(plain.expected[1])
    one, two = ((made.expected[1] - ground).sum() for made in (plain, painted))
    assert two == pytest.approx(one, rel=0.03)  # some light falls beyond the frame


def test_the_same_seed_paints_the_same(pair):
    (_, one), (_, two) = pair(), pair()
    assert np.array_equal(one.image, two.image)
