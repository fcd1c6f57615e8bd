"""What the words of a command line stand for: splits, names, files, folders."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.dataset import DatasetWriter, SampleInput, open_any
from generators.errors import ShapeError
from generators.shapes.fourier import analysed
from generators.shapes.geometry import moments
from generators.shapes.outlines import SHIPPED
from generators.shapes.pca import PcaSource
from generators.shapes.selection import named_or_fitted, real_stacks, stack_of


def discs(count, radius):
    labels = np.zeros((30, 30 * count), np.uint16)
    rows, columns = np.indices(labels.shape)
    for k in range(count):
        labels[(rows - 15) ** 2 + (columns - 15 - 30 * k) ** 2 <= radius**2] = k + 1
    return labels


@pytest.fixture
def dataset(tmp_path):
    def made(**splits):
        with DatasetWriter(tmp_path / "set", name="set", version="1.0.0", targets=("nuclei",)) as w:
            for split, count in splits.items():
                for k in range(count):
                    labels = discs(12, 9 + k % 3)
                    grey = np.zeros((1, *labels.shape), np.uint8)
                    sample = SampleInput(
                        id=f"{split}{k}", image=grey, labels={"nuclei": labels}, split=split
                    )
                    w.add(sample)
        return open_any(tmp_path / "set")

    return made


def test_real_shapes_are_parted_by_split(dataset):
    training, kept = real_stacks([dataset(train=3, val=2)], "train", "val")
    assert (len(training), len(kept)) == (36, 24)
    assert moments(training).diameter == pytest.approx(np.ones(36), rel=0.01)


def test_without_splits_every_third_image_is_held_back(dataset):
    training, kept = real_stacks([dataset(test=6)], "train", "val")
    assert (len(training), len(kept)) == (48, 24)


def test_a_split_with_too_few_shapes_is_refused(dataset):
    with pytest.raises(ShapeError, match="12 whole objects are too few") as error:
        real_stacks([dataset(train=3, val=1)], "train", "val")
    assert "split val" in str(error.value)


def test_a_source_is_a_name_a_baseline_or_a_file(nuclei):
    assert named_or_fitted("ellipse", nuclei).name == "ellipse"
    baseline = named_or_fitted("pca-7", nuclei)
    assert isinstance(baseline, PcaSource)
    assert baseline.axes.shape[1] == 7
    assert named_or_fitted(str(SHIPPED), nuclei).sample(2, np.random.default_rng(0))
    for word in ("elipse", "pca-", "pca-0", "pca-x"):
        with pytest.raises(ShapeError):
            named_or_fitted(word, nuclei)


def test_a_missing_file_is_said(nuclei, tmp_path):
    with pytest.raises(ShapeError, match="no model"):
        named_or_fitted(str(tmp_path / "none.npz"), nuclei)
    (tmp_path / "text.npz").write_text("no archive")
    with pytest.raises(ShapeError, match="no model"):
        named_or_fitted(str(tmp_path / "text.npz"), nuclei)
    with pytest.raises(ShapeError, match="no network"):
        named_or_fitted(str(tmp_path / "none.safetensors"), nuclei)


def test_a_folder_of_masks_gives_what_it_has(tmp_path, nuclei):
    for k in range(3):
        np.save(tmp_path / f"{k}.npy", discs(10, 9 + k))
    name, stack = stack_of(tmp_path, nuclei, nuclei, 100, 0)
    assert name == tmp_path.name
    assert len(stack) == 30
    assert np.median(moments(stack).diameter) == pytest.approx(1)
    assert len(stack_of(tmp_path, nuclei, nuclei, 25, 0)[1]) == 25


def test_the_control_is_the_real_shapes_but_smooth(nuclei):
    name, stack = stack_of("real-6", nuclei[:9], nuclei, 300, 0)
    assert (name, len(stack)) == ("real-6", 300)
    ours, theirs = moments(stack), moments(nuclei)
    assert np.median(ours.elongation) == pytest.approx(np.median(theirs.elongation), rel=0.05)
    # Little is left beyond the sixth harmonic: what new even steps along the arc make of it.
    beyond, before = (np.abs(analysed(shapes, 12))[:, 12:].mean() for shapes in (stack, nuclei))
    assert beyond < 0.3 * before


def test_the_same_seed_gives_the_same_outlines(nuclei):
    one, same, other = (stack_of("outlines", nuclei, nuclei, 20, seed)[1] for seed in (1, 1, 2))
    assert (one == same).all()
    assert not (one == other).all()
