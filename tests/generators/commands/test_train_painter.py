"""`bench train painter`: it trains, continues, and its file paints."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from benchmark.errors import RunError

torch = pytest.importorskip("torch")

TINY = "--ngf 4 --blocks 1 --ndf 4 --crop 32 --late 0 --batch 4 --threads 1 --tick 0.008 --snap 2"


def bench(*arguments):
    program = "from benchmark.cli import main; main()"
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Three images of discs."""
    folder = tmp_path_factory.mktemp("set")
    rng = np.random.default_rng(0)
    y, x = np.indices((80, 80))
    for name in ("images", "labels"):
        (folder / name).mkdir()
    for k in range(3):
        labels = np.zeros((80, 80), np.uint16)
        for number, (v, u) in enumerate([(20, 20), (20, 60), (60, 40)], start=1):
            labels[np.hypot(y - v, x - u) < rng.uniform(8, 14)] = number
        image = rng.poisson(np.where(labels > 0, 500, 60)) + 100
        Image.fromarray(image.astype(np.uint16)).save(folder / "images" / f"{k}.png")
        Image.fromarray(labels).save(folder / "labels" / f"{k}.png")
    return folder


def trained(data, out, kimg):
    from benchmark.cli import app

    arguments = ["train", "painter", "--data", data, "--out", out, *TINY.split(), "--kimg", kimg]
    app([*map(str, arguments), "--json"], result_action="return_value")


@pytest.mark.training
def test_a_training_goes_on_where_it_was_cut_off(data, tmp_path, capsys, monkeypatch):
    from generators.painting.files import load
    from generators.training import loop

    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    trained(data, tmp_path / "whole", 0.032)
    whole = json.loads(capsys.readouterr().out)
    assert whole["kimg"] == 0.032
    assert set(whole["metrics"]) >= {"CV", "edge spread", "KS objects"}
    names = {path.name for path in (tmp_path / "whole").iterdir()}
    assert names >= {"painter-000000.safetensors", "index.html", "reals.png", "fakes000000.png"}
    painter = load(whole["painter"])
    assert painter.notes["pictures"] == 32
    assert painter.notes["command"].split()[0] == "bench"

    write, written = loop.checkpoints.write, []

    def stop(path, checkpoint):
        write(path, checkpoint)
        written.append(path)
        if len(written) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(loop.checkpoints, "write", stop)
        with pytest.raises(KeyboardInterrupt):
            trained(data, tmp_path / "cut", 0.032)
    trained(data, tmp_path / "cut", 0.032)
    again = load(tmp_path / "cut" / "painter-000000.safetensors")
    assert again.calibration == painter.calibration
    for name, value in painter.network.state_dict().items():
        assert torch.equal(value, again.network.state_dict()[name])

    with pytest.raises(RunError, match=r"--kimg 0\.032, not 1"):
        trained(data, tmp_path / "cut", 1)


def test_wrong_options_are_told_before_anything_is_read(data, tmp_path):
    done = bench("train", "painter", "--data", data, "--out", tmp_path / "new", "--glr", "9")
    assert done.returncode == 2
    assert "--glr" in done.stderr
    assert not (tmp_path / "new").exists()


def test_help_needs_no_torch():
    program = (
        "import sys\n"
        "from benchmark.cli import app\n"
        "app(['train', 'painter', '--help'], result_action='return_value')\n"
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "--lambda-feat" in done.stdout
