from __future__ import annotations

import pickle
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
safetensors = pytest.importorskip("safetensors.torch")

from generators.stylegan import files  # noqa: E402
from generators.stylegan.discriminator import Discriminator  # noqa: E402
from generators.stylegan.files import (  # noqa: E402
    NetworkError,
    load_discriminator,
    load_generator,
    load_notes,
    save,
)
from generators.stylegan.generator import Generator, latents  # noqa: E402
from generators.stylegan.settings import DiscriminatorSettings, GeneratorSettings  # noqa: E402

TINY = GeneratorSettings(16, cbase=64, cmax=8, z_dim=8, w_dim=8, num_layers=4)


@pytest.mark.parametrize("cfg", ["stylegan3-t", "stylegan3-r", "stylegan2"])
def test_the_same_pictures_after_a_round_trip(make, tmp_path, cfg):
    generator = make(cfg, 16, num_layers=4, seed=5)
    save(tmp_path / "g.safetensors", generator)
    again = load_generator(tmp_path / "g.safetensors")
    assert again.settings == generator.settings
    z = latents([0, 1], 16)
    assert torch.equal(again(z), generator(z))
    assert {p.requires_grad for p in again.parameters()} == {True}
    assert [file.name for file in tmp_path.iterdir()] == ["g.safetensors"]


def test_the_same_bytes_each_time_and_for_others_to_read(tmp_path):
    notes = {str(k): "note" for k in range(9)}
    for k in range(5):
        save(tmp_path / str(k), Generator(TINY, seed=3), notes)
    assert len({(tmp_path / str(k)).read_bytes() for k in range(5)}) == 1
    (tmp_path / "plain").touch()
    assert (tmp_path / "0").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_discriminators_too(tmp_path):
    judge = Discriminator(DiscriminatorSettings(16, cbase=64, cmax=8), seed=1)
    save(tmp_path / "d.safetensors", judge)
    x = torch.ones(2, 1, 16, 16)
    assert torch.equal(load_discriminator(tmp_path / "d.safetensors")(x), judge(x))
    with pytest.raises(NetworkError, match="it is a Discriminator, not a Generator"):
        load_generator(tmp_path / "d.safetensors")


def test_notes_go_with_a_network(tmp_path):
    path = tmp_path / "g.safetensors"
    notes = {"content": '{"kind": "fields"}', "licence": "CC0-1.0 é"}
    save(path, Generator(TINY), notes=notes)
    assert load_notes(path) == notes
    assert load_generator(path).settings == TINY
    save(path, Generator(TINY))
    assert load_notes(path) == {}
    with pytest.raises(ValueError, match="may not be called 'settings'"):
        save(path, Generator(TINY), notes={"settings": "{}"})
    assert load_notes(path) == {}


def written(path, network="Generator", kind=files.FORMAT, settings=None, tensors=None):
    metadata = {"format": kind, "network": network, "settings": settings or TINY.to_json()}
    safetensors.save_file(tensors or Generator(TINY).state_dict(), path, metadata=metadata)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "other"}, "its format is 'other'"),
        ({"settings": "{"}, "not a network that can be used"),
        ({"settings": '{"resolution": 16, "code": 1}'}, "settings of another kind"),
        ({"settings": GeneratorSettings(4096).to_json()}, "do not fit"),
        ({"settings": GeneratorSettings(16).to_json()}, "do not fit"),
        ({"tensors": {"w_average": torch.zeros(8)}}, "do not fit"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, change, message):
    written(tmp_path / "g.safetensors", **change)
    with pytest.raises(NetworkError, match=message) as caught:
        load_generator(tmp_path / "g.safetensors")
    assert str(tmp_path) in str(caught.value)


def test_a_pickle_is_not_even_looked_into(tmp_path):
    class Bomb:
        def __reduce__(self):
            return Path.touch, (tmp_path / "went off",)

    (tmp_path / "g.safetensors").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(NetworkError):
        load_generator(tmp_path / "g.safetensors")
    assert not (tmp_path / "went off").exists()


def test_no_file_and_no_metadata(tmp_path):
    with pytest.raises(NetworkError, match="no such network"):
        load_generator(tmp_path / "none.safetensors")
    safetensors.save_file({"x": torch.zeros(1)}, tmp_path / "x.safetensors")
    for load in (load_generator, load_notes):
        with pytest.raises(NetworkError, match="its format is None"):
            load(tmp_path / "x.safetensors")
