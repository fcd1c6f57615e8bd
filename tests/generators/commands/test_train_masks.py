from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from safetensors.torch import load_file  # noqa: E402

TINY = (
    "--content pictures --resolution 16 --channels 1 --cfg stylegan2 --cbase 64 --cmax 8 --z-dim 8"
)
TINY += " --map-depth 2 --batch 4 --r1-every 2 --threads 1 --ops torch"


def bench(*arguments, **given):
    return subprocess.run(command(*arguments), capture_output=True, text=True, **given)


def command(*arguments):
    program = "from benchmark.cli import main; main()"
    return [sys.executable, "-c", program, *map(str, arguments)]


def trained(data, out, *more, **given):
    cheap = () if any("metrics" in str(each) for each in more) else ("--metrics", "none")
    return bench(
        "train", "masks", "--data", data, "--out", out, *TINY.split(), *cheap, *more, **given
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Twelve pictures of discs, in two classes."""
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    y, x = np.indices((20, 20))
    for k in range(12):
        at, radius = rng.uniform(5, 15, 2), rng.uniform(2, 6)
        grey = 255 * (np.hypot(y - at[0], x - at[1]) < radius)
        Image.fromarray(grey.astype(np.uint8)).save(folder / f"{k:02d}.png")
    labels = [[f"{k:02d}.png", k % 2] for k in range(12)]
    (folder / "dataset.json").write_text(json.dumps({"labels": labels}))
    return folder


def lines(folder):
    """Return the statistics without what is not the same each time."""
    read = [json.loads(text) for text in (folder / "stats.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "timing"} for line in read]


def assert_same(one, two):
    assert sorted(p.name for p in one.iterdir()) == sorted(p.name for p in two.iterdir())
    assert lines(one) == lines(two)
    for path in one.iterdir():
        if path.name == "checkpoint.safetensors" or path.suffix == ".png":
            assert path.read_bytes() == (two / path.name).read_bytes(), path.name
        elif path.suffix == ".safetensors":
            mine, other = load_file(path), load_file(two / path.name)
            assert all(torch.equal(mine[name], other[name]) for name in mine | other), path.name


@pytest.mark.slow
def test_bench_train_names_masks_and_help_needs_no_torch():
    assert "masks" in bench("train", "--help").stdout
    program = (
        "import sys; from benchmark.cli import app;"
        "app(['train', 'masks', '--help'], result_action='return_value');"
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for option in ("--batch-gpu", "--gamma", "--mbstd-group", "--freezed", "--dry-run", "--kimg"):
        assert option in done.stdout


@pytest.mark.training
def test_a_training_from_beginning_to_end(data, tmp_path):
    out = tmp_path / "out"
    done = trained(data, out, "--kimg", "0.016", "--tick", "0.008", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["kimg"] == 0.016
    assert told["network"] == str(out / "network-snapshot-000000.safetensors")
    assert {"index.html", "training.json", "stats.jsonl", "reals.png", "fakes000000.png"} < {
        path.name for path in out.iterdir()
    }
    assert "tick 2, 0.016 kimg" in done.stderr
    record = json.loads((out / "training.json").read_text())
    assert record["settings"]["gamma"] == pytest.approx(0.0002 * 16**2 / 4)
    again = trained(data, out, "--kimg", "0.016", "--tick", "0.008")
    assert again.returncode == 0
    assert "tick" not in again.stderr
    other = trained(data, out, "--kimg", "0.016", "--glr", "0.1")
    assert other.returncode == 2
    assert "--glr 0.002, not 0.1" in other.stderr


@pytest.mark.training
def test_classes_mirror_images_and_workers(data, tmp_path):
    out = tmp_path / "out"
    more = ("--cond", "--mirror", "--workers", "2", "--aug", "fixed", "--batch-gpu", "2")
    done = trained(data, out, "--kimg", "0.008", *more)
    assert done.returncode == 0, done.stderr
    network = load_file(out / "network-snapshot-000000.safetensors")
    assert network["mapping.embed.weight"].shape[1] == 2


@pytest.mark.training
def test_a_network_is_tuned_further(data, tmp_path):
    trained(data, tmp_path / "first", "--kimg", "0.008")
    done = trained(data, tmp_path / "second", "--kimg", "0.004", "--resume", tmp_path / "first")
    assert done.returncode == 0, done.stderr
    name = "network-snapshot-000000.safetensors"
    one, two = (load_file(tmp_path / folder / name) for folder in ("first", "second"))
    assert all(one[key].shape == two[key].shape for key in one)
    assert torch.allclose(one["synthesis.constant"], two["synthesis.constant"], atol=0.05)


@pytest.mark.training
def test_a_dry_run_says_what_would_be_done_and_does_nothing(data, tmp_path):
    done = trained(data, tmp_path / "out", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "pictures/s, so 400 kimg in" in done.stdout
    assert "generator" in done.stdout
    assert not (tmp_path / "out").exists()
    told = json.loads(trained(data, tmp_path / "out", "--dry-run", "--json").stdout)
    assert told["data"]["count"] == 12
    assert told["networks"]["generator"] > 1000
    assert told["pictures_per_second"] > 0


@pytest.mark.training
@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--device", "cuda:99x"), "no such device"),
        (("--kimg", "0"), "--kimg 0"),
        (("--metrics=fidd",), "did you mean 'fid'?"),
        (("--resume", "nowhere.safetensors"), "no such network"),
        (("--batch-gpu", "3"), "no multiple of 3"),
        (("--kimg", "nan"), "--kimg is nan"),
        (("--glr", "inf"), "--glr is inf"),
    ],
)
def test_what_cannot_be_is_a_message_and_code_2(data, tmp_path, more, said):
    done = trained(data, tmp_path / "out", *more)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.kill
def test_killed_in_the_middle_of_a_step_it_ends_in_the_same_bytes(data, tmp_path):
    span = ("--kimg", "0.06", "--tick", "0.012", "--snap", "2", "--cond")
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert trained(data, whole, *span).returncode == 0
    span = (*span, "--metrics", "none")
    arguments = ("train", "masks", "--data", data, "--out", killed, *TINY.split(), *span)
    for lines_before in (1, 3):
        process = subprocess.Popen(command(*arguments), stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        stats = killed / "stats.jsonl"
        while not (stats.exists() and stats.read_text().count("\n") >= lines_before):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert len(lines(killed)) < len(lines(whole))
    assert trained(data, killed, *span).returncode == 0
    assert_same(whole, killed)


@pytest.mark.slow
def test_a_full_disk_leaves_the_checkpoint_before(data, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small file system is not permitted here")
    try:
        span = ("--kimg", "0.016", "--tick", "0.008", "--snap", "1")
        out = disk / "out"
        assert trained(data, out, *span[:2], "--tick", "0.008").returncode == 0
        before = (out / "checkpoint.safetensors").read_bytes()
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        (disk / "ballast").write_bytes(b"\0" * max(free - 20_000, 0))
        full = trained(data, out, "--kimg", "0.032", "--tick", "0.008")
        assert full.returncode == 2, full.stderr
        assert "no space left" in full.stderr
        assert (out / "checkpoint.safetensors").read_bytes() == before
        (disk / "ballast").unlink()
        assert trained(data, out, "--kimg", "0.032", "--tick", "0.008").returncode == 0
        assert (
            trained(data, tmp_path / "other", "--kimg", "0.032", "--tick", "0.008").returncode == 0
        )
        name = "checkpoint.safetensors"
        assert (out / name).read_bytes() == (tmp_path / "other" / name).read_bytes()
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.slow
def test_two_processes_train_together(data, tmp_path):
    out = tmp_path / "out"
    done = trained(data, out, "--kimg", "0.008", "--gpus", "2")
    assert done.returncode == 0, done.stderr
    assert len(lines(out)) == 1
    record = json.loads((out / "training.json").read_text())
    assert record["settings"]["batch_gpu"] == 2
    alone = trained(data, tmp_path / "alone", "--kimg", "0.008", "--batch-gpu", "2")
    assert alone.returncode == 0
    name = "network-snapshot-000000.safetensors"
    one, two = (load_file(folder / name) for folder in (out, tmp_path / "alone"))
    assert all(torch.allclose(one[key], two[key], atol=1e-4) for key in one)
