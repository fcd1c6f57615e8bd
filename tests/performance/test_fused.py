"""How long the filtered leaky ReLU takes, by each of three ways: fused, matrices, naive.

    pytest tests/performance/test_fused.py --full -s

CPU time on one thread, of all layers of a network together, a batch of 8. The ways take turns in
one process, and the best of the rounds counts, so that what else the machine does falls on all.
The naive way is zero insertion and depthwise convolutions, along each axis where they can be.
"""

from __future__ import annotations

import time

import pytest

torch = pytest.importorskip("torch")
functional = torch.nn.functional

from generators.stylegan import ops  # noqa: E402
from generators.stylegan.choice import using  # noqa: E402
from generators.stylegan.fused import available, fused_filtered_lrelu  # noqa: E402
from generators.stylegan.schedule import schedule  # noqa: E402
from generators.stylegan.settings import GeneratorSettings  # noqa: E402

pytestmark = pytest.mark.slow

BATCH, ROUNDS = 8, 3
BEND = {"gain": 2**0.5, "slope": 0.2, "clamp": 256.0}
NETWORKS = {
    "stylegan3-t 64, cbase 2048, cmax 64": {"cfg": "stylegan3-t", "cbase": 2048, "cmax": 64},
    "stylegan3-r 64, cbase 1024, cmax 32": {"cfg": "stylegan3-r", "cbase": 1024, "cmax": 32},
}


def tensor(low):
    """The taps along one axis where both have the same, else the plane."""
    along_y, along_x = low.terms[0]
    alike = len(low.terms) == 1 and along_y == along_x
    return torch.tensor(along_x if alike else low.plane, dtype=torch.float32)


def depthwise(x, low):
    c = x.shape[1]
    if low.ndim == 2:
        return functional.conv2d(x, low.expand(c, 1, -1, -1), groups=c)
    x = functional.conv2d(x, low[:, None].expand(c, 1, -1, -1), groups=c)
    return functional.conv2d(x, low[None, :].expand(c, 1, -1, -1), groups=c)


def naive(x, bias, layer):
    n, c, h, w = x.shape
    zeros = (x + bias[:, None, None]).reshape(n, c, h, 1, w, 1)
    zeros = functional.pad(zeros, (0, layer.up - 1, 0, 0, 0, layer.up - 1))
    spread = functional.pad(zeros.reshape(n, c, h * layer.up, w * layer.up), layer.padding * 2)
    high = depthwise(spread, tensor(layer.up_filter) * layer.up)
    high = functional.leaky_relu(high, BEND["slope"]) * BEND["gain"]
    low = depthwise(high.clamp(-BEND["clamp"], BEND["clamp"]), tensor(layer.down_filter))
    return low[:, :, :: layer.down, :: layer.down]


def matrices(x, bias, layer):
    filters = {"up_filter": layer.up_filter, "down_filter": layer.down_filter}
    factors = {"up": layer.up, "down": layer.down, "padding": layer.padding}
    with using("torch"):
        return ops.filtered_lrelu(x, bias, **filters, **factors, **BEND)


def fused(x, bias, layer):
    filters = {"up_filter": tensor(layer.up_filter), "down_filter": tensor(layer.down_filter)}
    factors = {"up": layer.up, "down": layer.down, "padding": layer.padding * 2}
    return fused_filtered_lrelu(x, bias, **filters, **factors, **BEND)


WAYS = (fused, matrices, naive)


def seconds(function, *arguments):
    start = time.process_time()
    function(*arguments)
    return time.process_time() - start


def forward(way, x, bias, layer):
    with torch.no_grad():
        way(x, bias, layer)


def both(way, x, bias, layer):
    y = way(x, bias, layer)
    torch.autograd.grad(y, (x, bias), torch.ones_like(y))


@pytest.mark.parametrize("network", NETWORKS)
def test_all_layers_of_a_network(network):
    torch.set_num_threads(1)
    if not available():
        pytest.skip("no compiler here")
    generator = torch.Generator().manual_seed(0)
    totals = {}
    for layer in schedule(GeneratorSettings(resolution=64, **NETWORKS[network])).layers:
        # The convolution before has seen zeros all round, and its own width is lost again.
        size = layer.source.size + layer.kernel - 1
        x = torch.randn(BATCH, layer.result.channels, size, size, generator=generator)
        bias = torch.randn(layer.result.channels, generator=generator)
        truth, *others = (way(x, bias, layer) for way in (naive, fused, matrices))
        for other in others:
            assert ((other - truth).abs().max() / truth.abs().max()).item() < 1e-5
        x.requires_grad_()
        bias.requires_grad_()
        for kind in (forward, both):
            rounds = [[seconds(kind, w, x, bias, layer) for w in WAYS] for _ in range(ROUNDS)]
            for way, best in zip(WAYS, map(min, zip(*rounds, strict=True)), strict=True):
                name = kind.__name__, way.__name__
                totals[name] = totals.get(name, 0) + best
    print(f"\n{network}: CPU seconds, and how many times as long as fused")
    for kind in (forward, both):
        ours = totals[kind.__name__, fused.__name__]
        for way in WAYS:
            theirs = totals[kind.__name__, way.__name__]
            print(f"  {kind.__name__:8} {way.__name__:9} {theirs:7.3f} {theirs / ours:6.1f}")
