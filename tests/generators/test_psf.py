"""Point spread functions: against formulas, against psfmodels, against each other."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from scipy import special

from generators.errors import RecipeError
from generators.psf import Aim, convolved, defocused, kernel, profile

AIR = Aim(0.75, 1.0, 0.5, 0.1)
WATER = Aim(1.2, 1.33, 0.5, 0.1)


def test_in_focus_it_is_the_airy_pattern():
    r = np.linspace(1e-3, 3, 200)
    v = 2 * np.pi * 0.75 * r / 0.5
    assert profile(r, AIR) == pytest.approx((2 * special.j1(v) / v) ** 2, abs=1e-10)


def test_along_the_axis_it_has_the_zeros_of_defocus():
    # Paraxially sinc²(z NA² / (2 n λ)): the first zero at z = 2 n λ / NA².
    faint = [profile(np.zeros(1), Aim(0.1, 1.0, 0.5, 1.0, z))[0] for z in (0, 50, 100, 150)]
    assert faint[0] == pytest.approx(1)
    assert faint[1] == pytest.approx((2 / np.pi) ** 2, rel=0.01)
    assert faint[2] == pytest.approx(0, abs=1e-3)
    assert faint[3] == pytest.approx((2 / (3 * np.pi)) ** 2, rel=0.03)


@pytest.mark.parametrize("model", ["airy", "vectorial"])
@pytest.mark.parametrize("aim", [AIR, WATER, Aim(0.75, 1.0, 0.5, 0.1, defocus_um=2.0)])
def test_a_kernel_is_symmetric_positive_and_whole(model, aim):
    if model == "vectorial":
        pytest.importorskip("psfmodels")
    shares = kernel(model, aim)
    assert shares.sum() == pytest.approx(1)
    assert (shares >= 0).all()
    assert shares.shape == (2 * aim.reach + 1,) * 2
    assert shares == pytest.approx(shares[::-1, ::-1], abs=1e-12)
    assert shares == pytest.approx(shares.T, abs=1e-9)


@pytest.mark.parametrize("defocus", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("base", [AIR, WATER])
def test_airy_is_the_scalar_model_of_another_package(base, defocus):
    psfmodels = pytest.importorskip("psfmodels")
    aim = Aim(base.numerical_aperture, base.refractive_index, 0.5, 0.1, defocus)
    n, size = base.refractive_index, 2 * aim.reach + 1
    other = psfmodels.make_psf(
        [defocus], size, dxy=0.1, NA=base.numerical_aperture, wvl=0.5, ns=n, ni=n, ni0=n,
        oversample_factor=5, model="scalar",
    )[0]  # fmt: skip
    mine = kernel("airy", aim)
    assert np.abs(mine - other / other.sum()).max() < 0.01 * mine.max()


def test_polarisation_counts_for_large_apertures_only():
    pytest.importorskip("psfmodels")

    def apart(aim):
        a, b = (kernel(model, aim) for model in ("airy", "vectorial"))
        return np.abs(a - b).max() / a.max()

    assert apart(Aim(0.2, 1.0, 0.5, 0.3)) < 0.03
    assert apart(WATER) > 0.1


def test_a_wide_kernel_out_of_focus_has_the_geometric_width():
    aim = Aim(0.5, 1.0, 0.5, 0.5, defocus_um=20.0)
    shares = kernel("airy", aim)
    y = np.arange(len(shares)) - len(shares) // 2
    inside = np.hypot(*np.meshgrid(y, y)) * 0.5 <= 1.15 * aim.spread_um
    assert shares[inside].sum() > 0.9
    assert aim.spread_um == pytest.approx(20 * np.tan(np.pi / 6))


def test_a_gaussian_widens_with_defocus():
    assert defocused(2.0, AIR) == 2.0
    assert defocused(0.0, Aim(0.6, 1.0, 0.5, 0.1, 1.0)) == pytest.approx(3.75)


def test_light_goes_through_unchanged_in_sum():
    light = np.zeros((121, 121))
    light[60, 60] = 100.0
    image = convolved(light, kernel("airy", Aim(0.75, 1.0, 0.5, 0.15)))
    assert image.sum() == pytest.approx(100)
    assert image.min() >= 0
    assert np.unravel_index(image.argmax(), image.shape) == (60, 60)


def test_without_psfmodels_the_vectorial_model_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "psfmodels", None)
    with pytest.raises(RecipeError, match="needs the package psfmodels"):
        kernel("vectorial", Aim(0.31, 1.0, 0.5, 0.4))
