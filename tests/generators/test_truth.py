"""Tables: gaps, touching and hidden by hand; outlines that rasterise to the labels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from generators.cells import Cells
from generators.polygons import area, contains, window_of
from generators.render import render
from generators.seeds import Seed
from generators.truth import gaps, hidden, touching

SQUARE = np.array([[0.0, 0.0], [0.0, 4.0], [4.0, 4.0], [4.0, 0.0]])


def moved(dy, dx):
    return SQUARE + np.array([dy, dx])


def repainted(rows, shape):
    """Rasterise a table's outlines from the lowest up."""
    labels = np.zeros(shape, int)
    for row in rows.sort_values("height").itertuples():
        outline = np.asarray(row.outline).reshape(-1, 2)
        window = window_of(outline).clipped(*shape)
        labels[window.slices][contains(outline, window)] = row.label
    return labels


def test_gaps_by_hand():
    outlines = [SQUARE, moved(0, 6.5), moved(0, 12), moved(200, 0)]
    assert gaps(outlines) == pytest.approx([2.5, 1.5, 1.5, np.nan], nan_ok=True)


def test_gaps_of_none_and_one():
    assert gaps([]).size == 0
    assert np.isnan(gaps([SQUARE])).all()


def test_touching_counts_corners_but_not_gaps():
    labels = np.array([[1, 0, 0, 3], [0, 2, 0, 3], [0, 0, 0, 0], [0, 4, 4, 0]], np.uint16)
    assert touching(labels).tolist() == [True, True, False, False]
    assert touching(labels[:, ::-1]).tolist() == [True, True, False, False]
    assert touching(np.zeros((3, 3), np.uint16)).size == 0


def test_hidden_by_hand():
    labels = np.zeros((8, 8), np.uint16)
    labels[:4, :4] = 1
    labels[2:6, :4] = 2
    assert hidden([SQUARE, moved(2, 0)], labels) == pytest.approx([0.5, 0])


def test_outlines_in_the_table_are_the_labels(scene_of):
    made = render(
        scene_of(layout={"density": 0.4, "overlap": 0.5, "clustering": 0.8}), Seed.root(1)
    )
    assert (made.objects["hidden"] > 0).any()
    assert (made.objects["border"]).any()
    labels = made.labels["nuclei"]
    assert (repainted(made.objects, labels.shape) == labels).all()


def test_outline_columns_describe_the_outline(scene_of):
    made = render(scene_of(), Seed.root(2)).objects
    for row in made.itertuples():
        outline = np.asarray(row.outline).reshape(-1, 2)
        assert row.outline_area == pytest.approx(abs(area(outline)), abs=1e-3)


def test_pixel_counts_are_near_the_areas_of_whole_outlines(scene_of):
    made = render(scene_of(nuclei={"diameter": 30}, layout={"overlap": 0}), Seed.root(3))
    whole = made.objects[~made.objects["border"]]
    pixels = np.bincount(made.labels["nuclei"].ravel())[whole["label"]]
    assert pixels == pytest.approx(whole["outline_area"], rel=0.03)


def test_parents_hold_their_nuclei(scene_of):
    made = render(
        scene_of(cells=Cells(), channels={"d": ("nuclei",), "c": ("cells",)}), Seed.root(4)
    )
    nuclei = made.objects[made.objects["target"] == "nuclei"]
    assert nuclei["parent"].notna().all()
    for row in nuclei.itertuples():
        own = made.labels["nuclei"] == row.label
        assert (made.labels["cells"][own] == row.parent).all()
    assert made.objects.loc[made.objects["target"] == "cells", "parent"].isna().all()


def test_cell_outlines_are_the_cell_labels(scene_of):
    made = render(scene_of(cells=Cells(), layout={"density": 0.25}), Seed.root(5))
    cells = made.objects[made.objects["target"] == "cells"]
    shape = made.labels["cells"].shape
    for row in cells.itertuples():
        outline = np.asarray(row.outline).reshape(-1, 2)
        window = window_of(outline).clipped(*shape)
        own = made.labels["cells"][window.slices] == row.label
        assert (contains(outline, window) == own).all()


def test_an_empty_scene_has_empty_tables_of_the_right_types(scene_of):
    made = render(scene_of(layout={"density": 0}), Seed.root(6))
    assert len(made.objects) == 0
    assert made.labels["nuclei"].max() == 0
    full = render(scene_of(), Seed.root(6)).objects
    for column in made.objects.columns:
        assert made.objects[column].dtype == full[column].dtype, column
    assert isinstance(made.spots, pd.DataFrame)
