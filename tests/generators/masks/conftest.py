"""Networks that the tests of masks share: one that draws what its w says, and untrained ones."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

OF_NETWORKS = ["calibrating", "control", "making", "networks", "plans", "results", "sampling"]
collect_ignore = [] if find_spec("torch") else [f"test_{name}.py" for name in OF_NETWORKS]

SIZE = 48


@pytest.fixture
def ellipses():
    """A network of fields whose size, elongation and roughness are known functions of w."""
    torch = pytest.importorskip("torch")
    from generators.masks.networks import MaskNetwork
    from generators.stylegan.settings import GeneratorSettings

    class Synthesis:
        num_styles = 4

        def __call__(self, styles, *, transform=None):
            w = styles.double().mean(1)[0].numpy()
            size, elongation = 16 * np.exp(0.12 * w[0]), 1 + 0.5 * np.exp(0.3 * w[1])
            y, x = np.indices((SIZE, SIZE)) - (SIZE - 1) / 2
            if transform is not None:
                back = torch.linalg.inv(transform.double()).numpy()
                x, y = (back[k, 0] * x + back[k, 1] * y + SIZE * back[k, 2] for k in (0, 1))
            x, y = x / np.sqrt(elongation), y * np.sqrt(elongation)
            rough = 0.06 * np.exp(0.3 * w[2]) * np.cos(3 * np.arctan2(y, x))
            inside = size / 2 * (1 + rough) - np.hypot(x, y)
            plane = np.clip(inside / 4, -1, 1)
            return torch.from_numpy(plane)[None, None].float()

    class Ellipses:
        settings = GeneratorSettings(SIZE, z_dim=6, w_dim=6)
        synthesis = Synthesis()

        def styles(self, z, c=None, *, truncation=1.0):
            return (truncation * z)[:, None].repeat(1, 4, 1)

    return MaskNetwork(
        path=Path("ellipses.safetensors"),
        digest="0" * 64,
        generator=Ellipses(),
        kind="fields",
        level=0.0,
        pixel_diameter=16.0,
        map=None,
        frames=None,
        notes={},
    )


@pytest.fixture
def saved(tmp_path):
    """Return a function that writes an untrained network with notes, and returns its file."""
    pytest.importorskip("torch")
    from generators.stylegan.files import save
    from generators.stylegan.generator import Generator
    from generators.stylegan.settings import GeneratorSettings

    def write(content=None, name="net.safetensors", seed=1, **changes):
        small = {"cbase": 128, "cmax": 8, "z_dim": 8, "w_dim": 8, "num_layers": 4}
        settings = GeneratorSettings(16, **(small | changes))
        notes = {} if content is None else {"content": json.dumps(content)}
        save(tmp_path / name, Generator(settings, seed=seed), notes=notes)
        return tmp_path / name

    return write


@pytest.fixture
def fields_file(saved):
    """The file of an untrained network of fields."""
    return saved({"kind": "fields", "level": 0.0, "pixel_diameter": 6.0})
