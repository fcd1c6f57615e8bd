from __future__ import annotations

import json

import numpy as np
import tifffile
from PIL import Image

from generators.masks.contours import labelled
from generators.masks.making import Making, drawn, interpolated, made
from generators.masks.results import record, write, write_animation

PLAIN = Making()


def _read(path):
    with Image.open(path) as image:
        return np.asarray(image)


def test_every_file_shows_the_same_objects(ellipses, tmp_path):
    results = [made(ellipses, latent, PLAIN) for latent in drawn(ellipses, range(5), PLAIN)]
    rows = write(tmp_path, iter(results))
    assert [row["name"] for row in rows] == [f"seed{k:04d}" for k in range(5)]
    for row, result in zip(rows, results, strict=True):
        labels = tifffile.imread(tmp_path / row["labels"])
        np.testing.assert_array_equal(labels, result.labels)
        assert labels.dtype == np.uint16
        mask = _read(tmp_path / row["masks"])
        assert set(np.unique(mask)) == {0, 255}
        np.testing.assert_array_equal(mask > 0, labels > 0)
        picture = _read(tmp_path / row["pictures"])
        np.testing.assert_array_equal(labelled(picture, 127.5) > 0, labels > 0)
        features = json.loads((tmp_path / row["outlines"]).read_text())["features"]
        assert len(features) == row["objects"] == labels.max()
        assert row["measured"]["elongation"] == np.round(result.measured["elongation"], 6)
    # Five pictures of 48 px stand in two rows of three.
    assert _read(tmp_path / "sheet.png").shape == (2 * 50 + 2, 3 * 50 + 2)


def test_an_empty_picture_is_written_like_any_other(ellipses, tmp_path):
    away = Making(translate=(5, 5))
    (row,) = write(tmp_path, (made(ellipses, l_, away) for l_ in drawn(ellipses, [1], away)))
    assert row["objects"] == 0
    assert row["measured"] == {"size": None, "elongation": None, "irregularity": None}
    assert tifffile.imread(tmp_path / row["labels"]).max() == 0
    assert json.loads((tmp_path / row["outlines"]).read_text())["features"] == []


def test_animations_play_every_frame_for_ever(ellipses, tmp_path):
    ends = list(drawn(ellipses, [1, 2], PLAIN))
    for name in ("a.gif", "a.png"):
        frames = (made(ellipses, latent, PLAIN) for latent in interpolated(ends, 6))
        rows = write_animation(tmp_path / name, frames)
        assert len(rows) == 12
        assert rows[3]["from"] == 1
        assert rows[3]["share"] == 0.5
        with Image.open(tmp_path / name) as image:
            assert image.n_frames == 12
            assert image.size == (240, 240)
            assert image.info["loop"] == 0


def test_the_record_is_enough_to_make_the_same_again(ellipses):
    told = record(ellipses, {"truncation": 0.7}, [{"seed": 3}])
    told = json.loads(json.dumps(told, allow_nan=False))
    assert told["network"]["sha256"] == ellipses.digest
    assert told["network"]["settings"]["resolution"] == 48
    assert told["options"]["truncation"] == 0.7
    assert {"python", "cellgen-bench", "numpy", "torch"} == set(told["versions"])
