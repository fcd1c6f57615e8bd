"""A painter of spots in a file: it comes back as it was, and nothing else is taken for one."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

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
