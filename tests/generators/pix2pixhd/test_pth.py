from __future__ import annotations

import io
import pickle
import zipfile
from collections import OrderedDict

import pytest

torch = pytest.importorskip("torch")

from generators.pix2pixhd import pth  # noqa: E402
from generators.pix2pixhd.networks import build  # noqa: E402
from generators.pix2pixhd.original import generator_of, settings_of, tensors_of  # noqa: E402
from generators.pix2pixhd.settings import GeneratorSettings  # noqa: E402
from generators.stylegan.files import NetworkError  # noqa: E402

SMALL = GeneratorSettings(5, 1, "local", 4, 2, 2, 1, 1, "batch")


@pytest.fixture(params=[True, False], ids=["archive", "pickles"])
def write(request, tmp_path):
    """Return a function that writes as torch does, in its form of today and the one before."""

    def written(held, name="latest_net_G.pth"):
        torch.save(held, tmp_path / name, _use_new_zipfile_serialization=request.param)
        return tmp_path / name

    return written


def test_weights_come_back_by_name(write):
    given = build(SMALL).state_dict()
    given["half"] = torch.randn(3, 4).half().T
    given["shared"] = given["model.1.weight"][:2]
    given["none"] = torch.zeros(0, 3)
    found = pth.read(write(given))
    assert list(found) == list(given)
    for name, tensor in given.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)


def test_a_generator_is_told_by_its_names_and_shapes(write):
    network = build(SMALL)
    found = generator_of(write(network.state_dict()))
    assert found.settings == SMALL
    x = torch.randn(1, 5, 16, 16)
    assert torch.equal(found.eval()(x), network.eval()(x))


@pytest.mark.parametrize(
    "settings",
    [
        GeneratorSettings(36, 3),
        GeneratorSettings(36, 3, "local", 32),
        GeneratorSettings(3, 1, "global", 8, 1, 0),
        GeneratorSettings(7, 2, "local", 4, 3, 9, 2, 5, "batch"),
    ],
)
def test_settings_follow_from_names_and_shapes(settings):
    from dataclasses import replace

    with torch.device("meta"):
        network = build(settings, seed=None)
    found = settings_of(network.state_dict())
    assert replace(found, n_local_enhancers=settings.n_local_enhancers) == settings


def test_older_names_are_read_too(write):
    network = build(GeneratorSettings(3, 1, "global", 4, 1, 1))
    held = OrderedDict((f"module.{name}", v) for name, v in network.state_dict().items())
    # Norms of instances kept averages in torch 0.3, and no weights beside them.
    held["module.model.2.running_mean"] = torch.zeros(4)
    held["module.model.2.running_var"] = torch.ones(4)
    assert set(tensors_of(write(held))) == set(network.state_dict())
    assert generator_of(write(held)).settings == network.settings


class Harmful:
    def __reduce__(self):
        return print, ("executed",)


def test_nothing_is_executed(write, capsys):
    for held in ({"weight": Harmful()}, Harmful(), {"a": torch.zeros(2), "b": [Harmful()]}):
        with pytest.raises(NetworkError, match="would import"):
            tensors_of(write(held))
    assert "executed" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ({"a": 3}, "'a'"),
        ([torch.zeros(2)], "no tensors by name"),
        ({"a": {"b": torch.zeros(1)}}, "'a'"),
        ({"a": torch.zeros(2, dtype=torch.complex64)}, "would import"),
    ],
)
def test_what_weights_do_not_need_is_refused(write, held, said):
    with pytest.raises(NetworkError, match=said):
        tensors_of(write(held))


def test_damaged_files_are_refused(write, tmp_path):
    whole = write({"a": torch.arange(1000.0)}).read_bytes()
    for k, data in enumerate((b"", b"x", whole[: len(whole) // 2], whole[:-800], whole[100:])):
        path = tmp_path / f"{k}.pth"
        path.write_bytes(data)
        with pytest.raises(NetworkError, match="not weights that can be read"):
            tensors_of(path)
    with pytest.raises(NetworkError, match="no such file"):
        tensors_of(tmp_path / "nowhere.pth")


def test_a_tensor_that_reaches_beyond_its_numbers_is_refused(tmp_path):
    file = io.BytesIO()
    torch.save({"a": torch.zeros(4)}, file)
    path = tmp_path / "x.pth"
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith("data.pkl"):
                # Size and stride of the tensor: (4,) becomes (200,).
                data = data.replace(b"K\x04\x85", b"K\xc8\x85", 1)
            new.writestr(name, data)
    with pytest.raises(NetworkError, match="reaches beyond"):
        tensors_of(path)


def test_other_weights_are_no_generator(write):
    with pytest.raises(NetworkError, match="names are not those"):
        generator_of(write({"features.0.weight": torch.zeros(2, 2)}))
    changed = build(SMALL).state_dict()
    del changed["model.4.bias"]
    with pytest.raises(NetworkError, match=r"model\.4\.bias"):
        generator_of(write(changed))


def test_a_plain_pickle_is_refused(tmp_path):
    path = tmp_path / "x.pth"
    path.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(NetworkError, match="not known"):
        tensors_of(path)
