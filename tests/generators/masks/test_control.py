from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.errors import BenchError
from generators.masks.control import (
    FURTHEST,
    TRIES,
    Dial,
    Setting,
    dials_of,
    restyled,
    root,
    scored,
    stepped,
    to_json,
    wanted,
)
from generators.masks.making import Making, drawn, made

RAMP = [1 + k / 100 for k in range(101)]


def dial(name, axis, curve):
    """A dial whose score is one number of w, with a curve from score to measurement."""
    along = np.eye(6)[axis].tolist()
    scores = np.linspace(-3, 3, 7)
    return Dial(name, RAMP, along, along, scores.tolist(), curve(scores).tolist())


@pytest.fixture
def dials():
    """What the network `ellipses` is made to be, nearly."""
    return {
        "size": dial("size", 0, lambda t: np.exp(0.12 * t)),
        "elongation": dial("elongation", 1, lambda t: 1.05 + 0.5 * np.exp(0.3 * t)),
    }


@pytest.mark.parametrize("value", [1.3, 1.5, 2.0])
def test_solving_gives_what_was_asked_for(ellipses, dials, value):
    for latent in drawn(ellipses, range(5), Making()):
        given_ = restyled(ellipses, latent, Setting({"elongation": value}, dials), Making())
        found = made(ellipses, given_, Making()).measured["elongation"]
        assert found == pytest.approx(value, rel=0.011)


def test_the_curve_alone_comes_near_and_rises(ellipses, dials):
    latent = next(drawn(ellipses, [2], Making()))
    asked = np.linspace(1.3, 2.1, 7)
    found = []
    for value in asked.tolist():
        setting = Setting({"elongation": value}, dials, solve=False)
        given_ = restyled(ellipses, latent, setting, Making())
        assert scored(given_, dials["elongation"]) == pytest.approx(
            dials["elongation"].score(value), abs=1e-5
        )
        found.append(made(ellipses, given_, Making()).measured["elongation"])
    assert (np.diff(found) > 0).all()
    assert np.abs(found - asked + 0.05).max() < 0.05  # the curve is off by as much


def test_two_styles_are_given_at_once(ellipses, dials):
    latent = next(drawn(ellipses, [4], Making()))
    setting = Setting({"elongation": 1.8, "size": 1.1}, dials)
    found = made(ellipses, restyled(ellipses, latent, setting, Making()), Making()).measured
    assert found["elongation"] == pytest.approx(1.8, rel=0.02)
    assert found["size"] == pytest.approx(1.1, rel=0.02)


def test_a_style_of_the_frame_is_simply_given(ellipses):
    exact = Dial("elongation", RAMP, [], [], [1.0, 8.0], [1.0, 8.0])
    latent = replace(next(drawn(ellipses, [4], Making())), frame=np.array([1.2, 1.5]))
    setting = Setting({"elongation": 3.0}, {"elongation": exact})
    assert restyled(ellipses, latent, setting, Making()).frame.tolist() == [1.2, 3.0]
    assert latent.frame.tolist() == [1.2, 1.5]


def test_a_step_moves_every_layer(ellipses, dials):
    latent = next(drawn(ellipses, [4], Making()))
    moved = stepped(latent, dials["size"], 0.5)
    difference = (moved.styles - latent.styles).numpy()
    np.testing.assert_allclose(difference, np.tile(np.eye(6)[0] * 0.5, (4, 1)), atol=1e-6)


def test_values_are_measurements_or_percentiles(dials):
    assert wanted(["elongation=1.5", "size=1.1"], dials) == {"elongation": 1.5, "size": 1.1}
    assert wanted(["elongation=30%"], dials)["elongation"] == pytest.approx(1.3)
    # The lowest percentiles may lie beyond what steps can reach.
    assert wanted(["elongation=0%"], dials)["elongation"] == dials["elongation"].reach[0]
    assert wanted([], dials) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("elongation=9", r"out of the network's reach\n.*take 1\.253 to 2\.28"),
        ("elongation=0.8", "out of the network's reach"),
        ("elongation=nan", "out of the network's reach"),
        ("elongation=130%", "out of the network's reach"),
        ("elongation=-1%", "out of the network's reach"),
        ("elongation=nan%", "out of the network's reach"),
        ("elongation", "gives no number"),
        ("elongation=long", "gives no number"),
        ("elongatoin=1.5", "did you mean 'elongation'"),
        ("", "no style ''"),
    ],
)
def test_what_cannot_be_set_is_an_error(dials, text, message):
    with pytest.raises(BenchError) as caught:
        wanted([text], dials)
    import re

    assert re.search(message, str(caught.value))


def test_a_network_without_dials_says_how_to_get_them():
    with pytest.raises(BenchError) as caught:
        wanted(["size=1"], {})
    assert "bench weights calibrate" in str(caught.value)


def test_dials_go_with_the_network(ellipses, dials):
    network = replace(ellipses, notes={"styles": to_json(dials)})
    assert dials_of(network) == dials
    assert dials_of(ellipses) == {}


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["size"].pop("values"),
        lambda d: d["size"].update(direction=[1.0]),
        lambda d: d["size"].update(percentiles=[1.0]),
        lambda d: d["size"].update(scores=[1.0], values=[1.0]),
        lambda d: d.update(colour=d["size"]),
        lambda d: d.update(size=7),
    ],
)
def test_dials_that_do_not_fit_are_refused(ellipses, dials, change):
    stored = json.loads(to_json(dials))
    change(stored)
    with pytest.raises(BenchError, match="styles cannot be read"):
        dials_of(replace(ellipses, notes={"styles": json.dumps(stored)}))


@given(st.floats(-2.5, 2.5), st.floats(0.3, 3))
def test_a_rising_function_has_its_root_found(at, slope):
    found = root(lambda t: slope * (t - at), 0.01)
    assert abs(slope * (found - at)) <= 0.01


def test_a_root_that_is_not_there_is_come_nearest_to():
    tried = []

    def flat(step):
        tried.append(step)
        return 0.5 + np.exp(step)

    nearest = root(flat, 0.01)
    assert nearest == min(tried) == -FURTHEST
    assert len(tried) <= TRIES


def test_where_nothing_is_measured_is_not_gone_to():
    edge = root(lambda t: np.nan if t > 0.8 else t - 2, 0.01)
    assert 0.6 < edge <= 0.8
    assert root(lambda _: np.nan, 0.01) == 0
