from __future__ import annotations

import json

import numpy as np
import pytest

from benchmark.audit.distances import apart, apart_from_quantiles, quantiles
from benchmark.audit.measures import CELL, IMAGE, cell_measures, image_measures
from benchmark.audit.noise import background_response, far_background, noise_level
from benchmark.audit.spectrum import band_power, spectrum
from benchmark.audit.statistics import measured, statistics


@pytest.fixture
def scene():
    """Two touching squares, one of them at the border, and one far from both."""
    labels = np.zeros((40, 60), np.uint16)
    labels[0:6, 10:14] = 4
    labels[6:10, 14:18] = 7  # only a corner meets
    labels[25:31, 40:46] = 9
    image = np.full(labels.shape, 10, np.uint16)
    image[labels == 4] = 30
    image[labels == 7] = 50
    image[25:31, 40:43], image[25:31, 43:46] = 60, 100
    return image, labels


def test_measures_worked_by_hand(scene):
    found = cell_measures(*scene)
    assert set(found) == {*CELL, "touching"}
    np.testing.assert_array_equal(found["area_px"], [16, 36])  # the first touches the border
    np.testing.assert_allclose(found["equiv_diameter_px"], np.sqrt([64 / np.pi, 144 / np.pi]))
    np.testing.assert_array_equal(found["touching"], [1, 1, 0])
    np.testing.assert_array_equal(found["mean_intensity"], [30, 50, 80])
    np.testing.assert_array_equal(found["relative_intensity"], [0.5, 1, 1.75])
    np.testing.assert_allclose(found["within_cell_cv"], [0, 0, 0.25])
    apart_ = np.hypot(5, 4)  # (2.5, 11.5) to (7.5, 15.5)
    np.testing.assert_allclose(found["nn_centroid_distance_px"][:2], [apart_, apart_])
    whole = image_measures(*scene, found)
    assert tuple(whole) == IMAGE
    assert whole["cells"] == 3
    assert whole["density_per_megapixel"] == pytest.approx(3 / 2400 * 1e6)
    assert whole["foreground_fraction"] == pytest.approx(76 / 2400)
    assert whole["touching_fraction"] == pytest.approx(2 / 3)
    assert whole["bg_mean"] == 10
    assert whole["contrast_fg_minus_bg"] == pytest.approx((24 * 20 + 16 * 40 + 36 * 70) / 76)
    assert whole["cell_to_cell_intensity_cv"] == pytest.approx(np.std([30, 50, 80]) / (160 / 3))


def test_images_without_cells_or_without_background():
    image = np.full((20, 20), 7, np.uint16)
    none = np.zeros((20, 20), np.uint16)
    found = image_measures(image, none, cell_measures(image, none))
    assert found["cells"] == 0
    assert np.isnan(found["fg_mean"])
    assert found["bg_mean"] == 7
    full = np.ones((20, 20), np.uint16)
    found = image_measures(image, full, cell_measures(image, full))
    assert np.isnan(found["bg_mean"])
    assert found["fg_mean"] == 7


def test_background_is_counted_in_steps():
    labels = np.zeros((21, 21), int)
    labels[10, 10] = 1
    far = far_background(labels)
    y, x = np.indices(labels.shape)
    np.testing.assert_array_equal(far, abs(y - 10) + abs(x - 10) > 5)


@pytest.mark.parametrize("sigma", [1.0, 7.0])
def test_noise_is_found_beside_slow_changes(sigma):
    rng = np.random.default_rng(0)
    y, x = np.indices((200, 200))
    image = 100 + 0.5 * y + rng.normal(0, sigma, y.shape)
    labels = ((y - 100) ** 2 + (x - 100) ** 2 < 900).astype(int)
    assert noise_level(image + 300 * labels, labels) == pytest.approx(sigma, rel=0.1)
    assert background_response(image, labels).std() == pytest.approx(sigma, rel=0.05)


def test_distances_of_the_same_are_nothing_and_of_disjoint_ones_all():
    a = np.random.default_rng(0).normal(0, 1, 500)
    assert apart(a, a) == {"ks": 0.0, "w1": 0.0, "ratio": 1.0}
    far = apart(a + 100, a)
    assert far["ks"] == 1
    assert far["w1"] == pytest.approx(100 / a.std(), rel=1e-3)
    assert apart(np.array([np.nan]), a) == {"ks": None, "w1": None, "ratio": None}
    assert apart(a, np.ones(3))["w1"] is None


def test_gaps_at_quantiles_never_exceed_the_distance():
    rng = np.random.default_rng(1)
    for shift in (0.0, 0.3, 2.0):
        a, b = rng.normal(0, 1, 4000), rng.normal(shift, 1.2, 4000)
        gap = apart_from_quantiles(a, quantiles(b))
        assert gap <= apart(a, b)["ks"] + 0.002
    assert apart_from_quantiles(a, quantiles(a)) < 0.001
    assert apart_from_quantiles(a, {}) is None
    integers = np.repeat([1.0, 2.0], [70, 30])
    assert apart_from_quantiles(integers, quantiles(integers)) == 0


def test_the_spectrum_finds_the_band_of_a_wave():
    x = np.arange(128)
    for band in (2, 5, 8):
        frequency = (band + 0.5) / 18
        wave = np.cos(2 * np.pi * frequency * x)[None] * np.ones((128, 1))
        power = band_power(wave)
        assert power.argmax() == band
        assert power[band] > 0.95 * power.sum()


def test_the_spectrum_of_images_is_that_of_their_tiles():
    noise = np.random.default_rng(0).normal(0, 2, (300, 280))
    power, tiles = spectrum([noise, np.zeros((100, 100))])
    assert tiles == 4
    np.testing.assert_allclose(power, 4, rtol=0.12)


def test_columns_are_compared_with_the_reference(sources):
    told = []
    found = statistics(sources, 4, lambda *at: told.append(at))
    assert set(found) == {"reference", "synthetic", "baseline", "real"}
    assert told[-1] == (16, 16)
    assert found["reference"]["n_images"] == 4
    assert "apart" not in found["reference"]
    blurred, same = (found[name]["apart"]["within_cell_cv"]["ks"] for name in ("synthetic", "real"))
    assert same < 0.25 < blurred
    assert found["real"]["apart"]["area_px"]["ks"] < 0.35
    json.dumps(found, allow_nan=False)


def test_a_set_agrees_with_its_own_statistics(sources):
    own = measured(sources.columns["real"]).values()
    rows = {name: quantiles(values) for name, values in own.items()}
    known = {
        "per_cell": {k: v for k, v in rows.items() if not k.startswith("image:")},
        "per_image": {k[6:]: v for k, v in rows.items() if k.startswith("image:")},
    }
    found = statistics(sources, None, lambda *_: None, known)
    gaps = found["real"]["stats"]
    assert max(gap for gap in gaps.values() if gap is not None) < 0.2  # of six images
    assert gaps["area_px"] < 0.03
    assert found["synthetic"]["stats"]["within_cell_cv"] > 0.25


@pytest.mark.slow
def test_real_images_have_the_published_statistics(shared_data, real_val):
    known = json.loads((shared_data / "stats.json").read_text())["dsb2018_fluo"]["val"]
    found = measured(real_val("dsb2018_fluo")).values()
    rows = known["per_cell"] | {f"image:{k}": v for k, v in known["per_image"].items()}
    compared = 0
    for name, row in rows.items():
        if isinstance(row, dict):
            mine = quantiles(found[name])
            for figure in ("n", "mean", "sd", "p01", "p25", "p50", "p75", "p99"):
                assert mine[figure] == pytest.approx(row[figure], rel=1e-3, abs=1e-4), name
            compared += 1
    assert compared == 24
