"""What every source of shapes has to keep, whichever it is."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.errors import ShapeError
from generators.polygons import is_simple
from generators.shapes.geometry import moments, stacked
from generators.shapes.source import source_named, sources
from generators.shapes.styles import STYLES, irregularity, restyled, styled

NAMES = ("ellipse", "outlines", "parametric")
needs_torch = pytest.mark.skipif(not find_spec("torch"), reason="needs the extra `networks`")
NETWORK = pytest.param("stylegan3", marks=[pytest.mark.slow, needs_torch])


@pytest.fixture(scope="module", params=[*NAMES, NETWORK])
def source(request):
    return source_named(request.param)


def drawn(source, n=200, seed=0, **style):
    return source.sample(n, np.random.default_rng(seed), **style)


def test_the_sources_are_known_by_name():
    assert sources() == [*NAMES, "stylegan3"]
    for name in NAMES:
        assert source_named(name).name == name


def test_an_unknown_source_is_told_the_nearest():
    with pytest.raises(ShapeError) as error:
        source_named("outline")
    assert "'outlines'" in str(error.value)


def test_outlines_are_simple_counter_clockwise_and_centred(source):
    outlines = drawn(source)
    assert len(outlines) == 200
    for outline in outlines:
        assert outline.dtype == np.float64
        assert is_simple(outline)
    found = moments(stacked(outlines, 512))
    assert (found.area > 0).all()
    assert found.centroid == pytest.approx(np.zeros((200, 2)), abs=5e-3)


def test_the_unit_is_the_median_diameter(source):
    diameters = moments(stacked(drawn(source, 1000))).diameter
    assert np.median(diameters) == pytest.approx(1, abs=0.03)


def test_the_same_state_gives_the_same_outlines(source):
    one, same, other = drawn(source, 5, 1), drawn(source, 5, 1), drawn(source, 5, 2)
    assert all((a == b).all() for a, b in zip(one, same, strict=True))
    assert not any(a.shape == b.shape and (a == b).all() for a, b in zip(one, other, strict=True))


def test_none_are_none(source):
    assert drawn(source, 0) == []


def test_directions_are_even(source):
    doubled = np.exp(2j * moments(stacked(drawn(source, 600))).angle)
    assert abs(doubled.mean()) < 0.1


@pytest.mark.parametrize("style", ["size", "elongation"])
def test_a_style_is_what_the_outline_measures(source, style):
    wanted = np.linspace(1.1, 3.0, 60)
    found = moments(stacked(drawn(source, 60, **{style: wanted}), 2000))
    measured = {"size": found.diameter, "elongation": found.elongation}[style]
    assert measured == pytest.approx(wanted, rel=2e-3)


def test_one_number_holds_for_all_and_two_styles_together(source):
    found = moments(stacked(drawn(source, 30, size=0.5, elongation=2.0), 2000))
    assert found.diameter == pytest.approx(np.full(30, 0.5), rel=2e-3)
    assert found.elongation == pytest.approx(np.full(30, 2.0), rel=2e-3)


@pytest.mark.parametrize("name", ["outlines", "parametric"])
def test_irregularity_is_what_the_outline_measures(name):
    wanted = np.repeat([0.02, 0.05, 0.1], 40)
    made = drawn(source_named(name), 120, irregularity=wanted)
    found = irregularity(stacked(made, 512)).reshape(3, 40)
    assert np.median(found, axis=1) == pytest.approx([0.02, 0.05, 0.1], rel=0.05)
    assert found[0].max() < found[1].min()
    assert found[1].max() < found[2].min()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("style", [{"roundness": 1}, {"elongatoin": 1.5}])
def test_an_unknown_style_is_refused(name, style):
    with pytest.raises(ShapeError, match="no style"):
        drawn(source_named(name), 3, **style)


@given(
    name=st.sampled_from(sorted(STYLES)),
    beyond=st.sampled_from([-1.0, float("nan"), float("inf"), 1e9]),
)
@settings(max_examples=20)
def test_values_out_of_limits_are_refused(name, beyond):
    with pytest.raises(ShapeError, match="limits"):
        styled(2, {name: [1.0, beyond] if name != "irregularity" else beyond}, STYLES)


def test_values_of_another_count_are_refused():
    with pytest.raises(ShapeError, match="one number, or all 3") as error:
        styled(3, {"size": [1.0, 1.0]}, STYLES)
    assert error.value.what == "size has the shape (2,)"


def test_an_ellipse_has_no_irregularity(ellipse):
    assert irregularity(stacked([ellipse(3, 1, 4000)], 2000)) == pytest.approx([0], abs=2e-3)


def test_no_irregularity_leaves_an_ellipse(nuclei):
    bare = restyled(nuclei[:20], {"irregularity": np.zeros(20)})
    assert irregularity(bare) == pytest.approx(np.zeros(20), abs=1e-3)
    assert moments(bare).diameter == pytest.approx(moments(nuclei[:20]).diameter)


def test_without_a_style_an_outline_stays_where_it_points(nuclei):
    same = restyled(nuclei[:20] - moments(nuclei[:20]).centroid[:, None], {})
    assert same == pytest.approx(nuclei[:20] - moments(nuclei[:20]).centroid[:, None], abs=1e-9)
