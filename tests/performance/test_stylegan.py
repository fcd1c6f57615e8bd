"""How long networks take to learn and to make pictures, beside the same networks done naively.

    pytest tests/performance/test_stylegan.py --full -s --rounds 3

Naive is what the papers describe step by step, and what published code does where operations are
not compiled: insert zeros, pad, convolve channel by channel along each axis, discard. All ways take
turns in one process; every figure is CPU time on one thread, user and system, the median of rounds.
"""

from __future__ import annotations

import time
from contextlib import contextmanager

import numpy as np
import pytest

torch = pytest.importorskip("torch")
functional = torch.nn.functional

from generators.stylegan import discriminator, layers, synthesis  # noqa: E402
from generators.stylegan.choice import using  # noqa: E402
from generators.stylegan.fused import available  # noqa: E402
from generators.stylegan.generator import Generator, latents  # noqa: E402
from generators.stylegan.schedule import schedule  # noqa: E402
from generators.stylegan.settings import DiscriminatorSettings, GeneratorSettings  # noqa: E402
from generators.stylegan.training import TrainingSettings, start, step  # noqa: E402

pytestmark = pytest.mark.slow

NETWORKS = {
    "t 64, cbase 2048, cmax 64": GeneratorSettings(64, cbase=2048, cmax=64),
    "t 128, cbase 2048, cmax 32": GeneratorSettings(128, cbase=2048, cmax=32),
    "r 64, cbase 1024, cmax 32": GeneratorSettings(64, cfg="stylegan3-r", cbase=1024, cmax=32),
}
WAYS = ("auto", "torch", "naive")
BATCH = 8


@pytest.fixture
def rounds(pytestconfig):
    return pytestconfig.getoption("--rounds")


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def resampled(x, low, up=1, down=1, padding=(0, 0)):
    n, c, h, w = x.shape
    if up > 1:
        x = functional.pad(x.reshape(n, c, h, 1, w, 1), (0, up - 1, 0, 0, 0, up - 1))
        x = x.reshape(n, c, h * up, w * up)
    if any(padding):
        x = functional.pad(x, padding + padding)
    if low.taps > 1 and len(low.terms) == 1:
        taps = torch.tensor(low.terms[0][0], dtype=x.dtype) * up
        kernel = taps.flip(0)[None, None, None].expand(c, 1, 1, -1)
        x = functional.conv2d(functional.conv2d(x, kernel, groups=c), kernel.mT, groups=c)
    elif low.taps > 1:
        plane = torch.from_numpy(low.plane * up**2).to(x.dtype)
        x = functional.conv2d(x, plane.flip(0, 1)[None, None].expand(c, 1, -1, -1), groups=c)
    return x[:, :, ::down, ::down]


def naive(
    x,
    bias,
    scale=None,
    result_scale=None,
    *,
    up_filter,
    down_filter,
    up=1,
    down=1,
    padding=(0, 0),
    clamp,
    gain=2**0.5,
    slope=0.2,
):
    x = x if scale is None else x * scale[:, :, None, None]
    x = resampled(x + bias[:, None, None], up_filter, up, 1, padding)
    x = (functional.leaky_relu(x, slope) * gain).clamp(-clamp, clamp)
    x = resampled(x, down_filter, 1, down)
    return x if result_scale is None else x * result_scale


@contextmanager
def going(way):
    with pytest.MonkeyPatch.context() as patch, using("torch" if way == "naive" else way):
        if way == "naive":
            patch.setattr(synthesis, "filtered_lrelu", naive)
            patch.setattr(layers, "filtered_lrelu", naive)
            patch.setattr(discriminator, "resample", resampled)
        yield


def seconds(function, *arguments):
    begun = time.process_time()
    function(*arguments)
    return time.process_time() - begun


@pytest.mark.parametrize("name", NETWORKS)
def test_a_step_of_learning(name, rounds):
    """Generator and discriminator, R1 every 16 steps: one step with it, and 15 without."""
    if not available():
        pytest.skip("no compiler here")
    settings = NETWORKS[name]
    judge = DiscriminatorSettings(settings.resolution, cbase=settings.cbase, cmax=settings.cmax)
    training = start(TrainingSettings(), settings, judge)
    real = torch.randn(BATCH, 1, settings.resolution, settings.resolution)
    z = latents(list(range(BATCH)), settings.z_dim)
    taken = {(way, r1): [] for way in WAYS for r1 in (True, False)}
    seen = []
    for way in WAYS:
        with going(way), torch.no_grad():
            pictures = training.generator(z)
            seen.append((pictures, training.discriminator(pictures)))
    for found, truth in ((pair[k], seen[-1][k]) for pair in seen[:2] for k in (0, 1)):
        assert (found - truth).abs().max() < 1e-4 * truth.abs().max()
    for number in range(-1, rounds):
        for way in WAYS if number >= 0 else WAYS[:2]:  # at first, those that keep what they made
            with going(way):
                for r1 in (True, False):
                    training.steps = 0 if r1 else 1
                    took = seconds(step, training, real)
                    if number >= 0:
                        taken[way, r1].append(took)
    each = {
        way: (np.median(taken[way, True]) + 15 * np.median(taken[way, False])) / 16 for way in WAYS
    }
    parts = (f"{way} {s:.2f} s ({each['naive'] / s:.1f} times)" for way, s in each.items())
    print(f"\n{name}: an iteration takes", ", ".join(parts))


@pytest.mark.parametrize("name", list(NETWORKS)[:2])
def test_pictures_beside_their_convolutions_alone(name, rounds):
    """What cannot be saved is the convolutions, timed by themselves on the same shapes."""
    if not available():
        pytest.skip("no compiler here")
    settings = NETWORKS[name]
    generator, z = Generator(settings), latents(list(range(BATCH)), settings.z_dim)
    given = []
    for layer in schedule(settings).layers:
        size, inputs, outputs = layer.source.size, layer.source.channels, layer.result.channels
        x = torch.randn(BATCH, inputs, size, size)
        given.append((x, torch.randn(outputs, inputs, layer.kernel, layer.kernel)))

    def convolutions():
        for x, weight in given:
            functional.conv2d(x, weight, padding=weight.shape[-1] - 1)

    with torch.no_grad(), using("auto"):
        taken = [(seconds(convolutions), seconds(generator, z)) for _ in range(5 * rounds)]
    floor, whole = np.median(taken, axis=0)
    ratio = np.median([w / f for f, w in taken])
    print(f"\n{name}: pictures {whole:.3f} s, convolutions alone {floor:.3f} s, {ratio:.2f} times")
