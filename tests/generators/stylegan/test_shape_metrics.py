from __future__ import annotations

import json
from dataclasses import dataclass, replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from benchmark.errors import RunError  # noqa: E402
from generators.shapes.maps import Frames, MapSettings, maps_of  # noqa: E402
from generators.shapes.source import source_named  # noqa: E402
from generators.stylegan import shape_metrics  # noqa: E402
from generators.stylegan.shape_metrics import ShapeMetric  # noqa: E402


@dataclass(frozen=True)
class Objects:
    images: np.ndarray
    content: str
    classes: None = None
    digest: str = ""


def objects(kind="residual", n=120):
    outlines = source_named("parametric").sample(n, np.random.default_rng(0))
    settings = MapSettings(kind=kind)
    images, frames = maps_of(outlines, settings)
    content = {
        "kind": "objects",
        "map": json.loads(settings.to_json()),
        "frames": json.loads(Frames.of(frames).to_json()),
    }
    return Objects(images, json.dumps(content))


def measure(examples, made, monkeypatch):
    """Measure as if a network had made these pictures."""
    metric = ShapeMetric(examples, seed=0)
    monkeypatch.setattr(shape_metrics, "pictures_of", lambda _g, n, *_: made[:n])
    monkeypatch.setattr(shape_metrics, "classes_of", lambda *_: None)
    return metric(None)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["residual", "distance"])
def test_shapes_like_the_real_ones_are_near_them(kind, monkeypatch):
    examples = objects(kind)
    found = measure(examples, examples.images[::-1].copy(), monkeypatch)
    assert found["valid"] > 0.95
    assert found["ks_solidity"] < 0.3
    assert set(found) == {
        "valid",
        "ks_area",
        "ks_eccentricity",
        "ks_solidity",
        "ks_smooth_solidity",
        "dented",
        "twins",
        "copies",
        "auc",
    }


@pytest.mark.slow
def test_one_shape_for_all_is_found_out(monkeypatch):
    examples = objects("distance")
    same = np.repeat(examples.images[:1], len(examples.images), axis=0)
    found = measure(examples, same, monkeypatch)
    assert found["twins"] == 1.0
    assert found["ks_solidity"] > 0.4


def test_noise_is_hardly_valid(monkeypatch):
    examples = objects("distance", n=60)
    noise = np.random.default_rng(0).uniform(-1, 1, examples.images.shape).astype(np.float32)
    assert measure(examples, noise, monkeypatch) == {"valid": 0.0}


def test_too_few_examples_are_refused():
    examples = objects("distance", n=60)
    with pytest.raises(RunError, match="cannot be compared with 5 real ones"):
        ShapeMetric(replace(examples, images=examples.images[:5]), seed=0)
