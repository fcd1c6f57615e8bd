"""How long networks take forward and back, beside the same network with naive filters.

    pytest tests/performance/test_stylegan.py --full -s

Naive is what the papers describe step by step, and what their published code does without compiled
operations: insert zeros, pad, convolve channel by channel along each axis, discard. Both run in
turn in one process; every figure is CPU time on one thread.
"""

from __future__ import annotations

import time

import numpy as np
import pytest

torch = pytest.importorskip("torch")
functional = torch.nn.functional

from generators.stylegan import ops, synthesis  # noqa: E402
from generators.stylegan.generator import Generator, latents  # noqa: E402
from generators.stylegan.settings import GeneratorSettings  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.benchmark(timer=time.process_time)]

NETWORKS = {
    "t 64, cbase 512": GeneratorSettings(64, cbase=512, cmax=32),
    "t 64, cbase 2048": GeneratorSettings(64, cbase=2048, cmax=64),
    "t 128, cbase 2048": GeneratorSettings(128, cbase=2048, cmax=32),
    "r 64, cbase 1024": GeneratorSettings(64, cfg="stylegan3-r", cbase=1024, cmax=32),
}
ROUNDS = 5
BATCH = 8


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def resampled(x, low, up=1, down=1, padding=(0, 0)):
    n, c, h, w = x.shape
    x = functional.pad(x.reshape(n, c, h, 1, w, 1), (0, up - 1, 0, 0, 0, up - 1))
    x = functional.pad(x.reshape(n, c, h * up, w * up), padding + padding)
    if len(low.terms) == 1:
        taps = torch.tensor(low.terms[0][0], dtype=x.dtype) * up
        kernel = taps.flip(0)[None, None, None].expand(c, 1, 1, -1)
        x = functional.conv2d(functional.conv2d(x, kernel, groups=c), kernel.mT, groups=c)
    else:
        plane = torch.from_numpy(low.plane.copy()).to(x.dtype) * up**2
        x = functional.conv2d(x, plane.flip(0, 1)[None, None].expand(c, 1, -1, -1), groups=c)
    return x[:, :, ::down, ::down]


def naive(x, bias, *, up_filter, down_filter, up, down, padding, clamp, gain=2**0.5, slope=0.2):
    x = resampled(x + bias[:, None, None], up_filter, up, 1, padding)
    x = (functional.leaky_relu(x, slope) * gain).clamp(-clamp, clamp)
    return resampled(x, down_filter, 1, down)


@pytest.mark.parametrize("name", NETWORKS)
def test_forward_and_backward(benchmark, monkeypatch, name):
    generator, z = Generator(NETWORKS[name]), latents(list(range(BATCH)), 512)
    taken, expected = [], []

    def step():
        generator.zero_grad()
        pictures = generator(z)
        pictures.square().sum().backward()
        return pictures.detach()

    def with_naive():
        monkeypatch.setattr(synthesis, "filtered_lrelu", naive)
        start = time.process_time()
        pictures = step()
        taken.append(time.process_time() - start)
        monkeypatch.setattr(synthesis, "filtered_lrelu", ops.filtered_lrelu)
        expected.append(pictures)

    step()  # makes the matrices
    made = benchmark.pedantic(step, setup=with_naive, rounds=ROUNDS)
    assert (made - expected[0]).abs().max() < 1e-4 * expected[0].abs().max()
    if not benchmark.disabled:
        ours, theirs = benchmark.stats.stats.median, float(np.median(taken))
        benchmark.extra_info |= {"naive": theirs, "ratio": theirs / ours}
        print(f"\n{name}: {ours:.2f} s, naive {theirs:.2f} s, {theirs / ours:.1f} times")
