from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from benchmark.cli import app  # noqa: E402
from benchmark.errors import BenchError  # noqa: E402

TINY = {
    "--ngf": 4,
    "--ndf": 4,
    "--num_D": 1,
    "--n_layers_D": 1,
    "--n_downsample_global": 1,
    "--n_blocks_global": 1,
    "--threads": 1,
    "--nThreads": 0,
    "--save_latest_freq": 4,
    "--save_epoch_freq": 2,
    "--loadSize": 16,
    "--niter": 2,
    "--niter_decay": 1,
    "--label_nc": 3,
}


def arguments(data, out, *flags, **options):
    given = TINY | {f"--{name}": value for name, value in options.items()}
    pairs = [part for pair in given.items() for part in pair]
    every = ("train", "textures", "--data", data, "--out", out, *pairs, *flags)
    return [str(each) for each in every]


def trained(data, out, *flags, **options):
    before = torch.get_num_threads()
    try:
        app(arguments(data, out, *flags, **options), result_action="return_value")
    finally:
        torch.set_num_threads(before)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Four pairs of discs in two classes, with instances."""
    folder = tmp_path_factory.mktemp("pairs")
    rng = np.random.default_rng(0)
    for name in ("label", "inst", "img"):
        (folder / f"train_{name}").mkdir()
    y, x = np.indices((12, 16))
    for k in range(4):
        labels = np.zeros((12, 16), np.uint8)
        for number in (1, 2):
            at = rng.uniform(3, 10, 2)
            labels[np.hypot(y - at[0], x - at[1]) < 3] = number
        Image.fromarray(labels).save(folder / "train_label" / f"{k}.png")
        Image.fromarray(labels * 3).save(folder / "train_inst" / f"{k}.png")
        grey = np.repeat((labels * 90)[..., None], 3, axis=2)
        Image.fromarray(grey).save(folder / "train_img" / f"{k}.png")
    return folder


def lines(folder):
    """Return the statistics without what is not the same each time."""
    read = [json.loads(text) for text in (folder / "stats.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "timing"} for line in read]


def test_help_names_textures_and_needs_no_torch():
    program = (
        "import sys; from benchmark.cli import app;"
        "app(['train', '--help'], result_action='return_value');"
        "app(['train', 'textures', '--help'], result_action='return_value');"
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Train Pix2PixHD" in done.stdout
    for option in ("--netG", "--loadSize", "--label-nc", "--no_ganFeat_loss", "--num_D", "--vgg"):
        assert option in done.stdout


@pytest.mark.training
def test_a_training_from_beginning_to_end(data, tmp_path, capsys):
    out = tmp_path / "out"
    codes = {"feat_num": 2, "n_downsample_E": 1, "n_clusters": 2}
    trained(data, out, "--instance_feat", "--json", **codes)
    told = capsys.readouterr()
    record = json.loads(told.out)
    assert (record["epochs"], record["pictures"]) == (3, 12)
    assert record["metrics"]["L1"] > 0
    assert {
        "index.html",
        "training.json",
        "stats.jsonl",
        "latest_net_G.safetensors",
        "2_net_E.safetensors",
        "fakes-epoch-0003.png",
        "features_clustered_002.safetensors",
    } < {path.name for path in out.iterdir()}
    assert np.asarray(Image.open(out / "fakes-epoch-0003.png")).shape == (48, 48, 3)
    page = (out / "index.html").read_text()
    assert "Learning textures" in page
    assert "fakes-epoch-0003" in page
    assert "G_GAN" in told.err
    settings = json.loads((out / "training.json").read_text())["settings"]
    assert settings["label_nc"] == 3
    assert settings["netG"] == "global"
    trained(data, out, "--instance_feat", **codes)
    assert "tick" not in capsys.readouterr().err
    with pytest.raises(BenchError, match=r"--lr 0\.0002, not 0\.1"):
        trained(data, out, "--instance_feat", **codes, lr=0.1)


@pytest.mark.training
def test_a_dry_run_says_what_would_be_done_and_does_nothing(data, tmp_path, capsys):
    out = tmp_path / "out"
    trained(data, out, "--dry-run")
    told = capsys.readouterr().out
    assert "4 pairs, the first of 12 by 16 px" in told
    assert "so 3 epochs in 0:0" in told
    trained(data, out, "--dry-run", "--json")
    record = json.loads(capsys.readouterr().out)
    assert record["pictures"] == 4
    assert record["weights"]["generator"] > 1000
    assert record["pictures_per_second"] > 0
    assert not out.exists()


@pytest.mark.training
def test_a_data_set_and_pretrained_weights(tmp_path, capsys):
    first, second = tmp_path / "first", tmp_path / "second"
    more = {"label_nc": 2, "split": "val", "max_dataset_size": 2, "fineSize": 16}
    trained("builtin", first, **more)
    assert "no VGG loss: it needs --vgg" in capsys.readouterr().err
    more |= {"netG": "local", "ngf": 2, "niter_fix_global": 1, "resume": first}
    trained("builtin", second, "--no_flip", "--bf16", "--no_vgg_loss", **more)
    told = capsys.readouterr().err
    assert "weights of G start anew" in told
    assert "VGG" not in told


@pytest.mark.training
@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"device": "cuda:99x"}, "no such device"),
        ({"label_nc": 2}, "the label 2 is not within 0 and 1"),
        ({"niter": 0}, "--niter 0"),
        ({"lr": "nan"}, "--lr is nan"),
        ({"save_latest_freq": 0}, "--save_latest_freq 0"),
        ({"load_pretrain": "nowhere"}, "no such file"),
        ({"vgg": "nowhere.pth"}, "no such file"),
        ({"phase": "val"}, "no val_label"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_written(data, tmp_path, more, said):
    with pytest.raises(BenchError, match=said):
        trained(data, tmp_path / "out", **more)
    assert not (tmp_path / "out").exists()


@pytest.mark.training
def test_too_small_a_picture_is_named_before_the_first_step(data, tmp_path):
    with pytest.raises(BenchError, match="12 by 16 px is smaller than a square of 64 px"):
        trained(data, tmp_path / "out", resize_or_crop="crop", fineSize=64)


@pytest.mark.kill
def test_killed_in_the_middle_of_a_step_it_ends_in_the_same_bytes(data, tmp_path):
    span = {"niter": 8, "niter_decay": 6, "pool_size": 3, "norm": "batch"}
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    trained(data, whole, **span)
    program = "from benchmark.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, *arguments(data, killed, **span)],
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    stats = killed / "stats.jsonl"
    while not (stats.exists() and stats.read_text().count("\n") >= 2):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert len(lines(killed)) < len(lines(whole))
    trained(data, killed, **span)
    assert lines(killed) == lines(whole)
    for path in whole.iterdir():
        if path.suffix in {".safetensors", ".png"}:
            assert path.read_bytes() == (killed / path.name).read_bytes(), path.name
