"""Whole fields: labels as the masks have them, to the pixel; outlines of just those pixels."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from generators.errors import RecipeError
from generators.fields import content, field
from generators.generate import generate, make, plan
from generators.polygons import Window, contains
from generators.recipe import parse


def ellipses(shape=(96, 112)):
    y, x = np.mgrid[: shape[0], : shape[1]]
    labels = np.zeros(shape, np.uint16)
    for number, (cy, cx, a, b) in enumerate(
        [(20, 20, 9, 14), (22, 44, 10, 11), (60, 40, 16, 8), (70, 90, 12, 12), (0, 80, 8, 9)], 1
    ):
        inside = ((y - cy) / a) ** 2 + ((x - cx) / b) ** 2 <= 1
        labels[inside & (labels == 0)] = number
    return labels


@pytest.fixture
def masks(tmp_path):
    folder = tmp_path / "masks"
    folder.mkdir()
    Image.fromarray(ellipses()).save(folder / "a.png")
    return folder


def recipe(source, **more):
    document = {"name": "f", "version": "1.0.0", "size": [96, 112], "splits": {"test": 2}}
    return parse({**document, "layout": {"fields": source}, "nuclei": {"diameter": 20}, **more})


def test_labels_are_those_of_the_mask_to_the_pixel(masks):
    made = recipe(f"{masks}/")
    sample = make(made, plan(made, 0)[0])
    truth, labels = ellipses(), sample.labels["nuclei"]
    assert ((labels > 0) == (truth > 0)).all()
    pairs = np.unique(np.stack([labels.ravel(), truth.ravel()]), axis=1)
    assert pairs.shape[1] == truth.max() + 1  # a renumbering, and nothing else


def test_outlines_hold_exactly_their_pixels_and_are_smooth(masks):
    labels, outlines = field(f"{masks}/", (96, 112), np.random.default_rng(0))
    window = Window(0, 0, 96, 112)
    for number, outline in enumerate(outlines, start=1):
        assert (contains(outline, window) == (labels == number)).all()
    # Stairs are taken off: the perimeter is near an ellipse's, where stairs have 4/π times it.
    third = outlines[int(labels[60, 40]) - 1]
    length = np.linalg.norm(np.diff(third, axis=0, append=third[:1]), axis=1).sum()
    assert length == pytest.approx(2 * np.pi * np.sqrt((16**2 + 8**2) / 2), rel=0.06)


def test_light_lies_where_the_labels_are(masks):
    optics = {"blur": 0, "haze": 0, "debris": 0, "snr": 60}
    made = recipe(f"{masks}/", optics=optics)
    sample = make(made, plan(made, 0)[0])
    image, labels = sample.image[0].astype(float), sample.labels["nuclei"]
    ground = np.median(image[labels == 0])
    for k in range(1, labels.max() + 1):
        assert image[labels == k].mean() > 2 * ground
    far = ndimage.distance_transform_edt(labels == 0) > 2
    assert image[far].max() < 1.5 * ground


def test_binary_masks_are_taken_by_their_regions(tmp_path):
    folder = tmp_path / "masks"
    folder.mkdir()
    truth = ellipses()
    Image.fromarray(((truth > 0) * 255).astype(np.uint8)).save(folder / "a.png")
    labels, outlines = field(f"{folder}/", (96, 112), np.random.default_rng(0))
    assert labels.max() == ndimage.label(truth > 0)[1] == len(outlines)
    assert ((labels > 0) == (truth > 0)).all()


def test_pieces_are_objects_and_holes_are_filled(tmp_path):
    folder = tmp_path / "masks"
    folder.mkdir()
    labels = np.zeros((40, 40), np.uint16)
    labels[5:20, 5:20] = 3
    labels[10:13, 10:13] = 0
    labels[11, 11] = 7  # an object in the hole stays
    labels[30:34, 5:9] = 3
    Image.fromarray(labels).save(folder / "a.png")
    found, _ = field(f"{folder}/", (40, 40), np.random.default_rng(0))
    assert found.max() == 3
    assert len({found[6, 6], found[31, 6], found[11, 11]}) == 3
    assert found[10, 10] == found[6, 6]


def test_windows_of_large_masks_differ_from_scene_to_scene(masks):
    made = recipe(f"{masks}/", size=64)
    a, b = (make(made, task).labels["nuclei"] for task in plan(made, 0))
    assert (a != b).any()
    assert (make(made, plan(made, 0)[0]).labels["nuclei"] == a).all()


def test_cells_and_spots_go_with_fields(masks):
    made = recipe(f"{masks}/", cells={}, spots={"inside": "cells"}, distractors={"dead": 300})
    sample = make(made, plan(made, 0)[0])
    nuclei, cells = sample.labels["nuclei"], sample.labels["cells"]
    assert (cells[nuclei > 0] > 0).all()
    assert (sample.spots["object"] > 0).all()


def test_what_is_missing_is_named(tmp_path):
    rng = np.random.default_rng(0)
    with pytest.raises(RecipeError, match="no folder of masks"):
        field(f"{tmp_path}/none/", (32, 32), rng)
    (tmp_path / "empty").mkdir()
    with pytest.raises(RecipeError, match="no mask in this folder"):
        field(f"{tmp_path}/empty/", (32, 32), rng)
    with pytest.raises(RecipeError, match="no network of fields"):
        content(f"{tmp_path}/none.safetensors")
    with pytest.raises(RecipeError, match="fields cannot be 'masks'"):
        recipe("masks")


def test_a_frame_larger_than_the_mask_is_refused(masks):
    with pytest.raises(RecipeError, match="does not fill a frame"):
        field(f"{masks}/", (128, 64), np.random.default_rng(0))


def test_other_masks_are_other_content(masks, tmp_path, monkeypatch):
    class Stop(Exception):  # noqa: N818 - a user's Ctrl-C
        pass

    def stop(finished, total):
        raise Stop

    made = recipe(f"{masks}/")
    with pytest.raises(Stop):
        generate(made, tmp_path / "set", workers=1, done=stop)
    Image.fromarray(ellipses()[::-1].copy()).save(masks / "a.png")
    assert generate(made, tmp_path / "set", workers=1) == 0


@pytest.mark.slow  # torch
def test_the_network_fills_a_frame():
    pytest.importorskip("torch")
    made = recipe("stylegan3", size=[64, 96])
    a, b = (make(made, task) for task in plan(made, 0))
    assert a.labels["nuclei"].shape == (64, 96)
    assert a.labels["nuclei"].max() > 0
    assert (a.labels["nuclei"] != b.labels["nuclei"]).any()
    window = Window(0, 0, 64, 96)
    for row in a.objects.itertuples():
        inside = contains(np.reshape(row.outline, (-1, 2)), window)
        assert (inside == (a.labels["nuclei"] == row.label)).all()
