from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")

from generators.training.charts import HEIGHT, WIDTH, Chart

numbers = st.floats(-1e30, 1e30)


def drawn(chart):
    root = ET.fromstring(str(chart.svg))
    curve = next(each for each in root if each.tag == "polyline")
    return [tuple(map(float, pair.split(","))) for pair in curve.get("points").split()]


@given(values=st.lists(numbers, min_size=1, max_size=50))
def test_any_values_are_drawn_inside(values):
    for x, y in drawn(Chart("loss", list(enumerate(values)))):
        assert 0 <= x <= WIDTH
        assert 0 <= y <= HEIGHT


def test_higher_values_are_drawn_higher():
    (x0, y0), (x1, y1), (x2, y2) = drawn(Chart("a", [(0.0, 1.0), (5.0, 3.0), (10.0, 2.0)]))
    assert x0 < x1 < x2
    assert y1 < y2 < y0
    assert x1 - x0 == pytest.approx(x2 - x1)


def test_many_points_are_averaged_and_the_last_is_kept():
    points = [(float(k), float(k % 2)) for k in range(10_000)]
    chart = Chart("a", points)
    assert len(drawn(chart)) <= 300
    assert chart.last == "1"


def test_names_are_escaped():
    svg = str(Chart('<script>"&', [(0.0, 1.0)]).svg)
    assert "<script>" not in svg
    assert re.search(r"&lt;script&gt;", svg)
    ET.fromstring(svg)
