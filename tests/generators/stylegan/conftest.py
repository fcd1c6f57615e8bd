from __future__ import annotations

from importlib.util import find_spec

import pytest


@pytest.fixture(autouse=True)
def _one_thread():
    """Sums in one order, and no quarrel over the processors with other tests."""
    if find_spec("torch") is None:
        yield
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def make():
    """Return a function that makes a small generator whose activations have unit variance.

    Untrained networks know no magnitudes yet; a batch with the averages at once on its figures
    gives what training would.
    """
    pytest.importorskip("torch")
    from generators.stylegan import synthesis
    from generators.stylegan.generator import Generator, latents
    from generators.stylegan.settings import GeneratorSettings

    def made(cfg="stylegan3-t", resolution=32, seed=0, **changes):
        small = {"cbase": 256, "cmax": 16, "z_dim": 16, "w_dim": 16}
        settings = GeneratorSettings(resolution, cfg=cfg, **(small | changes))
        generator = Generator(settings, seed=seed).eval()
        classes = None
        if settings.c_dim:
            import torch

            classes = torch.eye(settings.c_dim)[[0] * 4]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(synthesis, "_MEMORY", 0.0)
            generator(latents([100, 101, 102, 103], settings.z_dim), classes, update_emas=True)
        return generator

    return made
