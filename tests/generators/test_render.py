"""Rendering: light is where the outlines say, SNR is reached, sweeps are paired."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from generators.camera import expose
from generators.cells import Cells
from generators.polygons import area, centroid
from generators.render import render
from generators.seeds import Seed
from generators.spots import Spots

SEED = Seed.root(11)


def light_of(made, settings):
    """Undo the camera, without noise."""
    return (made.expected[0] - settings.camera.offset) / made.gains[0]


def test_noise_free_light_balances_at_the_true_centroid(scene_of, flat, even):
    settings = scene_of(
        shape=(64, 64),
        layout={"count": 1, "overlap": 0, "clustering": 0, "gap": 12},
        shading=flat,
        optics={**even, "background": 0, "blur": 1.0},
    )
    checked = 0
    for k in range(30):
        made = render(settings, SEED.at(k))
        row = made.objects.iloc[0]
        light = light_of(made, settings)
        grown = ndimage.binary_dilation(made.labels["nuclei"], iterations=5)
        edge = np.pad(np.zeros((62, 62), bool), 1, constant_values=True)
        if (grown & edge).any():
            continue
        light = np.where(grown, light, 0)
        y, x = np.mgrid[:64, :64]
        outline = np.asarray(row["outline"]).reshape(-1, 2)
        middle = [(light * y).sum() / light.sum(), (light * x).sum() / light.sum()]
        assert middle == pytest.approx(centroid(outline), abs=0.01)
        assert middle == pytest.approx([row["outline_y"], row["outline_x"]], abs=0.01)
        checked += 1
    assert checked >= 4


def test_the_rendered_edge_is_where_the_label_ends(scene_of, flat, even):
    settings = scene_of(
        layout={"overlap": 0, "density": 0.1, "gap": 8, "clustering": 0},
        nuclei={"diameter": 24},
        shading=flat,
        optics={**even, "background": 0, "blur": 1.0},
    )
    made = render(settings, SEED)
    light = light_of(made, settings)
    level = np.median(light[made.labels["nuclei"] > 0])
    half = (light > level / 2).sum() / (made.labels["nuclei"] > 0).sum()
    assert half == pytest.approx(1, abs=0.03)


def test_light_adds_up_to_the_areas(scene_of, flat, even):
    settings = scene_of(
        shape=(100, 100),
        layout={"count": 4, "overlap": 0, "clustering": 0},
        shading=flat,
        optics={**even, "background": 0, "blur": 0},
    )
    made = render(settings, SEED)
    inside = made.objects[~made.objects["border"]]
    light = light_of(made, settings)
    level = light.max()
    for row in inside.itertuples():
        own = made.labels["nuclei"] == row.label
        grown = np.zeros_like(own)
        y, x = np.nonzero(own)
        grown[y.min() - 1 : y.max() + 2, x.min() - 1 : x.max() + 2] = True
        outline = np.asarray(row.outline).reshape(-1, 2)
        others = grown & (made.labels["nuclei"] > 0) & ~own
        if not others.any():
            assert light[grown].sum() / level == pytest.approx(abs(area(outline)), rel=5e-3)


@pytest.mark.parametrize("snr", [2, 8, 30])
def test_snr_is_reached_in_the_table_and_in_the_pixels(scene_of, flat, even, snr):
    settings = scene_of(
        shape=(256, 256),
        layout={"density": 0.3, "overlap": 0, "condensed": 0},
        nuclei={"diameter": 40},
        shading=flat,
        optics={**even, "blur": 0, "snr": snr, "background": 0.5},
        camera={"bit_depth": 16, "read_noise": 2},
    )
    made = render(settings, SEED)
    assert made.objects["snr"].median() == pytest.approx(snr, rel=0.01)
    residual = made.image[0] - made.expected[0]
    background = made.expected[0].min()
    measured = []
    for label in made.objects["label"]:
        own = made.labels["nuclei"] == label
        signal = made.image[0][own].mean() - background
        measured.append(signal / residual[own].std())
    assert np.median(measured) == pytest.approx(snr, rel=0.05)


def test_snr_is_reached_with_everything_else_turned_on(scene_of):
    for k in range(5):
        made = render(scene_of(optics={"snr": 12, "illumination": 0.6}), SEED.at(k))
        assert made.objects["snr"].median() == pytest.approx(12, rel=0.05)


def test_contrast_is_the_mean_over_the_background_in_grey_levels(scene_of, flat, even):
    settings = scene_of(shading=flat, optics={**even, "background": 0.3, "blur": 1})
    made = render(settings, SEED)
    floor = made.expected[0].min()
    for row in made.objects.itertuples():
        own = made.labels["nuclei"] == row.label
        assert row.contrast == pytest.approx(made.expected[0][own].mean() - floor, rel=0.02)


@pytest.mark.parametrize(
    ("section", "dial", "value"),
    [
        ("optics", "snr", 3.0),
        ("optics", "blur", 3.0),
        ("optics", "illumination", 0.8),
        ("optics", "background", 2.0),
        ("shading", "texture", 0.6),
        ("camera", "read_noise", 20.0),
        ("camera", "bit_depth", 8.0),
    ],
)
def test_turning_a_dial_of_the_picture_leaves_the_scene(scene_of, section, dial, value):
    settings = scene_of()
    turned = replace(settings, **{section: replace(getattr(settings, section), **{dial: value})})
    a, b = render(settings, SEED), render(turned, SEED)
    assert (a.labels["nuclei"] == b.labels["nuclei"]).all()
    assert all(
        (x == y).all() for x, y in zip(a.objects["outline"], b.objects["outline"], strict=True)
    )
    assert (a.image != b.image).any()


def test_noise_is_common_to_two_levels_of_light(scene_of):
    settings = scene_of(camera={"bit_depth": 16})
    brighter = replace(settings, optics=replace(settings.optics, snr=25))
    a, b = render(settings, SEED), render(brighter, SEED)
    residuals = [(made.image[0] - made.expected[0]).ravel() / made.gains[0] for made in (a, b)]
    assert np.corrcoef(*residuals)[0, 1] > 0.95
    other = render(brighter, SEED.at("another"))
    unpaired = (other.image[0] - other.expected[0]).ravel()
    assert abs(np.corrcoef(residuals[0], unpaired)[0, 1]) < 0.05


def test_same_seed_same_scene_other_seed_another(scene_of):
    a, b, c = (render(scene_of(), SEED.at(name)) for name in ("a", "a", "b"))
    assert (a.image == b.image).all()
    assert a.objects.equals(b.objects)
    assert (a.image != c.image).any()


def test_upper_nuclei_hide_the_light_of_lower_ones_by_their_opacity(scene_of, flat, even):
    def brightest(opacity):
        settings = scene_of(
            layout={"density": 0.3, "overlap": 1, "clustering": 1},
            shading={**flat, "opacity": opacity},
            optics={**even, "background": 0, "blur": 0},
            camera={"gain": 1.0},
        )
        made = render(settings, SEED)
        assert (made.objects["hidden"] > 0.05).any()
        light = made.expected[0] - 100
        return light.max() / np.median(light[made.labels["nuclei"] > 0])

    assert brightest(1.0) == pytest.approx(1, abs=0.01)
    assert brightest(0.0) >= 1.99


def test_channels_show_their_layers(scene_of, even):
    settings = scene_of(
        channels={"dna": ("nuclei",), "cell": ("cells",), "both": ("nuclei", "cells")},
        cells=Cells(nucleus_shadow=1.0, membrane=0),
        optics={**even, "blur": 0},
    )
    made = render(settings, SEED)
    assert made.image.shape == (3, 96, 112)
    nuclei = made.labels["nuclei"] > 0
    ring = (made.labels["cells"] > 0) & ~nuclei
    dna, cell, _ = made.expected
    assert dna[nuclei].mean() > 2 * dna[ring].mean()
    assert cell[ring].mean() > 2 * cell[nuclei].mean()


def test_spots_carry_their_photons_into_the_image(scene_of, even):
    settings = scene_of(
        channels={"dna": ("nuclei",), "spots": ("spots",)},
        spots=Spots(spots_per_object=3),
        optics={**even, "background": 0},
        camera={"gain": 2.0, "bit_depth": 16, "quantum_efficiency": 0.7},
    )
    made = render(settings, SEED)
    inner = made.spots[made.spots["y"].between(8, 88) & made.spots["x"].between(8, 104)]
    assert len(inner) > 5
    outer = made.spots.drop(inner.index)
    total = (made.expected[1] - 100).sum() / 2.0 / 0.7
    assert inner["photons"].sum() * 0.999 <= total
    assert total <= (inner["photons"].sum() + outer["photons"].sum()) * 1.1
    labels = made.labels["nuclei"]
    y, x = np.floor(made.spots["y"] + 0.5).astype(int), np.floor(made.spots["x"] + 0.5).astype(int)
    assert (labels[y, x] == made.spots["object"]).all()
    assert (made.spots["channel"] == "spots").all()


def test_an_empty_scene_is_background_and_noise(scene_of, even):
    made = render(scene_of(layout={"density": 0}, optics={**even, "snr": 10}), SEED)
    assert np.ptp(made.expected) == pytest.approx(0, abs=1e-9)
    assert made.image.std() > 0


@pytest.mark.parametrize("snr", [2.0, 8.0, 40.0])
@pytest.mark.parametrize(
    ("optics", "camera"),
    [
        ({}, {}),
        ({"blur": 3.0, "background": 2.0}, {"read_noise": 0}),
        ({"background": 0.02}, {"read_noise": 12, "gain": 2.0, "bit_depth": 16}),
        (
            {"psf": "airy", "defocus": 1.0},
            {"quantum_efficiency": 0.3, "gain": 0.8, "bit_depth": 16},
        ),
    ],
)
def test_snr_measured_on_repeated_exposures_is_the_dial_within_5_percent(
    scene_of, flat, even, *, snr, optics, camera
):
    settings = scene_of(
        shape=(128, 128),
        layout={"density": 0.15, "overlap": 0},
        shading=flat,
        optics={**even, "snr": snr, **optics},
        camera=camera,
    )
    settings = replace(settings, pixel_size_um=0.4)
    made, sensor = render(settings, SEED), settings.camera
    electrons = (made.expected[0] - sensor.offset) / made.gains[0]
    shots = np.stack(
        [expose(electrons, sensor, made.gains[0], np.random.default_rng(k))[0] for k in range(60)]
    )
    mean, variance = shots.mean(axis=0), shots.var(axis=0, ddof=1)
    labels = made.labels["nuclei"]
    ground = np.median(mean[ndimage.distance_transform_edt(labels == 0) > 12])
    found = [
        (mean[labels == k].mean() - ground) / np.sqrt(variance[labels == k].mean())
        for k in made.objects["label"]
    ]
    assert np.median(found) == pytest.approx(snr, rel=0.05)


def test_bleaching_dims_the_objects_and_says_so(scene_of, even, flat):
    settings = scene_of(optics={**even, "bleaching": 0.3}, shading=flat)
    later = replace(settings, optics=replace(settings.optics, exposures=2))
    a, b = render(settings, SEED), render(later, SEED)
    assert b.objects["contrast"].to_numpy() == pytest.approx(
        0.49 * a.objects["contrast"].to_numpy(), rel=1e-3
    )
    assert (b.objects["snr"] < a.objects["snr"]).all()
    assert a.gains == b.gains
    ground = [np.percentile(made.expected[0], 1) for made in (a, b)]
    assert ground[0] == pytest.approx(ground[1], rel=1e-6)


def test_the_second_channel_bleaches_further(scene_of, even):
    channels = {"dna": ("nuclei",), "again": ("nuclei",)}
    settings = scene_of(channels=channels, optics={**even, "bleaching": 0.25, "background": 0})
    light = render(settings, SEED).expected - 100
    assert light[1].sum() == pytest.approx(0.75 * light[0].sum(), rel=1e-6)


def test_spots_in_the_cytoplasm_lie_in_cells_and_not_in_nuclei(scene_of):
    settings = scene_of(
        channels={"spots": ("spots",)},
        cells=Cells(),
        spots=Spots(inside="cytoplasm", spots_per_object=8),
    )
    made = render(settings, SEED)
    pixel = np.floor(made.spots[["y", "x"]].to_numpy() + 0.5).astype(int)
    assert len(pixel) > 20
    assert (made.labels["nuclei"][pixel[:, 0], pixel[:, 1]] == 0).all()
    assert (made.labels["cells"][pixel[:, 0], pixel[:, 1]] == made.spots["object"]).all()
    assert (made.spots["object"] > 0).all()


def test_fixed_centres_hold_clouds_at_the_same_places_of_every_scene(scene_of):
    spots = Spots(
        cloud_centres="fixed",
        clouds=1,
        cloud_form="cellgen-round",
        cloud_radius=1,
        spots_per_megapixel=300,
    )
    settings = scene_of(channels={"spots": ("spots",)}, spots=spots, layout={"density": 0})
    a, b = (render(settings, SEED.at(k)).spots[["y", "x"]].to_numpy() for k in range(2))
    nearest = np.min(np.linalg.norm(a[:, None] - b[None], axis=2), axis=1)
    assert np.median(nearest) < 1.0
    assert len(a) != len(b) or (a != b).any()


def test_grey_levels_of_spots_are_added_after_the_camera_and_cut_off_at_white(scene_of, even):
    def shown(combine, photons):
        settings = scene_of(
            channels={"both": ("nuclei", "spots")},
            spots=Spots(combine=combine, spot_photons=photons, spots_per_object=2),
            optics=even,
            camera={"bit_depth": 8, "offset": 10},
        )
        return render(settings, SEED)

    without = shown("saturating", 1.0)
    lit = shown("saturating", 1e5)
    assert lit.image.max() == 255
    dark = lit.expected == without.expected
    assert (lit.image[dark] == without.image[dark]).all()  # no noise of its own
    assert (lit.image >= without.image).all()
    # Added as light, spots have shot noise: the same places differ from their expectation more.
    faint, sums = (shown(combine, 300.0) for combine in ("saturating", "photons"))
    there = (faint.expected > without.expected + 3) & (faint.expected < 200)
    noise = [(made.image - made.expected)[there].std() for made in (faint, sums)]
    assert noise[1] > noise[0]
