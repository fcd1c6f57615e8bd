from __future__ import annotations

import json

import numpy as np
import pytest
import tifffile
from PIL import Image

torch = pytest.importorskip("torch")

from benchmark.cli import app  # noqa: E402
from benchmark.errors import BenchError  # noqa: E402
from generators.pix2pixhd import clusters, files  # noqa: E402
from generators.pix2pixhd.encoder import Encoder, EncoderSettings  # noqa: E402
from generators.pix2pixhd.networks import build  # noqa: E402
from generators.pix2pixhd.settings import GeneratorSettings, Inputs  # noqa: E402


def bench(*arguments):
    app([str(each) for each in arguments], result_action="return_value")


def network_in(folder, inputs, output_nc=1, **about):
    generator = build(GeneratorSettings(inputs.channels, output_nc, "global", 4, 1, 1))
    told = {"inputs": vars(inputs), **about}
    files.save(folder / "latest_net_G.safetensors", generator, told)
    return generator


@pytest.fixture
def labels(tmp_path):
    """Two label maps of one size, and of another, with instances and pictures."""
    root = tmp_path / "data"
    for name in ("label", "inst", "img"):
        (root / f"test_{name}").mkdir(parents=True)
    for k, size in enumerate([(12, 18), (9, 11)]):
        plane = np.zeros(size, np.uint8)
        plane[2:7, 3:8] = 1
        for name in ("label", "inst", "img"):
            Image.fromarray(plane * (100 if name == "img" else 1)).save(
                root / f"test_{name}" / f"{k}.png"
            )
    return root


def test_pictures_of_label_maps(labels, tmp_path, capsys):
    network_in(tmp_path, Inputs(2))
    bench("generate", "textures", "--network", tmp_path, "--data", labels, "--out", tmp_path / "a")
    assert "2 pictures" in capsys.readouterr().out
    record = json.loads((tmp_path / "a" / "record.json").read_text())
    assert [row["picture"] for row in record["made"]] == ["images/0.png", "images/1.png"]
    assert np.asarray(Image.open(tmp_path / "a" / "images" / "1.png")).shape == (9, 11)
    one = (tmp_path / "latest_net_G.safetensors", "--how_many", "1", "--json")
    bench("generate", "textures", "--data", labels, "--out", tmp_path / "b", "--network", *one)
    assert len(json.loads(capsys.readouterr().out)["made"]) == 1
    same = [(tmp_path / x / "images" / "0.png").read_bytes() for x in "ab"]
    assert same[0] == same[1]


def test_a_data_set_comes_back_in_its_greys(tmp_path):
    greys = {"black": 100.0, "white": 3000.0, "dtype": "uint16"}
    network_in(tmp_path, Inputs(2, edges=False), greys=greys)
    given = ("--data", "builtin", "--split", "val", "--how_many", "1")
    bench("generate", "textures", "--network", tmp_path, "--out", tmp_path / "a", *given)
    (path,) = (tmp_path / "a" / "images").iterdir()
    made = tifffile.imread(path)
    assert made.shape == (256, 256)
    assert made.dtype == np.uint16
    assert 100 <= made.min() < made.max() <= 3000


def test_codes_are_drawn_by_seed_or_encoded(labels, tmp_path):
    network_in(tmp_path, Inputs(2, feat_num=2))
    arguments = ("generate", "textures", "--network", tmp_path, "--data", labels)
    with pytest.raises(BenchError, match="no representative codes"):
        bench(*arguments, "--out", tmp_path / "x")
    with pytest.raises(BenchError, match="need an encoder"):
        bench(*arguments, "--out", tmp_path / "x", "--use_encoded_image")
    assert not (tmp_path / "x").exists()
    encoder = Encoder(EncoderSettings(1, 2, 4, 1))
    files.save(tmp_path / "latest_net_E.safetensors", encoder, {})
    rows = np.random.default_rng(0).uniform(-1, 1, (50, 2)).astype(np.float32)
    clusters.write(tmp_path / clusters.name_of(50), {0: rows, 1: rows})
    made = {}
    more = {"a": (), "b": (), "c": ("--seed", "1"), "d": ("--use_encoded_image",)}
    for name, options in more.items():
        bench(*arguments, "--out", tmp_path / name, *options)
        made[name] = (tmp_path / name / "images" / "0.png").read_bytes()
    assert made["a"] == made["b"]
    assert len(set(made.values())) == 3


def test_labels_out_of_range_and_pictures_for_labels_are_refused(labels, tmp_path):
    network_in(tmp_path, Inputs(1))
    arguments = ("generate", "textures", "--network", tmp_path, "--data", labels)
    with pytest.raises(BenchError, match="the label 1 is not within 0 and 0"):
        bench(*arguments, "--out", tmp_path / "x")
    network_in(tmp_path, Inputs(0, 1))
    with pytest.raises(BenchError, match="sees pictures"):
        bench(*arguments, "--out", tmp_path / "x")
    with pytest.raises(BenchError, match="--how_many 0"):
        bench(*arguments, "--out", tmp_path / "x", "--how_many", "0")
    with pytest.raises(BenchError, match="no such device"):
        bench(*arguments, "--out", tmp_path / "x", "--device", "cuda:99x")
    assert not (tmp_path / "x").exists()


def test_a_network_of_the_original_is_used_and_converted(labels, tmp_path, capsys):
    generator = build(GeneratorSettings(3, 1, "global", 4, 1, 1))
    torch.save(generator.state_dict(), tmp_path / "latest_net_G.pth")
    given = ("--data", labels, "--label_nc", "2")
    bench("generate", "textures", "--network", tmp_path, "--out", tmp_path / "a", *given)
    out = tmp_path / "mine_net_G.safetensors"
    bench("weights", "convert", tmp_path / "latest_net_G.pth", out, "--label_nc", "2")
    assert "global, 3 channels to 1 channels" in capsys.readouterr().out
    bench("generate", "textures", "--network", out, "--data", labels, "--out", tmp_path / "b")
    pictures = [(tmp_path / x / "images" / "0.png").read_bytes() for x in "ab"]
    assert pictures[0] == pictures[1]
    capsys.readouterr()
    bench("weights", "convert", tmp_path / "latest_net_G.pth", out, "--json", "--label_nc", "2")
    assert json.loads(capsys.readouterr().out)["ngf"] == 4


def test_pictures_of_pictures(labels, tmp_path):
    (labels / "test_img").rename(labels / "test_B")
    (labels / "test_label").rename(labels / "test_A")
    network_in(tmp_path, Inputs(0, 3, edges=False), output_nc=3)
    bench("generate", "textures", "--network", tmp_path, "--data", labels, "--out", tmp_path / "a")
    made = np.asarray(Image.open(tmp_path / "a" / "images" / "0.png"))
    assert made.shape == (12, 18, 3)
