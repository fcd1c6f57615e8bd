"""Two processes train as one does: the same steps, but for the order of sums."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import load_file, save_file  # noqa: E402

from generators.stylegan.augmentation import AugmentationSettings  # noqa: E402
from generators.stylegan.settings import DiscriminatorSettings, GeneratorSettings  # noqa: E402
from generators.stylegan.training import TrainingSettings, start, step  # noqa: E402
from generators.training.processes import ALONE, together  # noqa: E402


def trained(cfg, parts, processes=ALONE, steps=3):
    settings = TrainingSettings(
        gamma=1.0,
        r1_every=2,
        mixing=0.9,
        path_weight=2.0 if cfg == "stylegan2" else 0.0,
        augmentation=AugmentationSettings("bgc", p=0.5, target=0.6, kimg=0.1, every=2),
    )
    generator = GeneratorSettings(
        8, cfg=cfg, cbase=64, cmax=8, z_dim=8, w_dim=8, num_layers=4, margin_size=3
    )
    discriminator = DiscriminatorSettings(8, cbase=64, cmax=8, group=2)
    training = start(settings, generator, discriminator, parts=parts, processes=processes)
    for k in range(steps):
        real = torch.rand(8, 1, 8, 8, generator=torch.Generator().manual_seed(k)) * 2 - 1
        step(training, real)
    return {
        **{f"g.{name}": tensor for name, tensor in training.generator.state_dict().items()},
        **{f"d.{name}": tensor for name, tensor in training.discriminator.state_dict().items()},
        "p": torch.tensor(training.p),
        "path_length": training.path_length,
        "signs": training.signs,
    }


def main(cfg, out):
    torch.set_num_threads(1)
    with together("cpu") as (processes, _):
        # Three steps: signs are being gathered for p, two after which it is adapted.
        save_file(trained(cfg, 1, processes, steps=3), f"{out}-{processes.rank}")


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """Return a function that trains in two processes over gloo, once for each network."""
    made = {}

    def of(cfg):
        if cfg not in made:
            out = tmp_path_factory.mktemp("together") / f"{cfg}.safetensors"
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
            around = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
            here = os.path.dirname(__file__)  # noqa: PTH120 - a path to import from
            program = f"import sys; sys.path.insert(0, {here!r}); import test_together; "
            program += f"test_together.main({cfg!r}, {str(out)!r})"
            running = [
                subprocess.Popen(
                    [sys.executable, "-c", program],
                    env={**os.environ, **around, "RANK": str(rank), "OMP_NUM_THREADS": "1"},
                )
                for rank in range(2)
            ]
            assert [process.wait(timeout=500) for process in running] == [0, 0]
            made[cfg] = [load_file(f"{out}-{rank}") for rank in range(2)]
        return made[cfg]

    return of


def apart(one, two):
    """Return the largest difference of any tensor, relative to its own largest value."""
    assert one.keys() == two.keys()
    return max(
        ((one[name] - two[name]).abs().max() / one[name].abs().max().clamp(min=1e-3)).item()
        for name in one
    )


@pytest.mark.training
def test_both_processes_are_in_the_same_state(pairs):
    """So either could write the checkpoint that both continue from."""
    first, second = pairs("stylegan3-t")
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert first["signs"][1] > 0


@pytest.mark.training
@pytest.mark.parametrize("cfg", ["stylegan3-t", "stylegan2"])
def test_two_processes_are_one_that_takes_two_parts(cfg, pairs):
    alone, shared = trained(cfg, parts=2), pairs(cfg)[0]
    # What each process gathers is a mean of two halves; alone it is the whole.
    assert (alone.pop("signs") / 2).tolist() == shared["signs"].tolist()
    assert apart(alone, {name: shared[name] for name in alone}) < 1e-4


@pytest.mark.training
def test_two_processes_are_one_that_takes_all_at_once(pairs):
    """But for magnitudes, of which each part knows its own while it is at work: 0.001 of them."""
    alone, shared = trained("stylegan3-t", parts=1), pairs("stylegan3-t")[0]
    del alone["signs"]
    assert apart(alone, {name: shared[name] for name in alone}) < 0.02


@pytest.mark.training
def test_the_comparison_can_tell():
    assert (
        apart(trained("stylegan3-t", parts=1, steps=2), trained("stylegan3-t", 1, steps=1)) > 0.02
    )
