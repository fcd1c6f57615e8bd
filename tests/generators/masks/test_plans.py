from __future__ import annotations

import pytest

from benchmark.errors import BenchError
from generators.masks.plans import level, numbers, pair


def test_seeds_are_ranges_in_the_order_given():
    assert numbers("7, 3-5,4,0") == [7, 3, 4, 5, 0]
    assert numbers("0") == [0]


@pytest.mark.parametrize(
    "text", ["", "a", "-1", "5-3", "1,,2", "1.5", "1-", "0x3", "1-2-3", "٣", "1" * 30]
)
def test_seeds_that_are_none_are_refused(text):
    with pytest.raises(BenchError, match="no number and no range"):
        numbers(text)


@pytest.mark.parametrize("text", ["0-100000", "0-99999,100000", "0-999999999999"])
def test_too_many_seeds_are_refused_at_once(text):
    with pytest.raises(BenchError, match="more than 100,000"):
        numbers(text)


def test_levels_have_names():
    assert level("cellgen") == pytest.approx(240 / 127.5 - 1)
    assert level("grey:127.5") == 0
    assert level("-0.25") == -0.25
    for text in ("celgen", "grey:", "grey:x", ""):
        with pytest.raises(BenchError, match="no level"):
            level(text)


def test_pairs_are_two_numbers():
    assert pair("0.5,-1") == (0.5, -1)
    for text in ("1", "1,2,3", "a,b", ""):
        with pytest.raises(BenchError, match="not two numbers"):
            pair(text)
