from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from generators.pix2pixhd import files  # noqa: E402
from generators.pix2pixhd.resuming import network_file, take_over  # noqa: E402
from generators.pix2pixhd.settings import GeneratorSettings, Inputs  # noqa: E402
from generators.pix2pixhd.training import TrainingSettings, start  # noqa: E402
from generators.stylegan.files import NetworkError  # noqa: E402


def training_of(seed=0, **generator):
    made = {"ngf": 8, "n_downsample_global": 1, "n_blocks_global": 1} | generator
    settings = TrainingSettings(epoch=1, ndf=4, num_d=1, n_layers_d=1, seed=seed)
    return start(settings, Inputs(2), GeneratorSettings(3, 1, **made))


@pytest.fixture
def trained(tmp_path):
    training = training_of()
    files.save(tmp_path / "latest_net_G.safetensors", training.generator, {})
    files.save(tmp_path / "latest_net_D.safetensors", training.discriminator, {})
    return tmp_path, training


def test_a_training_starts_where_another_ended(trained):
    folder, before = trained
    training = training_of(seed=1)
    assert take_over(training, folder) == []
    for name in ("generator", "discriminator"):
        mine, other = (getattr(t, name).state_dict() for t in (training, before))
        assert all(torch.equal(mine[key], other[key]) for key in mine)


def test_a_global_generator_becomes_the_middle_of_a_local_one(trained):
    folder, before = trained
    training = training_of(seed=1, net_g="local", ngf=4, n_blocks_local=1)
    (folder / "latest_net_D.safetensors").unlink()
    told = take_over(training, folder / "latest_net_G.safetensors")
    inner = training.generator.model.state_dict()
    assert all(torch.equal(v, before.generator.model.state_dict()[k]) for k, v in inner.items())
    left = sum(name.startswith("model1_") for name in training.generator.state_dict())
    assert told[0].startswith(f"{left} of {left + len(inner)} weights of G start anew")
    assert "no network D" in told[1]


def test_files_of_the_original_are_taken_too(trained, tmp_path):
    _, before = trained
    folder = tmp_path / "original"
    folder.mkdir()
    torch.save(before.generator.state_dict(), folder / "30_net_G.pth")
    assert network_file(folder, "30").name == "30_net_G.pth"
    training = training_of(seed=1)
    assert take_over(training, folder, "30") == [
        "there is no network D beside 30_net_G.pth: it starts anew"
    ]
    assert torch.equal(training.generator.model[1].weight, before.generator.model[1].weight)


def test_what_is_not_there_or_fits_nowhere_is_said(trained, tmp_path):
    folder, _ = trained
    with pytest.raises(NetworkError, match="no 20_net_G") as caught:
        network_file(folder, "20")
    assert "--which_epoch latest" in caught.value.mend
    files.save(tmp_path / "x.safetensors", torch.nn.Linear(2, 2), {})
    with pytest.raises(NetworkError, match="no weights of this network fit"):
        take_over(training_of(), tmp_path / "x.safetensors")
