from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from generators.pix2pixhd import clusters
from generators.stylegan.files import NetworkError


def test_codes_go_to_the_class_of_their_instance():
    instances = np.array([[1, 1, 2], [3, 3, 2]])
    classes = np.array([[0, 0, 5], [5, 5, 5]])
    codes = np.stack([instances * 10.0, instances * 1.0]).astype(np.float32)
    found = clusters.codes_of(codes, classes, instances)
    assert found[0].tolist() == [[10, 1]]
    assert found[5].tolist() == [[20, 2], [30, 3]]


def test_centres_are_found_again_and_few_codes_are_their_own():
    rng = np.random.default_rng(0)
    at = np.array([[-0.8, 0.0], [0.0, 0.7], [0.6, -0.6]])
    cloud = (at[rng.integers(3, size=90)] + rng.normal(0, 0.02, (90, 2))).astype(np.float32)
    parts = [{1: cloud[:50]}, {1: cloud[50:], 2: cloud[:2]}]
    found = clusters.clustered(parts, count=3)
    nearest = np.linalg.norm(found[1][:, None] - at, axis=2).min(0)
    assert nearest.max() < 0.02
    assert sorted(map(tuple, found[2])) == sorted(map(tuple, cloud[:2]))
    again = clusters.clustered(parts, count=3)
    assert np.array_equal(found[1], again[1])


def test_an_instance_draws_one_code_of_its_class():
    centres = {1: np.array([[0.1], [0.2]], np.float32)}
    classes = np.ones((20, 20), int)
    classes[:10] = 7
    instances = np.arange(400).reshape(20, 20) // 20
    drawn = clusters.drawn(centres, classes, instances, np.random.default_rng(0))
    assert np.all(drawn[0, :10] == 0)
    lower = drawn[0, 10:]
    assert all(len(np.unique(row)) == 1 for row in lower)
    assert np.array_equal(np.unique(lower), centres[1].ravel())


def test_files_come_back_and_others_are_refused(tmp_path):
    path = tmp_path / clusters.name_of(3)
    clusters.write(path, {0: np.zeros((2, 3), np.float32), 12: np.ones((1, 3), np.float32)})
    assert {k: v.shape for k, v in clusters.read(path).items()} == {0: (2, 3), 12: (1, 3)}
    with pytest.raises(NetworkError, match="no representative codes"):
        clusters.read(tmp_path / "nowhere.safetensors")
    (tmp_path / "x.safetensors").write_bytes(b"?" * 20)
    with pytest.raises(NetworkError, match="these are no representative codes"):
        clusters.read(tmp_path / "x.safetensors")
