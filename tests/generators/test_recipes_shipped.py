"""Shipped recipes make what they say: as real sets measure, and paired over the same scenes."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from generators.generate import make, plan, settle
from generators.recipe import load

LAPLACE = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], float)


def of_image(sample):
    """The figures of an image as `stats.json` defines them."""
    image, labels = sample.image[0].astype(float), sample.labels["nuclei"]
    far = ndimage.distance_transform_edt(labels == 0) > 5
    noise = ndimage.convolve(image, LAPLACE)[far].std() / 6
    ground, shown = image[far].mean(), image[labels > 0].mean()
    return {
        "density_per_megapixel": labels.max() / labels.size * 1e6,
        "foreground_fraction": (labels > 0).mean(),
        "bg_mean": ground,
        "contrast_fg_minus_bg": shown - ground,
        "noise_sigma_laplacian_std": noise,
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "real", "n"), [("nuclei", "bbbc039", 16), ("nuclei-parametric", "bbbc039", 48)]
)
def test_a_recipe_measures_as_the_real_set_it_is_like(shared_data, name, real, n):
    known = json.loads((shared_data / "stats.json").read_text())[real]["train"]
    recipe = load(name)
    made = [make(recipe, task) for task in plan(recipe, 0)[:n]]
    rows = [of_image(sample) for sample in made if sample.labels["nuclei"].any()]
    # A frame of 256 px has few nuclei: what varies from frame to frame is held less tightly.
    for figure, within in (
        ("density_per_megapixel", 0.25),
        ("foreground_fraction", 0.25),
        ("bg_mean", 0.08),
        ("contrast_fg_minus_bg", 0.15),
        ("noise_sigma_laplacian_std", 0.1),
    ):
        found = np.median([row[figure] for row in rows])
        assert found == pytest.approx(known["per_image"][figure]["p50"], rel=within), figure
    areas = np.concatenate(
        [s.objects.loc[~s.objects["border"], "outline_area"].to_numpy() for s in made]
    )
    for share in (25, 50, 75):
        assert np.percentile(areas, share) == pytest.approx(
            known["per_cell"]["area_px"][f"p{share}"], rel=0.2
        )


def test_the_sweeps_turn_one_factor_each_over_the_same_scenes():
    recipe = load("sweeps")
    tasks = plan(recipe, 0)
    assert len({task.scene for task in tasks}) == 6
    assert set(recipe.sweep) == {
        "density", "overlap", "snr", "blur", "illumination", "spot_photons",
    }  # fmt: skip
    of_one = [settle(recipe, task)[1] for task in tasks if task.scene == "test-0000"]
    for factors in of_one:
        for dial in set(recipe.sweep) - {factors["factor"]}:
            others = {f[dial] for f in of_one if f["factor"] != dial}
            assert others == {factors[dial]}


def test_brighter_spots_are_the_same_spots():
    recipe = load("sweep-spots")
    recipe = recipe.model_copy(update={"size": 96})
    few, many = (make(recipe, task) for task in plan(recipe, 0)[:2])
    ratio = many.spots["photons"].to_numpy() / few.spots["photons"].to_numpy()
    assert ratio == pytest.approx(np.full(len(few.spots), 2.0), rel=1e-3)
    assert few.spots[["y", "x"]].equals(many.spots[["y", "x"]])


def test_micronuclei_are_small_and_leave_scenes_without_them(scene_of):
    from generators.render import render
    from generators.seeds import Seed

    settings = scene_of(layout={"density": 0.2, "micronuclei": 0.3})
    none = replace(settings, layout=replace(settings.layout, micronuclei=0.0))
    areas = [
        np.concatenate(
            [render(s, Seed.root(k)).objects["outline_area"].to_numpy() for k in range(6)]
        )
        for s in (none, settings)
    ]
    small = [np.mean(a < 0.4 * np.pi * 100) for a in areas]
    assert small[0] < 0.03
    assert 0.15 < small[1] < 0.45
