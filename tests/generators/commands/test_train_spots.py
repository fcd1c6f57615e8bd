"""`bench train spots`: it trains, continues, and its file paints."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from benchmark.errors import RunError
from generators.spots import SpotList, draw

torch = pytest.importorskip("torch")

TINY = "--channels 4 --layers 1 --ndf 4 --batch 4 --threads 1 --tick 0.008 --snap 4"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """An image of 25 spots, and their points, a little off."""
    folder = tmp_path_factory.mktemp("spots")
    for name in ("images", "points"):
        (folder / name).mkdir()
    rng = np.random.default_rng(0)
    places = [(y, x) for y in range(8, 64, 12) for x in range(8, 64, 12)]
    at = np.array(places) + rng.uniform(-1, 1, (25, 2))
    light = draw(SpotList(at, np.full(25, 8e3), np.full(25, 1.3)), (64, 64))
    image = rng.poisson(100 + light).astype(np.uint16)
    Image.fromarray(image).save(folder / "images" / "a.png")
    rows = "\n".join(f"{y:.1f},{x:.1f}" for y, x in at)
    (folder / "points" / "a.csv").write_text(f"row,col\n{rows}\n")
    return folder


def trained(data, out, kimg):
    from benchmark.cli import app

    arguments = ["train", "spots", "--data", data, "--out", out, *TINY.split(), "--kimg", kimg]
    app([*map(str, arguments), "--json"], result_action="return_value")


@pytest.mark.training
def test_a_training_goes_on_where_it_was_cut_off(data, tmp_path, capsys, monkeypatch):
    from generators.seeds import Seed
    from generators.spottexture.painter import opened
    from generators.training import loop

    trained(data, tmp_path / "whole", 0.016)
    whole = json.loads(capsys.readouterr().out)
    assert whole["kimg"] == 0.016
    assert set(whole["metrics"]) == {"spectrum", "width", "place", "misfit"}
    names = {path.name for path in (tmp_path / "whole").iterdir()}
    assert names >= {"spots-000000.safetensors", "index.html", "reals.png", "fakes000000.png"}
    painter = opened(tmp_path / "whole" / "spots-000000.safetensors")
    one = SpotList(np.array([[20.3, 19.6]]), np.array([500.0]), np.array([1.3]))
    assert painter.paint(one, (40, 40), Seed.root(0)).sum() == pytest.approx(500)

    write, written = loop.checkpoints.write, []

    def stop(path, checkpoint):
        write(path, checkpoint)
        written.append(path)
        if len(written) == 1:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(loop.checkpoints, "write", stop)
        with pytest.raises(KeyboardInterrupt):
            trained(data, tmp_path / "cut", 0.016)
    trained(data, tmp_path / "cut", 0.016)
    again = opened(tmp_path / "cut" / "spots-000000.safetensors")
    assert np.array_equal(again.weights(4, 0, Seed.root(1)), painter.weights(4, 0, Seed.root(1)))
    with pytest.raises(RunError, match=r"--kimg 0\.016, not 1"):
        trained(data, tmp_path / "cut", 1)


def test_wrong_options_are_told_before_anything_is_read(tmp_path):
    from benchmark.cli import app

    with pytest.raises(RunError, match="--glr 9 is out of its limits"):
        app(
            ["train", "spots", "--data", "none", "--out", str(tmp_path / "new"), "--glr", "9"],
            result_action="return_value",
            exit_on_error=False,
        )
    assert not (tmp_path / "new").exists()


def test_help_needs_no_torch():
    program = (
        "import sys\n"
        "from benchmark.cli import app\n"
        "app(['train', 'spots', '--help'], result_action='return_value')\n"
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "--lambda-feat" in done.stdout
