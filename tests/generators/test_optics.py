"""Optics: light is conserved, the PSF has its width, illumination and background their spread."""

from __future__ import annotations

import numpy as np
import pytest

from generators.optics import Optics, background, bleached, blurred, debris, illumination
from generators.seeds import Seed

POINT = np.zeros((101, 101))
POINT[50, 50] = 1000.0


def width(image):
    y = np.arange(image.shape[0]) - 50
    profile = image.sum(axis=1)
    return np.sqrt((profile * y**2).sum() / profile.sum())


@pytest.mark.parametrize("blur", [0.7, 1.5, 4.0])
def test_the_psf_has_its_width_and_conserves_light(blur):
    image = blurred(POINT, Optics(blur=blur, haze=0))
    assert image.sum() == pytest.approx(1000)
    assert width(image) == pytest.approx(blur, rel=0.02)


def test_no_blur_changes_nothing():
    assert (blurred(POINT, Optics(blur=0, haze=0)) == POINT).all()


def test_haze_moves_its_share_of_the_light_outwards():
    image = blurred(POINT, Optics(blur=1, haze=0.3, haze_radius=10))
    y, x = np.mgrid[:101, :101] - 50
    assert image.sum() == pytest.approx(1000, rel=1e-3)
    assert image[y**2 + x**2 > 5**2].sum() == pytest.approx(300 * np.exp(-(5**2) / 200), rel=0.05)


@pytest.mark.parametrize("drop", [0.0, 0.3, 0.9])
def test_illumination_drops_as_asked_about_a_mean_of_one(drop):
    field = illumination((60, 80), Optics(illumination=drop), Seed.root(0))
    assert field.mean() == pytest.approx(1)
    assert field.min() / field.max() == pytest.approx(1 - drop)
    steps = np.abs(np.diff(field)).max()
    assert steps < 0.05


def test_background_has_its_mean_and_spread():
    optics = Optics(background=0.4, background_variation=0.2)
    fields = [background((96, 130), optics, Seed.root(k)) for k in range(60)]
    assert np.mean(fields) == pytest.approx(0.4)
    assert fields[0].shape == (96, 130)
    spread = np.sqrt(np.mean([np.var(np.log(f)) for f in fields]))
    assert 0.1 < spread < 0.22
    even = background((96, 130), Optics(background=0.4, background_variation=0), Seed.root(0))
    assert even == pytest.approx(np.full((96, 130), 0.4))


def test_debris_is_as_dense_as_asked_and_fainter_than_a_nucleus():
    optics = Optics(debris=200)
    fields = [debris((250, 250), optics, Seed.root(k)) for k in range(10)]
    peaks = np.mean([(f > 0.09).any() for f in fields])
    assert peaks == 1
    assert debris((250, 250), Optics(debris=0), Seed.root(0)).sum() == 0


def test_background_has_the_structure_asked_for():
    fine = Optics(background_variation=0, background_structure=0.3, structure_scale=3)
    coarse = Optics(background_variation=0, background_structure=0.3, structure_scale=12)
    fields = [np.log(background((200, 200), o, Seed.root(1))) for o in (fine, coarse)]
    assert fields[0].std() == pytest.approx(0.3, rel=0.15)
    steps = [np.diff(f, axis=0).std() for f in fields]
    assert steps[0] > 3 * steps[1]


def test_each_exposure_takes_its_share_of_what_is_left():
    assert bleached(Optics(), 3) == 1
    course = [bleached(Optics(bleaching=0.2, exposures=n), 0) for n in range(4)]
    assert course == pytest.approx([1, 0.8, 0.64, 0.512])
    assert bleached(Optics(bleaching=0.2, exposures=1), 2) == pytest.approx(0.512)


def test_defocus_widens_the_psf_of_either_model():
    for model in ("gaussian", "airy"):
        widths = [
            width(blurred(POINT, Optics(psf=model, haze=0, defocus=z), 0.4)) for z in (0, 4, 8)
        ]
        assert widths[0] < widths[1] < widths[2]
    gauss = blurred(POINT, Optics(blur=1, haze=0, defocus=4), 0.4)
    spread = 4 * 0.75 / np.sqrt(1 - 0.75**2) / 0.4 / 2
    assert width(gauss) == pytest.approx(np.hypot(1, spread), rel=0.02)
