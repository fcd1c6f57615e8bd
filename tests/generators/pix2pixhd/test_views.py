from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from generators.pix2pixhd.views import coloured, shown, side_by_side


def test_neighbouring_labels_have_colours_apart():
    colours = coloured(np.arange(12)[None])[:, 0].T
    assert np.abs(colours).max() <= 1
    distances = np.linalg.norm(colours[:, None] - colours[None], axis=2)
    assert distances[~np.eye(12, dtype=bool)].min() > 0.1
    assert np.diagonal(distances, 1).min() > 0.5


def test_any_channels_can_be_shown():
    rng = np.random.default_rng(0)
    pictures = [rng.uniform(-1, 1, (n, 4, 5)).astype(np.float32) for n in (1, 2, 3, 7)]
    assert side_by_side([pictures, pictures]).shape == (8, 3, 4, 5)
    assert np.array_equal(shown(pictures[1])[:2], pictures[1])
    assert np.array_equal(shown(pictures[3]), pictures[3][:3])
