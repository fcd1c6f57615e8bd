"""`bench generate masks` and `bench weights calibrate`: files, figures, and errors with a cure."""

from __future__ import annotations

import json
from importlib.util import find_spec

import numpy as np
import pytest
import tifffile

from benchmark.errors import BenchError, DatasetError
from generators.commands.generate_masks import masks

pytestmark = pytest.mark.skipif(find_spec("torch") is None, reason="needs the extra networks")


@pytest.fixture
def network(tmp_path):
    """The file of an untrained network of fields."""
    from generators.stylegan.files import save
    from generators.stylegan.generator import Generator
    from generators.stylegan.settings import GeneratorSettings

    settings = GeneratorSettings(16, cbase=128, cmax=8, z_dim=8, w_dim=8, num_layers=4)
    content = {"kind": "fields", "level": 0.0, "pixel_diameter": 6.0}
    path = tmp_path / "net.safetensors"
    save(path, Generator(settings, seed=1), notes={"content": json.dumps(content)})
    return str(path)


def test_the_record_names_every_file(network, tmp_path, capsys):
    out = tmp_path / "out"
    masks(network=network, seeds="3,7", out=out, trunc=0.7, json=True)
    told = json.loads(capsys.readouterr().out)
    assert told == json.loads((out / "record.json").read_text())
    assert [row["seed"] for row in told["made"]] == [3, 7]
    assert told["options"]["truncation"] == 0.7
    named = {row[kind] for row in told["made"] for kind in ("pictures", "masks", "labels")}
    named |= {row["outlines"] for row in told["made"]}
    written = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()}
    assert written == named | {"record.json", "sheet.png"}


def test_a_seed_gives_the_same_files_in_any_company(network, tmp_path):
    masks(network=network, seeds="0-3", out=tmp_path / "many")
    masks(network=network, seeds="2", out=tmp_path / "one")
    for path in (tmp_path / "one").rglob("seed0002.*"):
        other = tmp_path / "many" / path.relative_to(tmp_path / "one")
        assert path.read_bytes() == other.read_bytes()


def test_mixing_makes_a_grid(network, tmp_path, capsys):
    masks(network=network, mix="1-2:5,6,7", layers="0-1", out=tmp_path / "grid", json=True)
    rows = json.loads(capsys.readouterr().out)["made"]
    assert len(rows) == 3 + 2 * (1 + 3)
    assert rows[4] == {**rows[4], "name": "row0001-column0005", "row": 1, "column": 5}


def test_interpolation_is_one_file(network, tmp_path):
    out = tmp_path / "way"
    masks(network=network, seeds="1-3", interpolate="apng", frames=2, out=out)
    assert sorted(p.name for p in out.iterdir()) == ["animation.png", "record.json"]
    assert len(json.loads((out / "record.json").read_text())["made"]) == 6


def test_moved_pictures_differ(network, tmp_path):
    masks(network=network, seeds="1", out=tmp_path / "a")
    masks(network=network, seeds="1", translate="0.2,0", rotate=90, out=tmp_path / "b")
    first, second = (tifffile.imread(tmp_path / n / "labels" / "seed0001.tif") for n in "ab")
    assert first.shape == second.shape
    assert not np.array_equal(first > 0, second > 0)


def test_a_network_without_styles_says_so(network, capsys):
    masks(network=network, styles=True)
    assert "bench weights calibrate" in capsys.readouterr().out
    masks(network=network, styles=True, json=True)
    assert json.loads(capsys.readouterr().out) == {}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seeds": "1"}, "no place for what is made"),
        ({"out": "x"}, "one of --seeds and --mix"),
        ({"out": "x", "seeds": "1", "mix": "1:2"}, "one of --seeds and --mix"),
        ({"out": "x", "mix": "1:2", "interpolate": "gif"}, "one of --seeds and --mix"),
        ({"out": "x", "mix": "1"}, "names no columns"),
        ({"out": "x", "mix": "1:2", "layers": "99"}, "no layer 99"),
        ({"out": "x", "seeds": "-3"}, "no number and no range"),
        ({"out": "x", "seeds": "1", "interpolate": "gif"}, "two seeds or more"),
        ({"out": "x", "seeds": "1-2", "interpolate": "gif", "frames": 0}, "out of their limits"),
        ({"out": "x", "seeds": "1", "level": "high"}, "no level"),
        ({"out": "x", "seeds": "1", "translate": "1"}, "not two numbers"),
        ({"out": "x", "seeds": "1", "trunc": float("nan")}, "no places"),
        ({"out": "x", "seeds": "1", "set_": ["size=1"]}, "no style 'size'"),
        ({"out": "x", "seeds": "1", "class_": 0}, "no class 0"),
    ],
)
def test_wrong_usage_writes_nothing(network, tmp_path, options, message):
    if "out" in options:
        options = options | {"out": tmp_path / options["out"]}
    with pytest.raises(BenchError, match=message):
        masks(network=network, **options)
    assert [p.name for p in tmp_path.iterdir()] == ["net.safetensors"]


def test_nothing_is_overwritten(network, tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(DatasetError, match="something at this place"):
        masks(network=network, seeds="1", out=tmp_path / "out")


def test_a_failure_half_way_leaves_nothing(network, tmp_path, monkeypatch):
    from generators.masks import results

    monkeypatch.setattr(results, "collection", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        masks(network=network, seeds="0-2", out=tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["net.safetensors"]


def test_a_network_that_shows_nothing_is_not_calibrated(saved_empty):
    from generators.commands.weights_calibrate import calibrate

    before = saved_empty.read_bytes()
    with pytest.raises(BenchError, match="only 0 of 100 pictures"):
        calibrate(saved_empty, samples=100)
    assert saved_empty.read_bytes() == before


@pytest.fixture
def saved_empty(network, tmp_path):
    """The file of a network in whose pictures nothing reaches the level."""
    from generators.stylegan.files import load_generator, save

    content = {"kind": "fields", "level": 1e6, "pixel_diameter": 6.0}
    path = tmp_path / "empty.safetensors"
    save(path, load_generator(network), notes={"content": json.dumps(content)})
    return path


@pytest.mark.slow
def test_calibrated_styles_stand_in_the_file_and_are_obeyed(tmp_path, capsys):
    from generators.commands.weights_calibrate import calibrate
    from generators.masks.networks import MODELS, SHIPPED

    shipped = MODELS / SHIPPED["nuclei"]
    if not shipped.is_file():
        pytest.skip("no network of nuclei is shipped yet")
    path = tmp_path / "nuclei.safetensors"
    path.write_bytes(shipped.read_bytes())
    calibrate(path, samples=200, json=True)
    styles = json.loads(capsys.readouterr().out)
    low, high = styles["irregularity"]["low"], styles["irregularity"]["high"]
    asked = (low + high) / 2
    settings = [f"irregularity={asked}", "elongation=1.8"]
    masks(network=str(path), seeds="0-10", set_=settings, out=tmp_path / "out", json=True)
    found = [row["measured"] for row in json.loads(capsys.readouterr().out)["made"]]
    assert all(row["elongation"] == pytest.approx(1.8, rel=0.01) for row in found)
    # Some latents do not go all the way.
    assert np.median([row["irregularity"] for row in found]) == pytest.approx(asked, rel=0.03)
