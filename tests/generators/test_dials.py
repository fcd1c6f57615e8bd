"""Settings of dials: what they draw, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.dials import Choices, Range, draw, extremes, read_setting

finite = st.floats(-1e6, 1e6)


@given(finite, finite, st.integers(0, 99))
def test_a_range_draws_within_itself(a, b, seed):
    setting = Range(min=min(a, b), max=max(a, b))
    value = draw(setting, np.random.default_rng(seed))
    assert extremes(setting) == (min(a, b), max(a, b))
    assert min(a, b) <= value <= max(a, b)


def test_a_range_is_even_on_its_scale():
    rng = np.random.default_rng(0)
    plain = [draw(Range(min=10, max=1000), rng) for _ in range(2000)]
    log = [draw(Range(min=10, max=1000, scale="log"), rng) for _ in range(2000)]
    assert np.median(plain) == pytest.approx(505, rel=0.06)
    assert np.median(log) == pytest.approx(100, rel=0.12)


def test_choices_are_equally_frequent():
    rng = np.random.default_rng(0)
    drawn = [draw(Choices(choices=(1, 5, 9)), rng) for _ in range(3000)]
    assert np.unique(drawn, return_counts=True)[1] == pytest.approx([1000] * 3, rel=0.1)


def test_every_kind_of_setting_spends_one_variate():
    after = []
    for setting in (3.0, Range(min=0, max=1), Choices(choices=(1, 2))):
        rng = np.random.default_rng(4)
        draw(setting, rng)
        after.append(rng.random())
    assert len(set(after)) == 1


def test_settings_are_read_as_a_recipe_gives_them():
    assert read_setting(3) == 3.0
    assert read_setting({"min": 1, "max": 2}) == Range(min=1, max=2)
    assert read_setting({"choices": [1, 2]}) == Choices(choices=(1, 2))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("ten", "no setting"),
        (True, "no setting"),
        ([1, 2], "no setting"),
        ({"min": 1}, "max"),
        ({"min": 2, "max": 1}, "min 2 is above max 1"),
        ({"min": 0, "max": 1, "scale": "log"}, "above 0"),
        ({"min": 0, "max": 1, "scale": "square"}, "scale"),
        ({"min": 0, "max": 1, "step": 1}, "step"),
        ({"choices": []}, "choices"),
        ({"choices": [1, "x"]}, "choices"),
    ],
)
def test_what_is_no_setting_is_refused(value, said):
    with pytest.raises(ValueError, match=said):
        read_setting(value)
