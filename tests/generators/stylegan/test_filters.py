from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from generators.stylegan.filters import (
    BINOMIAL,
    IDENTITY,
    Filter,
    decompose,
    jinc_filter,
    kaiser_beta,
    kaiser_filter,
)


def response(taps, frequency, rate):
    """Amplitude at frequencies in the units of the rate."""
    x = (np.arange(len(taps)) - (len(taps) - 1) / 2) / rate
    return np.abs(np.exp(-2j * np.pi * np.multiply.outer(frequency, x)) @ np.asarray(taps))


def response_2d(plane, along_y, along_x, rate):
    x = (np.arange(len(plane)) - (len(plane) - 1) / 2) / rate
    y = np.exp(-2j * np.pi * np.multiply.outer(along_y, x))
    z = np.exp(-2j * np.pi * np.multiply.outer(along_x, x))
    return np.abs(np.einsum("pi,ij,pj->p", y, plane, z))


@pytest.mark.parametrize(
    ("taps", "cutoff", "width", "rate"), [(12, 2.0, 1.1, 8), (24, 2.0, 2.3, 16), (12, 16, 3.7, 64)]
)
def test_kaiser_is_that_of_scipy(taps, cutoff, width, rate):
    made = signal.firwin(taps, cutoff, width=2 * width, fs=rate)
    assert np.allclose(kaiser_filter(taps, cutoff, width, rate).terms[0][0], made, atol=1e-12)


@given(
    taps=st.integers(2, 48),
    cutoff=st.floats(0.02, 0.48),
    width=st.floats(0.01, 0.5),
    rate=st.sampled_from([1.0, 16.0, 50.0]),
)
def test_gain_at_zero_is_one_and_filters_are_symmetric(taps, cutoff, width, rate):
    for design in (kaiser_filter, jinc_filter):
        plane = design(taps, cutoff * rate, width * rate, rate).plane
        assert plane.sum() == pytest.approx(1, abs=1e-6)
        for turned in (plane.T, plane[::-1], plane[:, ::-1]):
            assert np.abs(plane - turned).max() <= 1e-7 * np.abs(plane).max()


def test_half_at_the_cutoff_nothing_in_the_stopband():
    taps = kaiser_filter(24, cutoff=2.0, width=1.5, rate=16).terms[0][0]
    attenuation = 2.285 * 23 * np.pi * (3.0 / 8) + 7.95
    allowed = 10 ** (-(attenuation - 3) / 20)  # Kaiser's formula is good to a few decibels
    assert response(taps, np.array([2.0]), 16)[0] == pytest.approx(0.5, abs=0.01)
    assert response(taps, np.linspace(3.5, 8, 100), 16).max() < allowed
    # The gain is exactly 1 at zero, so the ripple lies on one side.
    assert np.abs(response(taps, np.linspace(0, 0.5, 20), 16) - 1).max() < 2 * allowed


def test_more_taps_or_a_wider_transition_attenuate_more():
    def leak(taps, width):
        made = kaiser_filter(taps, 4.0, width, 32).terms[0][0]
        return response(made, np.linspace(4 + width, 16, 200), 32).max()

    assert leak(12, 3.0) > leak(24, 3.0) > leak(48, 3.0)
    assert leak(24, 2.0) > leak(24, 4.0)


@pytest.mark.parametrize(
    ("attenuation", "beta"), [(60.0, 0.1102 * 51.3), (30.0, 0.5842 * 9**0.4 + 0.07886 * 9), (20, 0)]
)
def test_beta_in_each_of_kaisers_three_ranges(attenuation, beta):
    width = (attenuation - 7.95) / (2.285 * 11 * np.pi) / 4  # of 12 taps at a rate of 1
    assert kaiser_beta(12, width, 1) == pytest.approx(beta)


def test_a_single_tap_is_the_identity():
    assert kaiser_filter(1, 1, 1, 4) == jinc_filter(1, 1, 1, 4) == IDENTITY


def test_jinc_is_radial_where_kaiser_is_a_square():
    """At the same radius beyond the cutoff, the disc is as low along axes as along diagonals."""
    design = {"taps": 24, "cutoff": 3.0, "width": 2.0, "rate": 16}
    disc, square = jinc_filter(**design).plane, kaiser_filter(**design).plane
    angle = np.linspace(0, np.pi / 2, 31)
    for radius, tolerance in ((1.0, 0.01), (3.0, 0.03), (5.5, 0.01)):
        at = response_2d(disc, radius * np.sin(angle), radius * np.cos(angle), 16)
        assert np.ptp(at) < tolerance
    at = response_2d(disc, 3 * np.sin(angle), 3 * np.cos(angle), 16)
    assert np.allclose(at, 0.5, atol=0.06)
    corner = np.array([3.6 / np.sqrt(2)])
    assert (
        response_2d(square, corner, corner, 16)[0] > 1.4 * response_2d(disc, corner, corner, 16)[0]
    )


def test_few_terms_make_a_radial_filter_to_float32():
    rng = np.random.default_rng(0)
    for taps, cutoff, width in ((12, 2.0, 2.3), (12, 5.3, 4.0), (24, 3.0, 2.0)):
        made = jinc_filter(taps, cutoff, width, 16)
        assert 2 <= len(made.terms) <= taps // 2
    plane = rng.normal(size=(6, 6))
    symmetric = plane + plane.T
    made = decompose(symmetric)
    assert np.abs(made.plane - symmetric).max() <= 2.0**-26 * np.abs(symmetric).max()


def test_terms_add_up():
    made = Filter((((1.0, 2.0), (3.0, 4.0)), ((0.0, 1.0), (1.0, 0.0))))
    assert made.plane.tolist() == [[3, 4], [7, 8]]
    assert made.taps == 2


def test_filters_are_equal_and_hash_by_value():
    one, other = (Filter((((0.5, 0.5), (0.5, 0.5)),)) for _ in range(2))
    assert one == other
    assert len({one, other, BINOMIAL}) == 2
