from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from generators.painting.errors import PainterError  # noqa: E402
from generators.painting.files import load, save  # noqa: E402


def test_what_is_read_is_what_was_written(stored, tmp_path):
    save(tmp_path / "a.safetensors", stored)
    found = load(tmp_path / "a.safetensors")
    assert found.scale == stored.scale
    assert found.noise == stored.noise
    assert found.notes == stored.notes
    assert found.bank.first.tolist() == stored.bank.first.tolist()
    assert found.bank.codes == pytest.approx(stored.bank.codes, abs=1e-6)
    for name, value in found.network.state_dict().items():
        assert torch.equal(value, stored.network.state_dict()[name].half().float())


def test_the_same_painter_is_the_same_bytes(stored, tmp_path):
    for name in "ab":
        save(tmp_path / name, stored)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_reading_changes_nothing(stored, tmp_path):
    save(tmp_path / "a", stored)
    save(tmp_path / "b", load(tmp_path / "a"))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("content", [b"", b"\x08\0\0\0\0\0\0\0{}      ", b"no such thing" * 9])
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(PainterError, match="no painter"):
        load(tmp_path / "a")
    with pytest.raises(PainterError, match="there is no painter here"):
        load(tmp_path / "b")


def test_a_file_cut_short_is_refused(stored, tmp_path):
    save(tmp_path / "a", stored)
    content = (tmp_path / "a").read_bytes()
    (tmp_path / "a").write_bytes(content[: len(content) // 2])
    with pytest.raises(PainterError):
        load(tmp_path / "a")


def test_weights_of_another_network_are_refused(stored, tmp_path):
    save(tmp_path / "a", stored)
    content = (tmp_path / "a").read_bytes()
    (tmp_path / "a").write_bytes(content.replace(rb"\"ngf\": 4", rb"\"ngf\": 5"))
    with pytest.raises(PainterError):
        load(tmp_path / "a")


def test_bank_is_of_doubles(stored, tmp_path):
    save(tmp_path / "a", stored)
    assert load(tmp_path / "a").bank.codes.dtype == np.float64
