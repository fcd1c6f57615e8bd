from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import save_file  # noqa: E402

from generators.pix2pixhd import files  # noqa: E402
from generators.pix2pixhd.converting import convert  # noqa: E402
from generators.pix2pixhd.encoder import Encoder, EncoderSettings  # noqa: E402
from generators.pix2pixhd.making import guessed, open_network  # noqa: E402
from generators.pix2pixhd.networks import build  # noqa: E402
from generators.pix2pixhd.settings import GeneratorSettings, Inputs  # noqa: E402
from generators.stylegan.files import NetworkError  # noqa: E402

SMALL = GeneratorSettings(5, 1, "global", 4, 1, 1)


def test_networks_come_back_in_the_same_bytes(tmp_path):
    network, path = build(SMALL), tmp_path / "a.safetensors"
    files.save(path, network, {"note": [1, 2]})
    found, about = files.load_generator(path)
    assert about["note"] == [1, 2]
    assert found.settings == SMALL
    assert all(torch.equal(v, found.state_dict()[k]) for k, v in network.state_dict().items())
    other = tmp_path / "b.safetensors"
    files.save(other, found, {"note": [1, 2]})
    assert path.read_bytes() == other.read_bytes()
    encoder = Encoder(EncoderSettings(1, 2, 4, 1))
    files.save(path, encoder, {})
    assert files.load_encoder(path).settings == encoder.settings


def test_what_is_no_network_is_refused(tmp_path):
    path = tmp_path / "x.safetensors"
    with pytest.raises(NetworkError, match="no such network"):
        files.load_generator(path)
    with pytest.raises(NetworkError, match="no such network"):
        files.tensors_of(path)
    path.write_bytes(b"not at all")
    with pytest.raises(NetworkError, match="not a network"):
        files.load_generator(path)
    with pytest.raises(NetworkError, match="not a network"):
        files.tensors_of(path)
    save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(NetworkError, match="another format"):
        files.load_generator(path)
    files.save(path, Encoder(EncoderSettings(1, 2, 4, 1)), {})
    with pytest.raises(NetworkError, match="another kind"):
        files.load_generator(path)
    files.save(path, build(SMALL), {})
    with pytest.raises(NetworkError):
        files.load_encoder(path)


def test_weights_that_do_not_fit_the_settings_are_refused(tmp_path):
    path, network = tmp_path / "x.safetensors", build(SMALL)
    network.settings = GeneratorSettings(5, 1, "global", 8, 1, 1)
    files.save(path, network, {})
    with pytest.raises(NetworkError, match="do not fit"):
        files.load_generator(path)


def test_a_network_of_the_original_is_converted(tmp_path):
    path, out = tmp_path / "latest_net_G.pth", tmp_path / "mine_net_G.safetensors"
    network = build(SMALL)
    torch.save(network.state_dict(), path)
    convert(path, out)
    opened = open_network(out)
    assert opened.inputs == Inputs(4) == guessed(5)
    assert torch.equal(opened.generator.model[1].weight, network.model[1].weight)
    convert(path, out, Inputs(2, feat_num=2))
    assert open_network(out).inputs.feat_num == 2
    with pytest.raises(NetworkError, match="sees 5 channels, not 36"):
        convert(path, out, Inputs(35))
    encoder = Encoder(EncoderSettings(3, 2, 4, 1))
    torch.save(encoder.state_dict(), tmp_path / "latest_net_E.pth")
    convert(tmp_path / "latest_net_E.pth", tmp_path / "mine_net_E.safetensors")
    assert files.load_encoder(tmp_path / "mine_net_E.safetensors").settings == encoder.settings
    assert open_network(out).encoder.settings == encoder.settings
