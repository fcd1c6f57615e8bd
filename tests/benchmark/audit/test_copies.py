from __future__ import annotations

import numpy as np
import pytest

from benchmark.audit.aligned import HEIGHT, WIDTH, cutouts
from benchmark.audit.copies import RARE, copies, nearest
from benchmark.audit.sources import sources_of
from benchmark.dataset import Dataset, DatasetWriter, SampleInput


def ellipse(angle, scale=1.0, place=(60, 60), light=0):
    y, x = np.indices((120, 120)).astype(float)
    dy, dx = y - place[0], x - place[1]
    along, across = dx * np.cos(angle) + dy * np.sin(angle), dy * np.cos(angle) - dx * np.sin(angle)
    # An egg: not the same when turned by half.
    inside = (along / (24 * scale)) ** 2 + (across / ((14 + along / 6) * scale)) ** 2 < 1
    image = 100 + 50 * np.sin(along / scale / 4 + light) * inside + 200 * inside
    return image.astype(np.uint16)[None], inside.astype(np.uint16)


def one(tmp_path, name, *scenes):
    with DatasetWriter(tmp_path / name, name=name, version="1.0.0") as writer:
        for number, (image, labels) in enumerate(scenes):
            writer.add(SampleInput(id=f"s{number}", image=image, labels={"nuclei": labels}))
    return Dataset.open(tmp_path / name)


@pytest.fixture
def turned(tmp_path):
    scenes = [
        ellipse(0.3),
        ellipse(0.3 + np.pi),
        ellipse(1.4, 0.8),
        ellipse(2.0, 1.1, (55, 66)),
    ]
    return one(tmp_path, "turned", *scenes)


def test_place_direction_and_size_are_taken_out(turned):
    from benchmark.audit.sources import Source

    found = cutouts(Source(turned, tuple(turned.ids()), "nuclei"))
    assert found.masks.shape == (4, HEIGHT, WIDTH)
    np.testing.assert_allclose(np.square(found.textures).sum(axis=(1, 2)), 1, rtol=1e-4)
    shape = nearest(found.masks, found.masks, overlap=True, others=True)
    light = nearest(found.textures, found.textures, overlap=False, others=True)
    assert shape.min() > 0.93
    assert light.min() > 0.85


def test_objects_at_the_border_and_small_ones_are_left_out(tmp_path):
    from benchmark.audit.sources import Source

    image, labels = ellipse(0, place=(60, 10))
    labels[100:105, 100:105] = 2
    made = one(tmp_path, "border", (image, labels))
    assert len(cutouts(Source(made, ("s0",), "nuclei"))) == 0


def test_copies_of_the_reference_are_found(tmp_path, sets, sources):
    reference = [sources.reference.dataset.read(name) for name in sources.reference.ids]
    copied = one(
        tmp_path, "copied", *((s.image[:, ::-1], s.labels["nuclei"][::-1]) for s in reference)
    )
    told = []
    found = copies(
        sources_of(copied, sets["real"], sets["synthetic"]), None, lambda *at: told.append(at)
    )
    assert told[-1] == (4, 4)
    column = found["columns"]["synthetic"]
    assert column["shape_copies"]["share"] > 0.95
    assert column["texture_copies"]["share"] > 0.95
    assert column["texture_copies"]["median"] > 0.99
    assert column["shape_twins"]["share"] < 0.2
    real = found["columns"]["real"]
    for kind in ("shape_twins", "shape_copies", "texture_twins", "texture_copies"):
        assert 0 <= real[kind]["share"] < 5 * RARE
    assert found["columns"]["baseline"]["texture_copies"]["share"] < 0.3


def test_nothing_to_compare_is_said(tmp_path, sets):
    nothing = one(tmp_path, "nothing", (np.zeros((1, 64, 64), np.uint16), np.zeros((64, 64), int)))
    found = copies(sources_of(nothing, sets["real"]), None, lambda *_: None)
    assert "fewer than two objects" in found["problem"]
