from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from benchmark.errors import BenchError  # noqa: E402
from generators.pix2pixhd import results  # noqa: E402
from generators.pix2pixhd.conditions import conditions  # noqa: E402
from generators.pix2pixhd.encoder import Encoder, EncoderSettings  # noqa: E402
from generators.pix2pixhd.examples import Example  # noqa: E402
from generators.pix2pixhd.folders import open_source  # noqa: E402
from generators.pix2pixhd.greys import Greys  # noqa: E402
from generators.pix2pixhd.making import TextureNetwork, codes_for, made  # noqa: E402
from generators.pix2pixhd.networks import build  # noqa: E402
from generators.pix2pixhd.resizing import Resizing  # noqa: E402
from generators.pix2pixhd.settings import GeneratorSettings, Inputs  # noqa: E402
from generators.seeds import Seed  # noqa: E402


def network_of(inputs, output_nc=1, encoder=None, mode="crop", greys=Greys()):  # noqa: B008
    generator = build(GeneratorSettings(inputs.channels, output_nc, "global", 4, 2, 1)).eval()
    return TextureNetwork(generator, inputs, greys, Greys(), Resizing(mode, 64, 16, 4), encoder)


def pair(height, width, real=None):
    instances = (np.arange(height * width).reshape(1, height, width) // 20).astype(np.int32)
    return Example((instances % 2).astype(np.int32), instances, real, Path("x.png"))


@pytest.mark.parametrize("size", [(16, 24), (17, 30), (5, 9), (1, 1), (3, 40)])
def test_pictures_of_any_size(size):
    picture = made(network_of(Inputs(2)), pair(*size))
    assert picture.shape == (1, *size)
    assert np.abs(picture).max() <= 1


def test_where_nothing_is_continued_it_is_what_the_generator_makes():
    network, example = network_of(Inputs(2)), pair(16, 24)
    batch = example.alone()
    with torch.no_grad():
        by_hand = network.generator(conditions(batch.given, batch.instances, network.inputs))
    assert np.array_equal(made(network, example), by_hand[0].numpy())


def test_codes_are_encoded_or_drawn():
    inputs = Inputs(2, feat_num=2)
    network = network_of(inputs, encoder=Encoder(EncoderSettings(1, 2, 4, 1)).eval())
    real = np.random.default_rng(0).uniform(-1, 1, (1, 18, 21)).astype(np.float32)
    example = pair(18, 21, real)
    encoded = codes_for(network, example, None, Seed.root(0))
    assert encoded.shape == (2, 18, 21)
    inside = example.instances[0] == 4
    assert np.ptp(encoded[:, inside], axis=1).max() == 0
    centres = {0: np.zeros((1, 2), np.float32), 1: np.ones((1, 2), np.float32)}
    drawn = codes_for(network, example, centres, Seed.root(0))
    assert drawn.shape == (2, 18, 21)
    assert set(np.unique(drawn)) == {0, 1}
    assert not np.array_equal(made(network, example, drawn), made(network, example, encoded))
    assert codes_for(network_of(Inputs(2)), example, None, Seed.root(0)) is None
    with pytest.raises(BenchError, match="need real pictures"):
        codes_for(network, pair(18, 21), None, Seed.root(0))
    with pytest.raises(BenchError, match="need an encoder"):
        codes_for(network_of(inputs), example, None, Seed.root(0))
    with pytest.raises(BenchError, match="not of 2 numbers"):
        codes_for(network, example, {0: np.zeros((1, 3), np.float32)}, Seed.root(0))


def test_a_picture_is_written_for_each_input(paired, tmp_path):
    source = open_source(paired(size=(18, 22)))
    network = network_of(Inputs(3), output_nc=3)
    out = tmp_path / "out"
    out.mkdir()
    rows = results.write(out, network, source)
    assert [row["name"] for row in rows] == ["0", "1", "2"]
    assert all(0 < row["L1"] < 2 for row in rows)
    from PIL import Image

    picture = np.asarray(Image.open(out / rows[1]["picture"]))
    assert picture.shape == (18, 22, 3)
    expected = made(network, network.examples(source).read(1))
    assert np.array_equal(np.moveaxis(picture, -1, 0), Greys().restored(expected))


def test_trained_at_a_width_it_is_made_at_that_width(paired):
    network = network_of(Inputs(3), output_nc=3, mode="scale_width_and_crop")
    example = network.examples(open_source(paired(size=(24, 36)))).read(0)
    assert example.size == (42, 64)


def test_16_bits_and_many_channels_become_tiff(tmp_path):
    import tifffile

    path = results.write_picture(tmp_path, "a", np.full((1, 3, 4), 700, np.uint16))
    assert tifffile.imread(path).tolist() == [[700] * 4] * 3
    path = results.write_picture(tmp_path, "b", np.zeros((2, 3, 4), np.uint8))
    assert tifffile.imread(path).shape == (2, 3, 4)
