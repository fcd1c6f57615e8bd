"""Optics: light is conserved, the PSF has its width, illumination and background their spread."""

from __future__ import annotations

import numpy as np
import pytest

from generators.optics import Optics, background, blurred, debris, illumination
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
