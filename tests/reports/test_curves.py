from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.curves import N_COLOURS, Curve, draw_curves, spread

THRESHOLDS = np.arange(50, 100, 5) / 100


def curve(name, slot=0, top=0.9):
    return Curve(name, slot, THRESHOLDS, np.linspace(top, 0.1, 10))


def texts(svg):
    return [e.text for e in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def test_each_curve_is_labelled_and_the_axes_named():
    found = texts(draw_curves([curve("cellpose:cyto3"), curve("oracle:truth", None, 1.0)]))
    assert {"cellpose:cyto3", "oracle:truth", "IoU threshold", "AP", "0.50", "0.95"} <= set(found)


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "a & b", r"$\frac{", "@1@", '"quoted"', "x" * 26]
)
def test_names_are_text_whatever_they_hold(name):
    svg = draw_curves([curve(name), curve("second", 1)])
    assert name in texts(svg)
    assert "second" in texts(svg)
    assert "<script" not in svg


def test_long_names_are_cut():
    [label] = [text for text in texts(draw_curves([curve("x" * 60)])) if text[0] == "x"]
    assert label == "x" * 26 + "…"


def test_colours_come_from_the_page():
    svg = draw_curves([curve(str(k), k) for k in range(N_COLOURS + 1)] + [curve("grey", None)])
    for slot in range(N_COLOURS):
        assert f"var(--series-{slot})" in svg
    assert "var(--faint)" in svg
    assert "currentColor" in svg
    assert "#0" not in svg


def test_nothing_but_an_svg_element_that_styles_only_itself():
    svg = draw_curves([curve("a")])
    assert svg.startswith("<svg")
    assert svg.rstrip().endswith("</svg>")
    for unwanted in ("<style", "<metadata", "<!DOCTYPE", "font-family", "<image"):
        assert unwanted not in svg


def test_same_curves_same_bytes():
    assert draw_curves([curve("a"), curve("b", 1)]) == draw_curves([curve("a"), curve("b", 1)])


def test_a_curve_alone_passes_through_its_points():
    """The second point of ten lies a ninth of the way along and down."""
    svg = draw_curves([curve("a", top=1.0)])
    [line] = [
        element.get("d")
        for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}path")
        if (element.get("d") or "").count("L") == 9
    ]
    points = [tuple(map(float, part.split())) for part in line[1:].split("L")]
    x, y = np.array(points).T
    np.testing.assert_allclose((x - x[0]) / (x[-1] - x[0]), np.linspace(0, 1, 10), atol=1e-4)
    np.testing.assert_allclose((y - y[0]) / (y[-1] - y[0]), np.linspace(0, 1, 10), atol=1e-4)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_spread_leaves_room_and_keeps_the_order(values):
    values = np.array(values)
    placed = spread(values, gap=0.05)
    order = np.argsort(values, kind="stable")
    assert (np.diff(placed[order]) >= 0.05 - 1e-9).all()
    assert placed.min() >= -1e-9
    assert placed.max() <= 1 + 1e-9
    if (np.diff(values[order]) >= 0.05).all():
        np.testing.assert_allclose(placed, values, atol=1e-12)
