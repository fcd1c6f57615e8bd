from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from benchmark.errors import BenchError
from generators.masks.making import (
    Making,
    check,
    drawn,
    interpolated,
    made,
    mixed,
    synthesised,
    transform_of,
)
from generators.masks.networks import open_network
from generators.shapes.geometry import moments, stacked
from generators.shapes.maps import Frames, MapSettings

PLAIN = Making()


def test_a_seed_gives_the_same_picture_whatever_else_is_asked_for(fields_file):
    network = open_network(fields_file)
    latents = drawn(network, range(5), PLAIN)
    many = {latent.name: made(network, latent, PLAIN) for latent in latents}
    (alone,) = [made(network, latent, PLAIN) for latent in drawn(network, [3], PLAIN)]
    np.testing.assert_array_equal(alone.picture, many["seed0003"].picture)
    np.testing.assert_array_equal(alone.labels, many["seed0003"].labels)
    assert not np.array_equal(alone.picture, many["seed0002"].picture)


def test_no_truncation_left_is_the_average(ellipses):
    first, second = drawn(ellipses, [1, 2], Making(truncation=0))
    assert torch.equal(first.styles, second.styles)
    half = next(drawn(ellipses, [1], Making(truncation=0.5)))
    whole = next(drawn(ellipses, [1], PLAIN))
    assert torch.allclose(half.styles, whole.styles / 2)


def test_moves_and_turns_are_of_the_picture(ellipses):
    latent = next(drawn(ellipses, [1], PLAIN))
    there = made(ellipses, latent, Making(translate=(0.125, -0.25), rotate=30))
    here = made(ellipses, latent, PLAIN)
    (before, after) = (moments(stacked([m.regions[0].outline])) for m in (here, there))
    np.testing.assert_allclose(after.centroid - before.centroid, [[-12, 6]], atol=0.05)
    assert np.rad2deg(after.angle - before.angle)[0] == pytest.approx(30, abs=0.5)
    assert transform_of(PLAIN) is None


def test_what_is_made_is_measured(ellipses):
    latent = next(drawn(ellipses, [1], PLAIN))
    w = latent.styles[0].double().numpy()
    found = made(ellipses, latent, PLAIN).measured
    assert found["elongation"] == pytest.approx(1 + 0.5 * np.exp(0.3 * w[1]), rel=0.03)
    assert found["size"] == pytest.approx(np.exp(0.12 * w[0]), rel=0.03)


def test_objects_that_the_border_cuts_are_not_measured(ellipses):
    latent = next(drawn(ellipses, [1], PLAIN))
    cut = made(ellipses, latent, Making(translate=(0.4, 0)))
    assert cut.regions[0].cut
    assert np.isnan(cut.measured["size"])


def test_a_level_moves_the_outline(ellipses):
    latent = next(drawn(ellipses, [1], PLAIN))
    sizes = [made(ellipses, latent, Making(level=v)).regions[0].area for v in (-0.5, 0.0, 0.5)]
    assert sizes[0] > sizes[1] > sizes[2]


def test_an_empty_picture_has_no_objects(ellipses):
    latent = next(drawn(ellipses, [1], PLAIN))
    far = made(ellipses, latent, Making(translate=(5, 5)))
    assert far.regions == []
    assert far.labels.max() == 0
    assert all(np.isnan(value) for value in far.measured.values())


def test_mixing_takes_layers_from_the_column(ellipses):
    row, column = drawn(ellipses, [1, 2], PLAIN)
    row, column = replace(row, about={"row": 1}), replace(column, about={"column": 2})
    both = mixed(row, column, [0, 2])
    assert torch.equal(both.styles[[0, 2]], column.styles[[0, 2]])
    assert torch.equal(both.styles[[1, 3]], row.styles[[1, 3]])
    assert both.about == {"row": 1, "column": 2}
    assert both.name == "seed0001-seed0002"


def test_the_way_passes_every_seed_and_closes_smoothly(ellipses):
    ends = list(drawn(ellipses, [1, 2, 3], PLAIN))
    way = list(interpolated(ends, 20))
    assert len(way) == 60
    for k, end in enumerate(ends):
        torch.testing.assert_close(way[20 * k].styles, end.styles)
    steps = [float((b.styles - a.styles).norm()) for a, b in pairwise([*way, way[0]])]
    turns = np.abs(np.diff([*steps, steps[0]])) / np.mean(steps)
    assert turns.max() < 0.2


def test_a_picture_that_is_no_number_is_an_error(ellipses):
    latent = next(drawn(ellipses, [1], PLAIN))
    broken = replace(latent, styles=latent.styles * float("nan"))
    with pytest.raises(BenchError, match="NaN or infinity"):
        synthesised(ellipses, broken)


@pytest.mark.parametrize(
    ("making", "message"),
    [
        (Making(truncation=float("nan")), "no places"),
        (Making(translate=(0, float("inf"))), "no places"),
        (Making(label=1), "no class 1"),
        (Making(level=1.0), "no pixel can be told"),
        (Making(level=float("nan")), "no places"),
        (Making(diameter=0), "out of its limits"),
        (Making(diameter=float("nan")), "out of its limits"),
    ],
)
def test_what_a_network_cannot_do_is_refused(ellipses, making, message):
    with pytest.raises(BenchError, match=message):
        check(ellipses, making)


def test_classes_are_asked_for_and_change_the_picture(saved):
    network = open_network(saved({"kind": "fields", "level": 0.0}, c_dim=3))
    with pytest.raises(BenchError, match="has 3 classes"):
        check(network, PLAIN)
    with pytest.raises(BenchError, match="no class 3"):
        check(network, Making(label=3))
    pictures = []
    for label in (0, 2):
        check(network, Making(label=label))
        latent = next(drawn(network, [1], Making(label=label)))
        pictures.append(made(network, latent, PLAIN).picture)
    assert not np.allclose(*pictures)


@pytest.fixture
def residuals(ellipses):
    """A network of single objects whose map is a flat residual: every object is an ellipse."""

    class Flat:
        num_styles = 4

        def __call__(self, styles, *, transform=None):
            return torch.zeros(1, 1, 24, 24) + styles[0, 0, 0] * 0

    frames = np.stack([np.linspace(0.8, 1.2, 60), np.linspace(1.1, 2.0, 60)], axis=1)
    generator = type(ellipses.generator)()
    generator.synthesis = Flat()
    return replace(
        ellipses,
        generator=generator,
        kind="objects",
        pixel_diameter=None,
        map=MapSettings(),
        frames=Frames.of(frames),
    )


def test_an_object_has_the_size_and_elongation_of_its_frame(residuals):
    for latent in drawn(residuals, range(3), PLAIN):
        result = made(residuals, latent, PLAIN)
        assert result.measured["size"] == pytest.approx(latent.frame[0], rel=1e-3)
        assert result.measured["elongation"] == pytest.approx(latent.frame[1], rel=1e-3)
        area = np.pi / 4 * (latent.frame[0] * 28) ** 2
        assert result.regions[0].area == pytest.approx(area, rel=0.01)
        assert (result.labels == 1).sum() == pytest.approx(area, rel=0.03)
        assert result.picture.shape == (1, 64, 64)
        assert ((result.picture[0] + 1) / 2).sum() == pytest.approx(area, rel=0.01)


def test_an_object_is_moved_turned_and_drawn_at_any_diameter(residuals):
    latent = replace(next(drawn(residuals, [1], PLAIN)), frame=np.array([1.0, 1.8]))
    making = Making(translate=(0.25, -0.125), rotate=40, diameter=56)
    (region,) = made(residuals, latent, making).regions
    about = moments(stacked([region.outline]))
    np.testing.assert_allclose(about.centroid, [[63.5 - 16, 63.5 + 32]], atol=0.01)
    assert about.diameter[0] == pytest.approx(56, rel=1e-3)
    assert np.rad2deg(about.angle[0]) == pytest.approx(40, abs=0.1)
    assert not region.cut
    (away,) = made(residuals, latent, Making(translate=(0.45, 0))).regions
    assert away.cut


def test_a_map_without_an_object_is_empty(residuals):
    residuals.generator.synthesis = lambda styles, transform: torch.full((1, 1, 24, 24), -1.0)
    result = made(residuals, next(drawn(residuals, [1], PLAIN)), PLAIN)
    assert result.outline is None
    assert result.regions == []
    assert result.labels.shape == (64, 64)
    assert not result.labels.any()


def test_objects_have_no_level(residuals):
    with pytest.raises(BenchError, match="no level"):
        check(residuals, Making(level=0.5))


def test_a_size_scales_what_is_made_and_not_what_is_measured(ellipses):
    latent = next(drawn(ellipses, [1], PLAIN))
    here, there = (made(ellipses, latent, making) for making in (PLAIN, Making(size=144)))
    assert there.picture.shape == (1, 144, 144)
    assert there.regions[0].area == pytest.approx(9 * here.regions[0].area, rel=0.01)
    inside = np.count_nonzero(there.labels)
    assert inside == pytest.approx(there.regions[0].area, rel=0.01)
    assert there.measured["size"] == pytest.approx(here.measured["size"], rel=0.01)
    # The centre of pixel k of the network lies at 3 k + 1 of the larger picture.
    before, after = (moments(stacked([m.regions[0].outline])).centroid for m in (here, there))
    np.testing.assert_allclose(after, 3 * before + 1, atol=0.05)


def test_a_size_out_of_its_limits_is_refused(ellipses, saved):
    with pytest.raises(BenchError, match="out of its limits"):
        check(ellipses, Making(size=7))
    with pytest.raises(BenchError, match="drawn at a diameter"):
        check(open_network("nuclei"), Making(size=96))
