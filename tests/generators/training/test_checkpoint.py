from __future__ import annotations

import errno
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from benchmark.errors import RunError  # noqa: E402
from generators.training.checkpoint import (  # noqa: E402
    Checkpoint,
    moments,
    named,
    networks_of,
    of_same_training,
    read,
    restore_moments,
    restore_networks,
    write,
)


def some(seed=0):
    rng = torch.Generator().manual_seed(seed)
    tensors = {
        "g.weight": torch.randn(3, 4, generator=rng),
        "d.bias": torch.randn(2, generator=rng),
        "count": torch.tensor(7),
    }
    return Checkpoint(tensors, {"steps": 3, "p": 0.1 + 0.2, "list": [1, "zwei"]})


def test_what_is_written_is_read_to_the_bit(tmp_path):
    write(tmp_path / "c.safetensors", some())
    found = read(tmp_path / "c.safetensors")
    assert found.state == some().state
    assert found.tensors.keys() == some().tensors.keys()
    assert all(torch.equal(found.tensors[name], some().tensors[name]) for name in found.tensors)


def test_the_same_state_gives_the_same_bytes(tmp_path):
    for name in "ab":
        write(tmp_path / name, some())
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_no_file_is_no_checkpoint(tmp_path):
    assert read(tmp_path / "none") is None


@pytest.mark.parametrize("content", [b"", b"hello", b"\x80\x04K\x01.", b'{"state": 1}'])
def test_another_file_is_refused(tmp_path, content):
    (tmp_path / "c").write_bytes(content)
    with pytest.raises(RunError, match="no checkpoint"):
        read(tmp_path / "c")


def test_a_cut_file_is_refused(tmp_path):
    write(tmp_path / "c", some())
    (tmp_path / "c").write_bytes((tmp_path / "c").read_bytes()[:-5])
    with pytest.raises(RunError, match="no checkpoint"):
        read(tmp_path / "c")


def test_safetensors_of_something_else_are_refused(tmp_path):
    from safetensors.torch import save_file

    for metadata in (None, {"state": "[]"}, {"state": "{}"}):
        save_file({"a": torch.zeros(1)}, tmp_path / "c", metadata)
        with pytest.raises(RunError, match="no checkpoint"):
            read(tmp_path / "c")


def test_a_full_disk_leaves_the_one_before_whole(tmp_path, monkeypatch):
    path = tmp_path / "c"
    write(path, some(0))
    before = path.read_bytes()
    written = Path.write_bytes

    def half(self, content):
        written(self, content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(RunError, match="no space left"):
        write(path, some(1))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_no_number_is_no_state(tmp_path):
    with pytest.raises(ValueError):
        write(tmp_path / "c", Checkpoint({}, {"p": float("nan")}))


def test_names_nest():
    checkpoint = Checkpoint(named("g", {"a.b": 1}) | named("gg", {"a": 2}), {})
    assert checkpoint.below("g") == {"a.b": 1}


def stepped(steps):
    layer = torch.nn.Linear(2, 2)
    with torch.no_grad():
        layer.weight.copy_(torch.eye(2))
        layer.bias.zero_()
    adam = torch.optim.Adam(layer.parameters(), lr=0.1, betas=(0.0, 0.99))
    for _ in range(steps):
        follow(layer, adam)
    return layer, adam


def follow(layer, adam):
    adam.zero_grad()
    layer(torch.tensor([[1.0, 2.0]])).square().sum().backward()
    adam.step()


def test_adam_goes_on_with_its_moments():
    layer, adam = stepped(2)
    other, again = stepped(0)
    other.load_state_dict(layer.state_dict())
    restore_moments(again, {name: tensor.clone() for name, tensor in moments(adam).items()})
    follow(layer, adam)
    follow(other, again)
    assert torch.equal(layer.weight, other.weight)
    assert torch.equal(layer.bias, other.bias)


def test_adam_without_moments_stays_without():
    _, adam = stepped(0)
    assert moments(adam) == {}
    restore_moments(adam, {})
    assert not adam.state_dict()["state"]


class Trained:
    """Two networks, one of which is not used, and an optimiser after a step."""

    def __init__(self, inputs=3):
        torch.manual_seed(inputs)
        self.generator, self.encoder = torch.nn.Linear(inputs, 2), None
        self.adam = torch.optim.Adam(self.generator.parameters())
        self.generator(torch.ones(1, inputs)).sum().backward()
        self.adam.step()


def test_networks_and_optimisers_come_back_by_name():
    names = (("generator", "encoder"), ("adam",))
    one, other = Trained(), Trained()
    with torch.no_grad():
        one.generator.weight.add_(1)
    restore_networks(other, Checkpoint(networks_of(one, *names), {}), *names)
    assert torch.equal(other.generator.weight, one.generator.weight)
    assert torch.equal(moments(other.adam)["0.exp_avg"], moments(one.adam)["0.exp_avg"])


def test_networks_of_another_training_are_refused():
    names = (("generator",), ("adam",))
    checkpoint = Checkpoint(networks_of(Trained(4), *names), {})
    with pytest.raises(RunError, match="of another training"), of_same_training():
        restore_networks(Trained(), checkpoint, *names)
