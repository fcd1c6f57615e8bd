from __future__ import annotations

import hashlib
import sys
from types import ModuleType

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from benchmark.errors import RunError  # noqa: E402
from generators.stylegan import fidelity as module  # noqa: E402
from generators.stylegan.fidelity import Bytes, fidelity, require_weights  # noqa: E402


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A stand-in for torch-fidelity whose distance is that of the means, and its weights."""
    called = {}

    def calculate_metrics(**given):
        called.update(given)
        made, real = (
            torch.stack([given[name][k] for k in range(len(given[name]))]).float()
            for name in ("input1", "input2")
        )
        distance = (made.mean() - real.mean()).abs().item()
        found = {}
        if given["fid"]:
            found["frechet_inception_distance"] = distance
        if given["kid"]:
            found["kernel_inception_distance_mean"] = distance / 100
        if given["prc"]:
            found |= {"precision": 0.5, "recall": 0.25, "f_score": 1 / 3}
        return found

    stand_in = ModuleType("torch_fidelity")
    stand_in.calculate_metrics = calculate_metrics
    monkeypatch.setitem(sys.modules, "torch_fidelity", stand_in)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    published = {}
    for metric, content in (("fid", b"inception"), ("kid", b"inception"), ("pr", b"vgg")):
        name = f"{content.decode()}-{hashlib.sha256(content).hexdigest()[:8]}.pth"
        published[metric] = f"https://example.org/{name}"
        (tmp_path / "checkpoints" / name).write_bytes(content)
    monkeypatch.setattr(module, "_WEIGHTS", published)
    return called


def pictures(n, grey, channels=1):
    return np.full((n, channels, 4, 4), grey, np.float32)


def test_figures_have_our_names(package):
    found = fidelity(pictures(5, 1.0), pictures(7, -1.0), ("fid", "kid", "pr"))
    assert found == {"fid": 255.0, "kid": 2.55, "precision": 0.5, "recall": 0.25}
    assert (package["kid_subset_size"], package["cuda"]) == (5, False)


def test_only_what_is_asked_for_is_reckoned(package):
    assert fidelity(pictures(2, 0.0), pictures(2, 0.0), ("fid",)) == {"fid": 0.0}
    assert (package["fid"], package["kid"], package["prc"]) == (True, False, False)


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_become_bytes_of_three_channels(channels):
    given = pictures(1, -1.0, channels)
    given[0, :, 0, 0] = 0.5
    picture = Bytes(given)[0]
    assert picture.dtype == torch.uint8
    assert picture.shape == (3, 4, 4)
    assert picture[:, 0, 0].tolist() == [191, 191, 191]
    assert picture[0, 1, 1] == 0


def test_without_the_package_there_is_a_way_out(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch_fidelity", None)
    with pytest.raises(RunError, match="cannot be imported") as caught:
        require_weights(("fid",))
    assert "pip install torch-fidelity" in caught.value.mend


@pytest.mark.usefixtures("package")
def test_without_weights_it_says_where_they_belong(tmp_path):
    (path,) = (tmp_path / "checkpoints").glob("vgg-*")
    path.unlink()
    require_weights(("fid", "kid"))
    with pytest.raises(RunError, match="not on this machine") as caught:
        require_weights(("fid", "pr"))
    assert caught.value.where == str(path)
    assert "https://example.org/vgg" in caught.value.mend


@pytest.mark.usefixtures("package")
def test_other_weights_are_not_let_through(tmp_path):
    (path,) = (tmp_path / "checkpoints").glob("inception-*")
    require_weights(("kid",))
    path.write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(RunError, match="not what its name says"):
        require_weights(("kid",))


def test_the_names_of_the_published_files_hold_their_digests():
    for url in module._WEIGHTS.values():
        assert len(url.removesuffix(".pth").rsplit("-", 1)[1]) == 8
