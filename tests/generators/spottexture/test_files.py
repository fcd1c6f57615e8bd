"""A painter of spots in a file: it comes back as it was, and nothing else is taken for one."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from safetensors import safe_open  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

from generators.painting.errors import PainterError  # noqa: E402
from generators.spottexture.files import load, save  # noqa: E402


def test_what_is_written_is_read_again(stored, tmp_path):
    save(tmp_path / "one.safetensors", stored)
    again = load(tmp_path / "one.safetensors")
    assert again.notes == stored.notes
    for kind, other in zip(again.kinds, stored.kinds, strict=True):
        assert np.allclose(kind.stretch, other.stretch, atol=1e-6)
        assert (kind.name, kind.width, kind.share) == (other.name, other.width, other.share)
    for name, value in stored.network.state_dict().items():
        assert torch.equal(again.network.state_dict()[name], value.half().float())
    save(tmp_path / "two.safetensors", again)
    one, two = ((tmp_path / f"{n}.safetensors").read_bytes() for n in ("one", "two"))
    assert one == two


def test_other_files_are_refused(stored, tmp_path):
    (tmp_path / "text.safetensors").write_text("no")
    with pytest.raises(PainterError, match="no file of a painter of spots"):
        load(tmp_path / "text.safetensors")
    save_file({"a": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(PainterError, match="no file of a painter of spots"):
        load(tmp_path / "other.safetensors")
    save_file({}, tmp_path / "new.safetensors", {"spots": '{"format": "cellgen-spots-9"}'})
    with pytest.raises(PainterError, match="cellgen-spots-9"):
        load(tmp_path / "new.safetensors")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"width": 0.0}, "0.0 wide"),
        ({"width": float("nan")}, "nan wide"),
        ({"stretch": np.ones((3, 4))}, "numbers"),
        ({"stretch": np.full((3, 2), np.nan)}, "numbers that are none"),
    ],
)
def test_numbers_that_cannot_be_are_refused(stored, tmp_path, change, said):
    kinds = (replace(stored.kinds[0], **change), *stored.kinds[1:])
    save(tmp_path / "bad.safetensors", replace(stored, kinds=kinds))
    with pytest.raises(PainterError, match=said):
        load(tmp_path / "bad.safetensors")


def test_a_network_too_large_is_refused_before_it_is_built(stored, tmp_path):
    path = tmp_path / "large.safetensors"
    save(path, stored)
    with safe_open(path, framework="pt") as file:
        about = json.loads(file.metadata()["spots"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    about["settings"] |= {"channels": 1024, "layers": 1024}
    save_file(tensors, path, {"spots": json.dumps(about)})
    with pytest.raises(PainterError, match="channels is 1024, not one of 1 to 128"):
        load(path)
