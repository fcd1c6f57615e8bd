from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(autouse=True)
def _one_thread():
    """Sums in one order, and no quarrel over the processors with other tests."""
    if find_spec("torch") is None:
        yield
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def paired(tmp_path):
    """Return a function that makes paired folders of squares: labels 0 to 2, instances, colours."""

    def made(count=3, size=(24, 32), phase="train", folder="data"):
        root = tmp_path / folder
        rng = np.random.default_rng(0)
        for name in ("label", "inst", "img"):
            (root / f"{phase}_{name}").mkdir(parents=True)
        for k in range(count):
            labels, instances = np.zeros(size, np.uint8), np.zeros(size, np.uint16)
            for number in range(1, 5):
                y, x = rng.integers(0, size[0] - 8), rng.integers(0, size[1] - 8)
                labels[y : y + 8, x : x + 8] = 1 + number % 2
                instances[y : y + 8, x : x + 8] = 1000 + number
            colours = np.array([[20, 30, 40], [200, 40, 40], [40, 40, 200]], np.uint8)[labels]
            Image.fromarray(labels).save(root / f"{phase}_label" / f"{k}.png")
            Image.fromarray(instances).save(root / f"{phase}_inst" / f"{k}.png")
            Image.fromarray(colours).save(root / f"{phase}_img" / f"{k}.png")
        return root

    return made
