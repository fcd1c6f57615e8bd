from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from adapters.errors import BuildError  # noqa: E402
from benchmark.errors import BenchError  # noqa: E402
from generators.stylegan import choice, fused, ops  # noqa: E402
from generators.stylegan.filters import IDENTITY, kaiser_filter  # noqa: E402
from generators.stylegan.generator import latents  # noqa: E402

SINC = kaiser_filter(12, 2.0, 2.3, 16)
BETWEEN = {"up_filter": SINC, "down_filter": SINC, "up": 2, "down": 2, "padding": (11, 10)}


@pytest.fixture(autouse=True)
def nothing_chosen(monkeypatch):
    monkeypatch.setattr(choice, "_chosen", [])
    monkeypatch.delenv("BENCH_OPS")


@pytest.fixture
def asked(monkeypatch):
    """Return a list of what the fused operation was asked for; it is a stand-in."""
    calls = []

    def stand_in(x, *_, **arguments):
        calls.append(arguments)
        return x

    monkeypatch.setattr(ops, "fused_filtered_lrelu", stand_in)
    monkeypatch.setattr(ops, "available", lambda: True)
    return calls


def test_who_has_the_last_word(monkeypatch):
    assert choice.ops() == "auto"
    monkeypatch.setenv("BENCH_OPS", "fused")
    assert choice.ops() == "fused"
    choice.choose("auto")
    with choice.using("torch"), choice.using("fused"):
        assert choice.ops() == "fused"
    assert choice.ops() == "auto"


def test_a_wrong_word_is_refused(monkeypatch):
    monkeypatch.setenv("BENCH_OPS", "cuda")
    for ask in (choice.ops, lambda: choice.choose("cuda")):
        with pytest.raises(BenchError, match="no ops are called 'cuda'"):
            ask()


def test_auto_is_fused_on_a_cpu(asked):
    x = torch.zeros(1, 2, 16, 16)
    ops.filtered_lrelu(x, **BETWEEN)
    assert asked[0]["padding"] == (11, 10, 11, 10)
    assert asked[0]["up_filter"].tolist() == pytest.approx(SINC.terms[0][0])
    assert ops.filtered_lrelu(x.bfloat16(), **BETWEEN).dtype == torch.bfloat16
    with choice.using("torch"):
        ops.filtered_lrelu(x, **BETWEEN)
    assert len(asked) == 1


def test_auto_knows_where_fused_is_the_faster(asked):
    bent = {"up_filter": IDENTITY, "down_filter": IDENTITY}
    for width, taken in ((16, 0), (128, 1)):
        x = torch.zeros(1, 2, 16, width)
        ops.filtered_lrelu(x, **bent)
        assert len(asked) == taken
    with choice.using("fused"):
        ops.filtered_lrelu(torch.zeros(1, 2, 4, 4), **bent)
    assert len(asked) == 2


def test_what_cannot_be_built(monkeypatch, capsys):
    def broken(_):
        raise BuildError("the compiler 'c++' cannot be started")

    monkeypatch.setattr(fused, "build", broken)
    x = torch.ones(1, 1, 16, 16)
    with choice.using("torch"):
        expected = ops.filtered_lrelu(x, **BETWEEN)
    for function in (fused.load, fused.available):
        function.cache_clear()
    try:
        for _ in range(2):
            assert torch.equal(ops.filtered_lrelu(x, **BETWEEN), expected)
        assert capsys.readouterr().err.splitlines() == [
            "no fused op: the compiler 'c++' cannot be started; pure torch does its work"
        ]
        with choice.using("fused"), pytest.raises(BuildError):
            ops.filtered_lrelu(x, **BETWEEN)
    finally:
        for function in (fused.load, fused.available):
            function.cache_clear()


@pytest.mark.slow
@pytest.mark.parametrize("cfg", ["stylegan3-t", "stylegan3-r"])
def test_a_whole_network_both_ways(make, cfg):
    if not fused.available():
        pytest.skip("no compiler here")
    generator, z = make(cfg, 32), latents([0, 1], 16)
    results = []
    for way in ("torch", "fused", "auto"):
        with choice.using(way):
            generator.zero_grad()
            pictures = generator(z)
            pictures.square().sum().backward()
            results.append([pictures.detach(), *(p.grad for p in generator.parameters())])
    for one, *others in zip(*results, strict=True):
        assert max((one - other).abs().max() for other in others) < 1e-4 * one.abs().max()
