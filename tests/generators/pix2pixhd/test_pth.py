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


class Python2(pickle._Pickler):
    """Writes texts and ordered dictionaries as Python 2 did, and tensors as torch 0.2."""

    dispatch = pickle._Pickler.dispatch.copy()

    def save_str(self, text):
        data = text.encode()
        self.write(b"U" + bytes([len(data)]) + data)
        self.memoize(text)

    dispatch[str] = save_str

    def reducer_override(self, value):
        if isinstance(value, OrderedDict):
            return OrderedDict, ([[name, tensor] for name, tensor in value.items()],)
        if isinstance(value, torch.Tensor):
            stored = Stored(value)
            size, stride = tuple(value.shape), value.stride()
            return Rebuild(), (stored, 0, size, stride)
        return NotImplemented

    def persistent_id(self, value):
        if isinstance(value, Stored):
            count = value.tensor.numel()
            return "storage", torch.FloatStorage, str(id(value.tensor)), "cpu", count, None
        return None

    def save_global(self, value, name=None):
        if isinstance(value, Rebuild):
            self.write(b"ctorch._utils\n_rebuild_tensor\n")
        elif value is torch.FloatStorage:
            self.write(b"ctorch\nFloatStorage\n")
        else:
            super().save_global(value, name)


class Stored:
    def __init__(self, tensor):
        self.tensor = tensor


class Rebuild:
    def __call__(self):
        raise AssertionError

    def __reduce__(self):
        return "_rebuild_tensor"


def test_files_of_python_2_are_read(tmp_path):
    network = build(GeneratorSettings(3, 1, "global", 4, 1, 1))
    held = OrderedDict(network.state_dict())
    path = tmp_path / "latest_net_G.pth"
    with path.open("wb") as file:
        about = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"int": 4}}
        for each in (0x1950A86A20F9469CFC6C, 1001, about, held):
            Python2(file, protocol=2).dump(each)
        Python2(file, protocol=2).dump([str(id(tensor)) for tensor in held.values()])
        for tensor in held.values():
            file.write(tensor.numel().to_bytes(8, "little"))
            file.write(tensor.numpy().tobytes())
    assert b"U\x0emodel.1.weight" in path.read_bytes()
    assert generator_of(path).settings == network.settings
    found = tensors_of(path)
    assert all(torch.equal(found[name], tensor) for name, tensor in held.items())


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


def test_an_archive_that_unpacks_to_more_than_itself_is_refused(tmp_path):
    torch.save({"model.1.weight": torch.zeros(1 << 18)}, tmp_path / "plain.pth")
    bomb = tmp_path / "bomb.pth"
    with (
        zipfile.ZipFile(tmp_path / "plain.pth") as plain,
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in plain.namelist():
            packed.writestr(name, plain.read(name))
    assert bomb.stat().st_size < 10_000
    assert pth.read(tmp_path / "plain.pth")["model.1.weight"].shape == (1 << 18,)
    with pytest.raises(pth.RefusedError, match="unpacks to 10"):
        pth.read(bomb)
