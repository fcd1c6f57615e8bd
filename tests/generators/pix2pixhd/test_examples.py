from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from benchmark.errors import DatasetError  # noqa: E402
from generators.pix2pixhd.examples import Examples  # noqa: E402
from generators.pix2pixhd.folders import open_source  # noqa: E402
from generators.pix2pixhd.greys import Greys  # noqa: E402
from generators.pix2pixhd.resizing import Resizing  # noqa: E402
from generators.pix2pixhd.settings import Inputs  # noqa: E402
from generators.seeds import Seed  # noqa: E402


@pytest.fixture
def examples(paired):
    def made(mode="crop", inputs=Inputs(3), channels=3, **given):  # noqa: B008 - frozen
        resizing = Resizing(mode, 32, 16, 4)
        source = open_source(paired(**given))
        return Examples(source, inputs, channels, resizing, Greys(), Greys(), flip=True)

    return made


def test_labels_instances_and_picture_are_cut_and_mirrored_together(examples):
    every = examples()
    pair = every.read(0)
    seen = set()
    for k in range(12):
        batch = every.batch([pair], Seed.root(0).at(k))
        assert batch.given.shape == batch.instances.shape == (1, 1, 16, 16)
        assert batch.given.dtype == torch.int64
        foreground = batch.given[0, 0] > 0
        assert torch.equal(foreground, batch.instances[0, 0] > 0)
        assert torch.equal(foreground, batch.real[0, 1] > Greys().scaled(np.array(35)).item())
        seen.add(batch.given.numpy().tobytes())
    assert len(seen) > 6
    again = every.batch([pair], Seed.root(0).at(0))
    assert torch.equal(again.given, every.batch([pair], Seed.root(0).at(0)).given)


def test_mirrored_pictures_are_mirror_images(examples):
    every = examples(mode="none")
    pair = every.read(0)
    drawn = [every.batch([pair], Seed.root(1).at(k)).given.numpy()[0] for k in range(10)]
    straight = [np.array_equal(one, pair.given) for one in drawn]
    mirrored = [np.array_equal(one, pair.given[..., ::-1]) for one in drawn]
    assert all(a or b for a, b in zip(straight, mirrored, strict=True))
    assert any(straight)
    assert any(mirrored)


def test_grey_where_grey_is_wanted_and_scaled_sizes(examples):
    pair = examples(mode="scale_width", channels=1, size=(24, 64)).read(0)
    assert pair.real.shape == (1, 12, 32)
    assert pair.given.shape == (1, 12, 32)
    assert set(np.unique(pair.given)) <= {0, 1, 2}


def test_instances_are_read_only_where_they_are_needed(examples):
    every = examples(inputs=Inputs(3, edges=False))
    assert every.read(0).instances is None
    assert every.batch([every.read(0)], Seed.root(0)).instances is None


def test_batches_of_several_sizes_are_refused(examples):
    every = examples(mode="none")
    large = every.read(0)
    small = large.middle((16, 16))
    with pytest.raises(DatasetError, match="of different sizes"):
        every.batch([large, small], Seed.root(0))


def test_a_pair_is_continued_to_whole_multiples(examples):
    pair = examples().read(0).middle((10, 13))
    padded = pair.padded(8)
    assert padded.size == (16, 16)
    assert np.array_equal(padded.given[:, :10, :13], pair.given)
    assert np.array_equal(padded.given[:, 10], padded.given[:, 8])
    assert np.array_equal(pair.padded(1).given, pair.given)


def test_files_of_one_pair_that_differ_in_size_are_refused(examples):
    from PIL import Image

    every = examples()
    Image.new("RGB", (9, 9)).save(every.source.second[1])
    with pytest.raises(DatasetError, match="24 by 32 and 9 by 9 px"):
        every.read(1)


def test_pictures_of_another_depth_are_refused_or_left_out(examples):
    from dataclasses import replace

    import tifffile

    every = examples()
    path = every.source.second[1]
    path.unlink()
    tifffile.imwrite(path.with_suffix(".tif"), np.zeros((24, 32), np.uint16))
    every = replace(every, source=open_source(path.parents[1]))
    with pytest.raises(DatasetError, match="of uint16, and others of uint8"):
        every.read(1)
    assert replace(every, strict=False).read(1).real is None
