from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmark.errors import BenchError
from generators.masks.calibrating import calibrated
from generators.masks.control import Setting, restyled
from generators.masks.making import Making, drawn, made


@pytest.fixture(scope="module")
def found():
    return {}


@pytest.fixture
def dials(ellipses, found):
    if not found:
        found.update(calibrated(ellipses, samples=300, seed=3))
    return found


@pytest.mark.slow
def test_every_style_gets_a_dial(dials):
    assert list(dials) == ["size", "elongation", "irregularity"]


@pytest.mark.slow
def test_directions_are_the_ones_that_the_network_was_made_with(dials):
    for axis, dial in enumerate(dials.values()):
        along = np.array(dial.direction)
        assert abs(along[axis]) / np.linalg.norm(along) > 0.95


@pytest.mark.slow
def test_curves_rise_and_errors_are_stated(dials):
    for dial in dials.values():
        assert (np.diff(dial.values) > 0).all()
        assert (np.diff(dial.scores) > 0).all()
        spread = dial.percentiles[90] - dial.percentiles[10]
        assert dial.solved_error < 0.02 * dial.percentiles[50]
        assert dial.solved_slope == pytest.approx(1, abs=0.1)
        assert dial.solved_error <= dial.error < 0.3 * spread
        assert dial.slope == pytest.approx(1, abs=0.25)


@pytest.mark.slow
def test_what_is_asked_for_is_measured_and_the_rest_stays(ellipses, dials):
    for latent in drawn(ellipses, range(100, 104), Making()):
        before = made(ellipses, latent, Making()).measured
        setting = Setting({"elongation": 2.0}, dials)
        after = made(ellipses, restyled(ellipses, latent, setting, Making()), Making()).measured
        assert after["elongation"] == pytest.approx(2.0, rel=0.02)
        assert after["size"] == pytest.approx(before["size"], rel=0.1)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_dials(ellipses):
    first, second = (calibrated(ellipses, samples=60, seed=5) for _ in range(2))
    assert first == second


def test_a_network_that_shows_nothing_cannot_be_calibrated(ellipses):
    with pytest.raises(BenchError, match="only 0 of 60 pictures"):
        calibrated(replace(ellipses, level=2.0), samples=60)


def test_progress_ends_where_it_says(ellipses):
    told = []
    with pytest.raises(BenchError):
        calibrated(replace(ellipses, level=2.0), samples=20, done=lambda *at: told.append(at))
    assert told == [(k, 80) for k in range(1, 21)]
