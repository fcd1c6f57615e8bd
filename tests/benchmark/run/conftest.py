"""A tiny data set and a segmenter of a few lines, both real."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.dataset import Dataset, DatasetWriter, SampleInput

THRESHOLD = """
import numpy as np
from scipy import ndimage

class Segmenter:
    def __init__(self, model, parameters, device):
        pass

    def segment(self, image):
        {before}
        return ndimage.label(image[0] > 100)[0]
"""


def squares(seed: int, *, side: int = 64, n: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Return an image (1, Y, X) of bright squares on dim noise, and their labels (Y, X)."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((side, side), np.uint16)
    for label in range(1, n + 1):
        y, x = rng.integers(0, side - 8, 2)
        labels[y : y + 8, x : x + 8] = label
    image = rng.integers(0, 60, labels.shape).astype(np.uint16) + 200 * (labels > 0)
    return image[np.newaxis].astype(np.uint16), labels


@pytest.fixture
def make_dataset(tmp_path):
    """Write a data set of squares, a quarter of it in the split `val`, the rest in `test`."""

    def make(n: int, **options) -> Dataset:
        folder = tmp_path / "squares"
        with DatasetWriter(folder, name="squares", version="1.0.0", targets=("nuclei",)) as writer:
            for i in range(n):
                image, labels = squares(i, **options)
                writer.add(
                    SampleInput(
                        id=f"s{i:03}",
                        image=image,
                        labels={"nuclei": labels},
                        split="test" if i % 4 else "val",
                        scene=f"scene{i // 2}",
                    )
                )
        return Dataset.open(folder)

    return make


@pytest.fixture
def dataset(make_dataset):
    return make_dataset(8)


@pytest.fixture
def make_adapter(tmp_path):
    """Write an adapter folder; `before` runs before each segmentation."""

    def make(name: str, before: str = "pass") -> str:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "segmenter.py").write_text(THRESHOLD.format(before=before))
        return str(folder)

    return make
