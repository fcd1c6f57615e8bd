from __future__ import annotations

import json

import numpy as np
import pytest

from benchmark.audit import classifier as module
from benchmark.audit import linear
from benchmark.audit.classifier import Budget, classifier
from benchmark.audit.patches import SIDE, VIEWS, drawn, levels, view


def test_patches_are_drawn_where_objects_are_and_the_same_each_time(sources):
    source = sources.columns["synthetic"]
    first, second = drawn(source, 4, 5, 0), drawn(source, 4, 5, 0)
    assert len(first) == 20
    assert first.values.shape == (20, SIDE, SIDE)
    np.testing.assert_array_equal(first.values, second.values)
    np.testing.assert_array_equal(np.bincount(first.image), [5, 5, 5, 5])
    for patch, image, (y, x) in zip(first.values, first.image, first.corners, strict=True):
        plane, labels = source.read(first.samples[image])
        np.testing.assert_array_equal(patch, plane[y : y + SIDE, x : x + SIDE])
        assert labels[y : y + SIDE, x : x + SIDE].any()
    assert not np.array_equal(first.values, drawn(source, 4, 5, 1).values)


def test_views_have_no_brightness_no_contrast_and_their_own_frequencies():
    rng = np.random.default_rng(0)
    patches = rng.normal(0, 1, (3, SIDE, SIDE)).astype(np.float32)
    seen = {name: view(patches, name) for name in VIEWS}
    for values in seen.values():
        np.testing.assert_allclose(values.mean(axis=(1, 2)), 0, atol=1e-4)
        np.testing.assert_allclose(values.std(axis=(1, 2)), 1, rtol=1e-3)
    np.testing.assert_allclose(view(50 * patches + 900, "raw"), seen["raw"], atol=1e-3)

    def rough(values):
        return np.abs(np.diff(values, axis=2)).mean()

    assert rough(seen["blurred"]) < 0.4 * rough(seen["raw"]) < 0.5 * rough(seen["high-pass"])
    flat = view(np.full((1, SIDE, SIDE), 7, np.float32), "high-pass")
    assert np.isfinite(flat).all()


def test_pictures_are_stretched():
    grey = levels(np.linspace(100, 900, 4096).reshape(64, 64))
    assert (grey.min(), grey.max()) == (0, 255)


def test_features_are_of_known_number_and_finite():
    patches = np.random.default_rng(0).normal(0, 1, (2, 48, 48)).astype(np.float32)
    found = linear.features(patches)
    assert found.shape == (2, 40)
    assert np.isfinite(found).all()
    assert np.isfinite(linear.features(np.zeros((1, 48, 48), np.float32))).all()


def test_the_linear_model_learns_what_differs_and_nothing_else():
    rng = np.random.default_rng(0)
    train, test = rng.normal(0, 1, (200, 6)), rng.normal(0, 1, (200, 6))
    made = np.repeat([True, False], 100)
    chance = linear.scores(train, made, test)
    assert abs(linear.area_under_curve(chance[:100], chance[100:]) - 0.5) < 0.15
    train[:100, 2] += 2
    test[:100, 2] += 2
    told = linear.scores(train, made, test)
    assert linear.area_under_curve(told[:100], told[100:]) > 0.85


def test_what_differs_is_told_and_what_does_not_is_not(sources, monkeypatch):
    monkeypatch.setattr(module, "has_network", lambda: False)
    lines = []
    found, pictures = classifier(sources, Budget(images=6, each=4), lines.append)
    assert len(lines) == 9
    assert found["budget"]["images"] == 6
    assert "pip install" in found["network"]
    for kind in VIEWS:
        assert set(found["columns"]["synthetic"][kind]) == {"linear"}
    auc = {name: found["columns"][name]["high-pass"]["linear"] for name in sources.columns}
    assert auc["synthetic"]["auc"] > 0.95
    assert 0.1 < auc["real"]["auc"] < 0.9
    low, high = auc["real"]["interval"]
    assert low <= auc["real"]["auc"] <= high
    assert auc["real"]["n"] == [8, 8]  # every third of six images
    assert not any(name.startswith("real-") for name in pictures)
    assert pictures["synthetic-raw-made-0"].shape == (SIDE, SIDE)
    json.dumps(found, allow_nan=False)


def test_scored_images_are_not_learned_from(sources, monkeypatch):
    monkeypatch.setattr(module, "has_network", lambda: False)
    seen = []
    monkeypatch.setattr(
        linear, "scores", lambda train, made, test: (seen.append((train, test)), test[:, 0])[1]
    )
    monkeypatch.setattr(linear, "features", lambda values: values[:, :1, 0].astype(float))
    classifier(sources, Budget(images=6, each=4), lambda _: None)
    for train, test in seen:
        assert (len(train), len(test)) == (32, 16)
        assert not set(train[:, 0]) & set(test[:, 0])


def test_too_few_images_are_a_problem_and_no_error(sources):
    found, pictures = classifier(sources, Budget(images=3, each=2), lambda _: None)
    assert found["problem"].startswith("3 images")
    assert found["columns"] == pictures == {}


@pytest.mark.training
def test_the_network_learns_and_is_repeatable():
    torch = pytest.importorskip("torch")
    from benchmark.audit import network

    rng = np.random.default_rng(0)
    patches = rng.normal(0, 1, (96, 16, 16)).astype(np.float32)
    patches[:48] = (patches[:48] + np.roll(patches[:48], 1, axis=2)) / np.sqrt(2)
    made = np.repeat([True, False], 48)
    state = torch.random.get_rng_state()
    first = network.scores(patches, made, patches, seed=0, steps=30)
    second = network.scores(patches, made, patches, seed=0, steps=30)
    np.testing.assert_array_equal(first, second)
    assert torch.equal(state, torch.random.get_rng_state())
    assert linear.area_under_curve(first[made], first[~made]) > 0.9
