"""`bench evaluate shapes` and `bench train outlines`: the table, the picture, the model's file."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from benchmark.dataset import DatasetWriter, SampleInput
from generators.commands.evaluate_shapes import shapes
from generators.commands.train_outlines import outlines
from generators.errors import ShapeError
from generators.polygons import contains, window_of
from generators.shapes.parametric import ParametricSource


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A data set of three images with 30 nuclei each, and a folder of the labels of one."""
    home = tmp_path_factory.mktemp("shapes")
    rng = np.random.default_rng(0)
    with DatasetWriter(home / "set", name="set", version="1.0.0", targets=("nuclei",)) as writer:
        for name in ("train", "more", "val"):
            labels = np.zeros((300, 360), np.uint8)
            for k, outline in enumerate(ParametricSource().sample(30, rng)):
                centre = np.array([k // 6, k % 6]) * 60 + 30
                window = window_of(outline * 28 + centre)
                labels[window.slices][contains(outline * 28 + centre, window)] = k + 1
            split = "val" if name == "val" else "train"
            image = np.zeros((1, *labels.shape), np.uint8)
            writer.add(SampleInput(id=name, image=image, labels={"nuclei": labels}, split=split))
    (home / "masks").mkdir()
    np.save(home / "masks" / "field.npy", labels)
    return home


def test_json_has_every_figure_of_every_source(folder, capsys, tmp_path):
    shapes(
        data=(str(folder / "set"),),
        source=("ellipse", "pca-5"),
        masks=(folder / "masks",),
        n=40,
        json=True,
        grid=tmp_path / "grid.png",
    )
    told = json.loads(capsys.readouterr().out)
    assert (told["training"], told["held_back"]) == (60, 30)
    assert list(told["figures"]) == ["real", "ellipse", "pca-5", "masks"]
    assert [row["n"] for row in told["figures"].values()] == [40, 40, 40, 30]
    # The masks are those held back, to which nothing can be nearer.
    assert told["figures"]["masks"]["ks_area"] < 0.1
    assert told["figures"]["ellipse"]["dented"] < 0.05
    with Image.open(tmp_path / "grid.png") as picture:
        assert picture.height > 100


def test_the_table_has_a_column_for_each_source(folder, capsys):
    shapes(data=(str(folder / "set"),), source=("ellipse",), n=30)
    printed = capsys.readouterr().out
    assert printed.splitlines()[0].split() == ["real", "ellipse"]
    assert "KSlp" in printed
    assert "30 held-back shapes, 60 training shapes, seed 0" in printed


def test_a_fitted_model_can_be_measured(folder, capsys, tmp_path):
    outlines(
        data=(str(folder / "set"),), out=tmp_path / "own.npz", harmonics=4, components=1, json=True
    )
    told = json.loads(capsys.readouterr().out)
    assert (told["kept"], told["images"]) == (60, 2)
    shapes(data=(str(folder / "set"),), source=(str(tmp_path / "own.npz"),), n=40, json=True)
    figures = json.loads(capsys.readouterr().out)["figures"]
    assert figures["own"]["ks_area"] < 0.35
    assert figures["own"]["copies"] < 0.5


def test_a_place_that_cannot_be_written_is_refused_before_the_fit(folder, tmp_path):
    for out in (tmp_path / "own.npy", tmp_path / "none" / "own.npz"):
        with pytest.raises(ShapeError, match="cannot be written"):
            outlines(data=(str(folder / "set"),), out=out)


def test_an_unknown_source_is_refused(folder):
    with pytest.raises(ShapeError, match="no source"):
        shapes(data=(str(folder / "set"),), source=("elipse",), n=30)
