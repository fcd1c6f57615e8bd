from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from benchmark.errors import RunError  # noqa: E402
from generators.stylegan.augmentation import AugmentationSettings  # noqa: E402
from generators.stylegan.settings import DiscriminatorSettings, GeneratorSettings  # noqa: E402
from generators.stylegan.state import checkpoint_of, restore  # noqa: E402
from generators.stylegan.training import TrainingSettings, start, step  # noqa: E402
from generators.training.checkpoint import read, write  # noqa: E402


def begin(cfg="stylegan3-t", cmax=8, **changes):
    settings = TrainingSettings(
        gamma=1.0,
        r1_every=3,
        mixing=0.9,
        path_weight=2.0 if cfg == "stylegan2" else 0.0,
        path_every=2,
        augmentation=AugmentationSettings("bgc", target=-0.99, kimg=0.02, every=2),
        **changes,
    )
    generator = GeneratorSettings(
        8, cfg=cfg, cbase=64, cmax=cmax, z_dim=8, w_dim=8, num_layers=4, margin_size=3
    )
    return start(settings, generator, DiscriminatorSettings(8, cbase=64, cmax=cmax))


def go(training, first, last):
    for k in range(first, last):
        step(training, torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(k)) * 2 - 1)


@pytest.mark.parametrize("cfg", ["stylegan3-t", "stylegan2"])
@pytest.mark.parametrize("stop", [0, 1, 3])
def test_a_training_continued_ends_in_the_same_bytes(tmp_path, cfg, stop):
    whole = begin(cfg, freezed=1)
    go(whole, 0, 5)
    broken = begin(cfg, freezed=1)
    go(broken, 0, stop)
    write(tmp_path / "broken", checkpoint_of(broken))
    continued = begin(cfg, freezed=1)
    restore(continued, read(tmp_path / "broken"))
    go(continued, stop, 5)
    write(tmp_path / "whole", checkpoint_of(whole))
    write(tmp_path / "continued", checkpoint_of(continued))
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "continued").read_bytes()
    assert whole.p > 0


def test_a_checkpoint_of_other_networks_is_refused():
    with pytest.raises(RunError, match="another training"):
        restore(begin(cmax=4), checkpoint_of(begin()))
