from __future__ import annotations

import itertools

import numpy as np
import pytest

torch = pytest.importorskip("torch")
functional = torch.nn.functional

from generators.stylegan.choice import using  # noqa: E402
from generators.stylegan.filters import BINOMIAL, jinc_filter, kaiser_filter  # noqa: E402
from generators.stylegan.fused import available, fused_filtered_lrelu, supports  # noqa: E402
from generators.stylegan.ops import resample  # noqa: E402

TAPS = {1: 1, 2: 12, 4: 24}


def plain(case, seed=0, dtype=torch.float64):
    """Return tensors and arguments for one case; lopsided filters, so that turning them shows."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)

    up, down = case.get("up", 2), case.get("down", 2)
    height, width = case.get("size", (23, 18))
    up_taps, down_taps = TAPS[up], TAPS[down]
    shape = (down_taps,) * (2 if case.get("radial") else 1)
    arguments = {
        "up_filter": normal(up_taps) / up_taps**0.5 if up_taps > 1 else None,
        "down_filter": normal(*shape) / down_taps ** (len(shape) / 2) if down_taps > 1 else None,
        "up": up,
        "down": down,
        "padding": case.get("padding", (21, 20, 13, 16)),
        "gain": 2**0.5,
        "slope": 0.2,
        "clamp": case.get("clamp", 0.5),
    }
    x, bias = normal(2, 3, height, width), normal(3) if case.get("bias", True) else None
    return x, bias, arguments


def plane(taps, dtype):
    if taps is None:
        return torch.ones(1, 1, dtype=dtype)
    taps = taps.to(dtype)
    return taps if taps.ndim == 2 else torch.outer(taps, taps)


def raised(x, bias, *, up_filter, up, padding, gain, slope, **_):
    """Insert zeros, pad and convolve; then the bend, without its clamp."""
    if bias is not None:
        x = x + bias[:, None, None]
    n, c, h, w = x.shape
    zeros = x.new_zeros(n, c, h, up, w, up)
    zeros[:, :, :, 0, :, 0] = x
    spread = functional.pad(zeros.reshape(n, c, h * up, w * up), list(padding))
    kernel = plane(up_filter, x.dtype).flip(0, 1)[None, None].repeat(c, 1, 1, 1)
    y = functional.conv2d(spread, kernel * up**2, groups=c)
    return torch.where(y > 0, y, y * slope) * gain


def slowly(x, bias, **arguments):
    """The whole operation as the paper tells it, one step after the other."""
    y = raised(x, bias, **arguments)
    if arguments["clamp"] is not None:
        y = y.clamp(-arguments["clamp"], arguments["clamp"])
    c, down = y.shape[1], arguments["down"]
    kernel = plane(arguments["down_filter"], y.dtype).flip(0, 1)[None, None].repeat(c, 1, 1, 1)
    return functional.conv2d(y, kernel, groups=c)[:, :, ::down, ::down]


def distance(one, other):
    return ((one.double() - other).abs().max() / other.abs().max()).item()


FACTORS = [
    {"up": up, "down": down, "radial": radial}
    for up, down, radial in itertools.product((1, 2, 4), (1, 2, 4), (False, True))
    if not (radial and down == 1)
]
CASES = [
    *FACTORS,
    {"padding": (-9, -2, 4, -5), "size": (31, 38)},
    {"padding": (-9, -2, 4, -5), "size": (31, 38), "radial": True},
    {"up": 4, "padding": (-30, -21, -17, -40), "size": (33, 47)},
    {"up": 1, "down": 4, "padding": (40, 3, 0, 50), "size": (5, 7)},
    {"size": (1, 1)},
    {"size": (9, 90)},
    {"bias": False},
    {"clamp": None},
    {"clamp": 0.0},
]


@pytest.fixture(scope="module")
def op():
    torch.set_num_threads(1)
    if not available():
        pytest.skip("no compiler here")
    return fused_filtered_lrelu


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=str)
def test_samples_are_those_of_zeros_convolution_and_decimation(op, case):
    x, bias, arguments = plain(case)
    truth = slowly(x, bias, **arguments)
    assert op(x, bias, **arguments).shape == truth.shape
    if case.get("clamp") == 0.0:
        assert not op(x, bias, **arguments).any()
        return
    assert distance(op(x, bias, **arguments), truth) < 1e-13
    single, single_bias = x.float(), None if bias is None else bias.float()
    y = op(single, single_bias, **arguments)
    truth = slowly(single.double(), None if bias is None else single_bias.double(), **arguments)
    assert y.dtype == torch.float32
    assert distance(y, truth) < 1e-5


def gradients(function, x, bias, arguments):
    """Return the gradient of a curved function, and the gradient of that gradient's size."""
    inputs = [t.clone().requires_grad_() for t in (x, bias) if t is not None]
    y = function(inputs[0], inputs[1] if bias is not None else None, **arguments)
    first = torch.autograd.grad((y**3 + y).sum(), inputs, create_graph=True)
    second = torch.autograd.grad(sum(g.square().sum() for g in first), inputs)
    return [g.detach() for g in first] + list(second)


@pytest.mark.slow
@pytest.mark.parametrize("case", [c for c in CASES if c.get("clamp") != 0.0], ids=str)
def test_first_and_second_gradients(op, case):
    x, bias, arguments = plain(case)
    truth = gradients(slowly, x, bias, arguments)
    for one, other in zip(gradients(op, x, bias, arguments), truth, strict=True):
        assert distance(one, other) < 1e-12


@pytest.mark.slow
@pytest.mark.parametrize("radial", [False, True])
def test_gradients_in_single_precision_away_from_the_bends(op, radial):
    def margin(x, bias, arguments):
        high = raised(x.double(), bias.double(), **arguments).abs()
        high = high[high > 0]  # zero is where nothing but padding comes in
        return min(high.min().item(), (high - arguments["clamp"]).abs().min().item())

    case = {"radial": radial, "size": (7, 8), "padding": (13, 14, 12, 13)}
    tries = (plain(case, seed, torch.float32) for seed in range(200))
    x, bias, arguments = next(one for one in tries if margin(*one) > 2e-5)
    truth = gradients(slowly, x.double(), bias.double(), arguments)
    for one, other in zip(gradients(op, x, bias, arguments), truth, strict=True):
        assert one.dtype == torch.float32
        assert distance(one, other) < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize(("up", "down"), [(1, 1), (1, 2), (2, 1), (2, 3)])
@pytest.mark.parametrize(
    "low", [BINOMIAL, jinc_filter(12, 2.0, 2.3, 16)], ids=["separable", "radial"]
)
def test_resampling_without_a_bend(op, up, down, low):
    """The samples of matrices, to float64, and their gradients of any order."""
    x = plain({})[0].requires_grad_()
    results = []
    for way in ("torch", "fused"):
        with using(way):
            y = resample(x, low, up=up, down=down, padding=(7, 6), gain=3.0)
        (first,) = torch.autograd.grad((y**3 + y).sum(), x, create_graph=True)
        results.append([y.detach(), first.detach(), *torch.autograd.grad(first.square().sum(), x)])
    for one, other in zip(*results, strict=True):
        assert distance(one, other) < 1e-6  # sums of separable terms are cut to float32


@pytest.mark.slow
def test_finite_differences(op):
    x, bias, arguments = plain({"size": (4, 5), "padding": (12, 13, 12, 13)})
    x, bias = x[:1, :1].requires_grad_(), bias[:1].requires_grad_()
    assert torch.autograd.gradcheck(lambda *both: op(*both, **arguments), (x, bias))
    assert torch.autograd.gradgradcheck(lambda *both: op(*both, **arguments), (x, bias))


@pytest.mark.slow
def test_by_hand(op):
    arguments = dict.fromkeys(("up_filter", "down_filter")) | {"up": 1, "down": 1}
    arguments |= {"padding": (1, 0, 0, 0), "gain": 2.0, "slope": 0.1, "clamp": 3.0}
    x = torch.tensor([[[[-3.0, 0.0, 1.0, 5.0]]]])
    y = op(x, torch.tensor([1.0]), **arguments)
    assert y.flatten().tolist() == pytest.approx([0.0, -0.4, 2.0, 3.0, 3.0])


@pytest.mark.slow
@pytest.mark.parametrize("disc", [False, True])
def test_a_constant_stays(op, disc):
    low = np.array(kaiser_filter(12, 2.0, 2.3, 16).terms[0][0])
    round_low = jinc_filter(12, 2.0, 2.3, 16).plane.copy()
    y = op(
        torch.full((1, 1, 40, 40), 3.0),
        up_filter=torch.from_numpy(low),
        down_filter=torch.from_numpy(round_low if disc else low),
        up=2,
        down=2,
        padding=(0, 0, 0, 0),
        gain=1.0,
        slope=0.2,
        clamp=None,
    )
    assert y.shape == (1, 1, 29, 29)
    assert distance(y, torch.full_like(y, 3.0)) < 1e-2  # the phases' own sums differ a little


@pytest.mark.slow
def test_nan_passes_through_and_infinity_is_clamped(op):
    x, bias, arguments = plain({"clamp": 2.0}, dtype=torch.float32)
    x[0, 1, 4, 5] = torch.nan
    x[1, 2, 4, 5] = torch.inf
    bad = op(x, bias, **arguments).isnan().flatten(2).any(2)
    assert bad[0].tolist() == [False, True, False]
    assert not bad[1, :2].any()
    arguments |= {"up_filter": None, "down_filter": None, "up": 1, "down": 1}
    assert op(x, bias, **arguments)[1, 2].max() == 2.0


@pytest.mark.slow
def test_any_number_of_threads_gives_the_same_bits(op):
    x, bias, arguments = plain({"size": (40, 41)}, dtype=torch.float32)
    results = []
    for threads in (1, 2, 5):
        torch.set_num_threads(threads)
        results.append([op(x, bias, **arguments), *gradients(op, x, bias, arguments)])
    torch.set_num_threads(1)
    for one, two, five in zip(*results, strict=True):
        assert torch.equal(one, two)
        assert torch.equal(one, five)


@pytest.mark.slow
def test_a_gradient_that_is_no_plain_tensor(op):
    x, bias, arguments = plain({})
    x.requires_grad_()
    op(x, bias, **arguments).sum().backward()  # a gradient of ones, all of them one number
    (truth,) = torch.autograd.grad(slowly(x, bias, **arguments).sum(), x)
    assert distance(x.grad, truth) < 1e-12


@pytest.mark.slow
@pytest.mark.parametrize(
    "turn", [lambda x: x.mT, lambda x: x.to(memory_format=torch.channels_last)]
)
def test_any_order_in_memory(op, turn):
    x, bias, arguments = plain({})
    truth = gradients(op, turn(x).contiguous(), bias, arguments)
    for one, other in zip(gradients(op, turn(x), bias, arguments), truth, strict=True):
        assert torch.equal(one, other)


@pytest.mark.slow
@pytest.mark.parametrize("case", [{}, {"radial": True}, {"up": 4}, {"up": 1, "down": 1}], ids=str)
def test_a_scale_is_a_factor_on_what_comes_in(op, case):
    """Of either sign, and nought; one on what goes out too; with first and second gradients."""
    x, bias, arguments = plain(case)
    scale = torch.tensor([[0.7, -1.3, 0.0], [2.0, 0.1, -0.4]], dtype=torch.float64)
    after = torch.tensor([[-0.2, 1.1, 3.0], [0.0, 0.6, -2.5]], dtype=torch.float64)[..., None, None]

    def reference(x, bias, scale, after, **rest):
        return slowly(x * scale[:, :, None, None], bias, **rest) * after

    results = []
    for function in (op, reference):
        inputs = [t.clone().requires_grad_() for t in (x, bias, scale, after)]
        y = function(*inputs, **arguments)
        first = torch.autograd.grad((y**3 + y).sum(), inputs, create_graph=True)
        second = torch.autograd.grad(sum(g.square().sum() for g in first), inputs)
        results.append([y.detach(), *first, *second])
        results[-1].append(function(x, bias, scale, after, **arguments))  # another way, if not ours
    for one, other in zip(*results, strict=True):
        assert distance(one, other) < 1e-12


@pytest.mark.slow
def test_nothing_left_is_refused(op):
    x, bias, arguments = plain({"padding": (-20, -20, 0, 0)})
    with pytest.raises(ValueError, match="nothing is left of 23 x 18"):
        op(x, bias, **arguments)


def test_what_it_takes():
    x = torch.zeros(2, 3, 4, 5)
    assert supports(x, None, torch.zeros(3))
    assert supports(x.double())
    assert not supports(x, torch.zeros(3, dtype=torch.float64))
    assert not supports(x.bfloat16())
    assert not supports(x.to("meta"))
