"""Fitting: the camera by formulas, dials found again from the images that they made."""

from __future__ import annotations

import numpy as np
import pytest

from generators.errors import RecipeError
from generators.exposure import snr_of
from generators.like.fitting import fit, sensor
from generators.like.measuring import measured
from generators.like.report import comparison
from generators.recipe import parse


@pytest.mark.parametrize(
    ("gain", "signal", "dark", "read"),
    [(0.434, 1100, 100, 2.0), (2.0, 60, 40, 2.0), (0.05, 800, 60, 1.5)],
)
def test_the_sensor_has_the_figures_that_it_was_found_from(gain, signal, dark, read):
    offset = 50.0
    noise = np.sqrt(gain**2 * (dark + read**2) + 1 / 12)
    within = np.sqrt(gain**2 * (signal + dark + read**2) + 1 / 12)
    found = sensor(gain * signal, offset + gain * dark, noise, gain * signal / within)
    assert found.gain == pytest.approx(gain, rel=1e-3)
    electrons = found.background * signal
    assert found.offset + found.gain * electrons == pytest.approx(offset + gain * dark)
    assert electrons + found.read_noise**2 == pytest.approx(dark + read**2, rel=0.01)
    snr = snr_of(np.array([float(signal)]), np.array([electrons]), found.read_noise)[0]
    assert snr == pytest.approx(signal / np.sqrt(signal + dark + read**2), rel=0.01)


def test_a_background_too_dark_for_its_noise_is_read_noise():
    found = sensor(contrast=35, background=4.4, noise=0.55, snr=30)
    assert found.offset >= 0
    assert found.gain * found.background * 35 / found.gain <= 4.4 + 1e-9
    assert found.read_noise > 2


@pytest.mark.slow
def test_known_dials_are_found_again(known, samples_of):
    recipe = known(
        nuclei={"diameter": 16},
        layout={"density": 0.1},
        optics={"snr": 7, "blur": 0.8, "background": 0.4},
        camera={"gain": 2.0, "bit_depth": 16, "offset": 400},
    )
    real = measured([sample.image[0] for sample in samples_of(recipe)])
    base = parse({"name": "base", "version": "1.0.0", "size": 192})
    found = fit(real, base, "again", rounds=3)
    dials, sought = found.document, recipe.sections(None)

    def middle(section, dial):
        setting = dials[section][dial]
        return setting if isinstance(setting, float) else (setting["min"] + setting["max"]) / 2

    assert middle("nuclei", "diameter") == pytest.approx(sought["nuclei"]["diameter"], rel=0.1)
    assert middle("layout", "density") == pytest.approx(sought["layout"]["density"], rel=0.2)
    assert middle("optics", "snr") == pytest.approx(sought["optics"]["snr"], rel=0.15)
    assert middle("optics", "blur") == pytest.approx(sought["optics"]["blur"], abs=0.35)
    assert dials["camera"]["gain"] == pytest.approx(sought["camera"]["gain"], rel=0.25)
    made = measured([sample.image[0] for sample in samples_of(found.recipe)])
    off = {row["figure"]: row["off"] for row in comparison(real, made)}
    assert abs(off["background"]) < 0.05
    assert abs(off["noise"]) < 0.1
    assert abs(off["contrast"]) < 0.12


@pytest.mark.slow
def test_real_images_are_met(shared_data, samples_of):
    from generators.like.reading import planes
    from generators.recipe import load

    real = measured(planes(shared_data / "bbbc039", most=3))
    base = load("nuclei-parametric").model_copy(update={"splits": {"test": 6}})
    found = fit(real, base, "screen", rounds=2)
    made = measured([sample.image[0] for sample in samples_of(found.recipe)])
    off = {row["figure"]: row["off"] for row in comparison(real, made)}
    for figure, within in (
        ("density", 0.25),
        ("diameter", 0.1),
        ("contrast", 0.15),
        ("background", 0.1),
        ("noise", 0.15),
        ("snr", 0.15),
        ("blur", 0.2),
    ):
        assert abs(off[figure]) < within, figure
    # The screen's camera, by variance against mean on its training images: 0.434 at 114.
    assert found.document["camera"]["gain"] == pytest.approx(0.434, rel=0.15)
    assert found.document["camera"]["offset"] == pytest.approx(114, abs=15)


def test_images_without_objects_cannot_be_fitted():
    flat = measured([np.full((64, 64), 9, np.uint8)])
    base = parse({"name": "base", "version": "1.0.0"})
    with pytest.raises(RecipeError, match="no bright objects"):
        fit(flat, base, "nothing")


def test_the_first_guess_keeps_what_the_base_says_of_all_else(known, samples_of):
    real = measured([sample.image[0] for sample in samples_of(known(splits={"test": 2}))])
    base = known(
        splits={"train": 3},
        nuclei={"shapes": "outlines"},
        shading={"texture": 0.3},
        variants=[{"name": "a", "optics": {"blur": 9}}],
        sweep={"snr": [1, 2]},
    )
    found = fit(real, base, "mine", rounds=0)
    assert found.recipe.splits == {"train": 3}
    assert found.recipe.nuclei["shapes"] == "outlines"
    assert found.recipe.shading["texture"] == 0.3
    assert not found.recipe.variants
    assert not found.recipe.sweep
    assert "elongation" in found.document["nuclei"]  # the base's own, not fitted
    assert found.document["nuclei"]["elongation"] == 1.4
