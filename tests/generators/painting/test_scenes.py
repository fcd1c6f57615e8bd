"""Scenes with a painter: its light and background in place of the parametric ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from benchmark.dataset import Dataset  # noqa: E402
from generators.errors import RecipeError  # noqa: E402
from generators.generate import generate  # noqa: E402
from generators.recipe import parse  # noqa: E402
from generators.render import render  # noqa: E402
from generators.seeds import Seed  # noqa: E402

SEED = Seed.root(2)


@pytest.fixture
def scene(painter, scene_of):
    """Settings of a painted scene without further optics; dials by section."""

    def settings(shading=None, optics=None, **sections):
        clear = {"blur": 0, "haze": 0, "illumination": 0, "debris": 0, "snr": 100}
        return scene_of(
            shading={"painter": str(painter.path), **(shading or {})},
            optics={**clear, **(optics or {})},
            layout={"density": 0.2, **sections.pop("layout", {})},
            **sections,
        )

    return settings


def test_labels_are_those_of_the_parametric_scene(scene):
    painted = render(scene(), SEED)
    plain = render(scene(shading={"painter": "parametric"}), SEED)
    assert (painted.labels["nuclei"] == plain.labels["nuclei"]).all()
    assert not (painted.image == plain.image).all()


def test_nuclei_are_bright_and_the_ground_is_not(scene):
    made = render(scene(), SEED)
    inside = made.labels["nuclei"] > 0
    assert np.median(made.expected[0][inside]) > 2 * np.median(made.expected[0][~inside])
    assert (made.expected[0] >= 100).all()


def test_same_seed_same_picture(scene):
    assert (render(scene(), SEED).image == render(scene(), SEED).image).all()


def test_snr_is_reached(scene):
    made = render(scene(optics={"snr": 12}), SEED)
    assert made.objects["snr"].median() == pytest.approx(12, rel=0.01)


def test_a_scene_without_nuclei_is_ground_alone(scene):
    made = render(scene(layout={"density": 0}), SEED)
    assert len(made.objects) == 0
    assert made.expected.std() < 0.1 * (made.expected.mean() - 100)


def test_variation_of_brightness_is_a_dial(scene):
    contrast = [
        render(scene(shading={"brightness_variation": v}), SEED).objects["contrast"]
        for v in (0.0, 0.28, 0.84)
    ]
    spreads = [np.log(c.clip(1)).std() for c in contrast]
    assert spreads[0] < spreads[1] < spreads[2]


def test_a_nucleus_keeps_its_light_when_the_noise_changes(scene):
    settings = scene()
    quiet = replace(settings, camera=replace(settings.camera, read_noise=30))
    one, two = (render(each, SEED).objects["contrast"] for each in (settings, quiet))
    assert np.corrcoef(one, two)[0, 1] > 0.999


def recipe(painter, **more):
    return parse(
        {
            "name": "painted",
            "version": "0.0.1",
            "size": 64,
            "splits": {"test": 3},
            "nuclei": {"diameter": 14},
            "shading": {"painter": str(painter)},
            **more,
        }
    )


@pytest.mark.slow
def test_workers_make_no_difference(painter, tmp_path):
    for workers in (1, 2):
        generate(recipe(painter.path), tmp_path / str(workers), workers=workers)
    one, two = (Dataset.open(tmp_path / str(n)) for n in (1, 2))
    assert one.digest == two.digest


def test_recipes_refuse_what_is_no_painter():
    with pytest.raises(RecipeError, match=r"shading.painter cannot be 'nuclie'") as error:
        recipe("nuclie")
    assert ".safetensors" in str(error.value)
    assert recipe("mine.safetensors").shading["painter"] == "mine.safetensors"
