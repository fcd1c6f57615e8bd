from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from generators.painting.conditioning import CHANNELS  # noqa: E402
from generators.painting.judge import Judge  # noqa: E402


def test_every_scale_sees_a_picture_of_half_the_size():
    judge = Judge(ndf=4, scales=3)
    verdicts = judge(torch.zeros(2, CHANNELS, 64, 96), torch.zeros(2, 1, 64, 96))
    assert [tuple(one[-1].shape) for one in verdicts] == [
        (2, 1, 16, 24),
        (2, 1, 8, 12),
        (2, 1, 4, 6),
    ]


def test_strength_of_texture_is_not_normed_away():
    judge = Judge(ndf=4)
    texture = torch.randn(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    maps = torch.zeros(1, CHANNELS, 64, 64)
    weak, strong = (judge(maps, factor * texture)[0][-1] for factor in (0.01, 0.1))
    assert (strong - weak).abs().mean() > 3 * weak.std()
