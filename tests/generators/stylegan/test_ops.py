from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
functional = torch.nn.functional

from generators.stylegan import banded  # noqa: E402
from generators.stylegan.choice import using  # noqa: E402
from generators.stylegan.filters import (  # noqa: E402
    BINOMIAL,
    IDENTITY,
    jinc_filter,
    kaiser_filter,
    separable,
)
from generators.stylegan.fused import available  # noqa: E402
from generators.stylegan.ops import (  # noqa: E402
    demodulation,
    downsample,
    filtered_lrelu,
    modulated_conv2d,
    resample,
    upsample,
)

SINC = kaiser_filter(12, 2.0, 2.3, 16)
DISC = jinc_filter(12, 2.0, 2.3, 16)
LOPSIDED = separable((0.1, 0.2, 0.4, 0.3))


@pytest.fixture(autouse=True)
def generator():
    torch.set_num_threads(1)
    return torch.Generator().manual_seed(0)


def normal(generator, *shape, dtype=torch.float64):
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)


def slowly_resampled(x, low, up=1, down=1, padding=(0, 0)):
    """Insert zeros, pad, convolve with the plane as it stands, discard: in float64."""
    x = x.double()
    n, c, h, w = x.shape
    zeros = x.new_zeros(n, c, h, up, w, up)
    zeros[:, :, :, 0, :, 0] = x
    spread = functional.pad(zeros.reshape(n, c, h * up, w * up), padding + padding)
    kernel = torch.from_numpy(low.plane.copy()).flip(0, 1)[None, None].expand(c, 1, -1, -1)
    return functional.conv2d(spread, kernel * up**2, groups=c)[:, :, ::down, ::down]


def slowly(x, bias, *, up_filter, down_filter, up, down, padding, gain, slope, clamp):
    x = slowly_resampled(x.double() + bias.double()[:, None, None], up_filter, up, 1, padding)
    x = torch.where(x > 0, x, x * slope) * gain
    if clamp is not None:
        x = x.clamp(-clamp, clamp)
    return slowly_resampled(x, down_filter, 1, down)


CASES = {
    "same rate": {"up": 2, "down": 2, "padding": (11, 10)},
    "twice": {"up": 4, "down": 2, "padding": (13, 12)},
    "half": {"up": 2, "down": 4, "padding": (4, 5)},
    "cropped": {"up": 2, "down": 2, "padding": (-3, -2)},
    "one-sided": {"up": 3, "down": 1, "padding": (0, 7)},
    "radial": {"up": 2, "down": 2, "padding": (11, 10), "down_filter": DISC},
    "both radial": {"up": 2, "down": 2, "padding": (9, 10), "up_filter": DISC, "down_filter": DISC},
    "lopsided": {"up": 2, "down": 1, "padding": (1, 2), "up_filter": LOPSIDED},
    "no filters": {"up": 1, "down": 1, "padding": (0, 0), "up_filter": IDENTITY}
    | {"down_filter": IDENTITY},
    "clamped": {"up": 2, "down": 2, "padding": (11, 10), "clamp": 0.5},
    "no clamp": {"up": 2, "down": 2, "padding": (11, 10), "clamp": None},
    "blurred": {"up": 1, "down": 2, "padding": (2, 3), "up_filter": IDENTITY}
    | {"down_filter": LOPSIDED, "clamp": 1.0},
    "linear": {"up": 2, "down": 2, "padding": (11, 10), "slope": 1.0, "gain": 1.0},
}
DEFAULTS = {
    "up_filter": SINC,
    "down_filter": SINC,
    "gain": 2**0.5,
    "slope": 0.2,
    "clamp": 256.0,
}


def settings(case):
    return DEFAULTS | CASES[case]


@pytest.fixture(params=["torch", pytest.param("fused", marks=pytest.mark.slow)])
def way(request):
    """Each of the ways that do the work, one after the other."""
    if request.param == "fused" and not available():
        pytest.skip("no compiler here")
    with using(request.param):
        yield request.param


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", [(20, 20), (14, 40), (71, 15)])
def test_filtered_lrelu_is_insert_convolve_discard(generator, case, dtype, size):
    x, bias = normal(generator, 2, 3, *size, dtype=dtype), normal(generator, 3, dtype=dtype)
    expected = slowly(x, bias, **settings(case))
    made = filtered_lrelu(x, bias, **settings(case))
    assert made.shape == expected.shape
    assert made.dtype == dtype
    off = (made - expected).abs().max() / expected.abs().max()
    # Radial filters are cut to float32's precision.
    assert off < (1e-6 if dtype == torch.float32 or "radial" in case else 1e-12)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("case", CASES)
def test_first_and_second_gradient(generator, case):
    """By differences, at points that stay away from the corners of the nonlinearity."""
    x, bias = normal(generator, 1, 2, 16, 14), normal(generator, 2)
    x.requires_grad_()
    bias.requires_grad_()

    def function(x, bias):
        return filtered_lrelu(x, bias, **settings(case))

    assert torch.autograd.gradcheck(function, (x, bias), eps=1e-7, atol=1e-5, fast_mode=True)
    assert torch.autograd.gradgradcheck(function, (x, bias), eps=1e-7, atol=1e-5, fast_mode=True)


def derived(function, inputs):
    """Return the gradient of a curved function, and the gradient of that gradient's size."""
    inputs = [tensor.detach().clone().requires_grad_() for tensor in inputs]
    y = function(*inputs)
    weights = torch.linspace(-1, 1, y.numel(), dtype=y.dtype).reshape(y.shape)
    first = torch.autograd.grad((y * weights).square().sum(), inputs, create_graph=True)
    penalty = sum(gradient.square().sum() for gradient in first)
    return [gradient.detach() for gradient in first] + list(torch.autograd.grad(penalty, inputs))


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("case", CASES)
def test_gradients_are_those_of_the_reference(generator, case):
    """With a scale of either sign, which the operation as the paper has it knows nothing of."""
    inputs = normal(generator, 2, 3, 20, 20), normal(generator, 3), normal(generator, 2, 3)

    def ours(x, bias, scale):
        return filtered_lrelu(x, bias, scale, **settings(case))

    def reference(x, bias, scale):
        return slowly(x * scale[:, :, None, None], bias, **settings(case))

    assert torch.allclose(ours(*inputs), reference(*inputs), atol=1e-6)
    for one, other in zip(derived(ours, inputs), derived(reference, inputs), strict=True):
        assert (one - other).abs().max() < 1e-6 * other.abs().max()


def test_bias_may_be_left_out(generator):
    x = normal(generator, 1, 2, 16, 16)
    with_zeros = filtered_lrelu(x, x.new_zeros(2), **settings("same rate"))
    assert torch.equal(filtered_lrelu(x, **settings("same rate")), with_zeros)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("case", ["same rate", "radial", "blurred"])
def test_no_pictures_at_all(generator, case):
    expected = filtered_lrelu(normal(generator, 1, 3, 16, 16), **settings(case)).shape[1:]
    x = normal(generator, 0, 3, 16, 16).requires_grad_()
    y = filtered_lrelu(x, **settings(case))
    assert y.shape == (0, *expected)
    assert torch.autograd.grad(y.sum(), x)[0].shape == x.shape


def test_what_is_given_stays_as_it_was(generator):
    x = normal(generator, 1, 2, 16, 16)
    before = x.clone()
    filtered_lrelu(x, up_filter=IDENTITY, down_filter=IDENTITY)
    assert torch.equal(x, before)


def test_too_small_for_the_filter():
    with pytest.raises(ValueError, match="fewer than 12 taps"):
        filtered_lrelu(torch.ones(1, 1, 3, 3), up_filter=SINC, down_filter=IDENTITY)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("low", [SINC, DISC, LOPSIDED, BINOMIAL])
@pytest.mark.parametrize(("up", "down"), [(1, 1), (2, 1), (1, 2), (3, 2)])
def test_resample_is_insert_convolve_discard(generator, low, up, down):
    x = normal(generator, 2, 3, 17, 22)
    expected = slowly_resampled(x, low, up, down, (3, 2))
    made = resample(x, low, up=up, down=down, padding=(3, 2))
    assert torch.allclose(made, expected, atol=1e-7)
    expected = slowly_resampled(x.float(), low, up, down, (3, 2))
    made = resample(x.float(), low, up=up, down=down, padding=(3, 2))
    assert made.dtype == torch.float32
    assert (made - expected).abs().max() < 1e-5 * expected.abs().max()


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("low", [SINC, DISC, LOPSIDED, BINOMIAL])
@pytest.mark.parametrize(("up", "down"), [(1, 1), (2, 1), (1, 2), (3, 2)])
def test_gradients_of_resample_are_those_of_the_reference(generator, low, up, down):
    x = normal(generator, 2, 3, 17, 22)
    ours = derived(lambda x: resample(x, low, up=up, down=down, padding=(3, 2)), [x])
    reference = derived(lambda x: slowly_resampled(x, low, up, down, (3, 2)), [x])
    for one, other in zip(ours, reference, strict=True):
        assert (one - other).abs().max() < 1e-6 * other.abs().max()


def test_up_and_down_keep_the_centre():
    """The centre of mass of a picture, in units of its width, stays."""
    x = torch.zeros(1, 1, 16, 16, dtype=torch.float64)
    x[0, 0, 5, 9] = 1

    def centre(picture):
        size = picture.shape[-1]
        at = (torch.arange(size, dtype=torch.float64) + 0.5) / size
        mass = picture[0, 0]
        return [(mass.sum(1 - axis) @ at / mass.sum()).item() for axis in (0, 1)]

    for low in (BINOMIAL, SINC):
        for resized in (upsample(x, low), downsample(x, low)):
            assert centre(resized) == pytest.approx(centre(x), abs=0.01 if low == SINC else 1e-12)
    assert upsample(x, BINOMIAL).shape[-1] == 32
    assert downsample(x, BINOMIAL).shape[-1] == 8


def test_blocks_make_no_difference(generator, monkeypatch):
    matrix = torch.from_numpy(banded.band(SINC.terms[0][0], 50, 2, 1, (5, 4)))
    x = normal(generator, 3, 50, 50)
    expected = matrix @ x @ matrix.T
    for rows in (1, 7, 32, 1000):
        monkeypatch.setattr(banded, "_ROWS", rows)
        cut = banded.Banded.of(matrix)
        assert torch.equal(cut.dense, matrix)
        assert torch.allclose(cut.along_y(cut.along_x(x)), expected)


def naive_modulated(x, weight, style, demodulate):
    """One convolution a sample, with weights as the paper scales them."""
    made = []
    for sample, factors in zip(x, style, strict=True):
        scaled = weight * factors[None, :, None, None]
        if demodulate:
            scaled = scaled / (scaled.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        made.append(functional.conv2d(sample[None], scaled, padding=2))
    return torch.cat(made)


@pytest.mark.parametrize("demodulate", [True, False])
@pytest.mark.parametrize("kernel", [1, 3])
def test_modulated_convolution_scales_weights(generator, demodulate, kernel):
    x, weight = normal(generator, 3, 4, 9, 8), normal(generator, 5, 4, kernel, kernel)
    style = normal(generator, 3, 4)
    expected = naive_modulated(x, weight, style, demodulate)
    made = modulated_conv2d(x, weight, style, demodulate=demodulate, padding=2)
    assert torch.allclose(made, expected)


def test_modulated_convolution_in_single_precision(generator):
    x, weight = normal(generator, 3, 16, 9, 8), normal(generator, 5, 16, 3, 3)
    style = normal(generator, 3, 16)
    expected = naive_modulated(x, weight, style, demodulate=True)
    made = modulated_conv2d(x.float(), weight.float(), style.float(), padding=2)
    assert (made - expected).abs().max() < 1e-5 * expected.abs().max()
    apart = modulated_conv2d(x, weight, style, demodulate=False, padding=2)
    apart = apart * demodulation(weight, style)[:, :, None, None]
    assert torch.allclose(apart, expected)


def test_gradients_of_modulated_convolution_are_those_of_the_reference(generator):
    inputs = normal(generator, 2, 3, 6, 5), normal(generator, 4, 3, 3, 3), normal(generator, 2, 3)
    ours = derived(lambda *given: modulated_conv2d(*given, padding=2), inputs)
    reference = derived(lambda *given: naive_modulated(*given, demodulate=True), inputs)
    for one, other in zip(ours, reference, strict=True):
        assert (one - other).abs().max() < 1e-9 * other.abs().max()


def test_modulated_convolution_differentiates_twice(generator):
    x, weight = normal(generator, 2, 3, 5, 5), normal(generator, 2, 3, 3, 3)
    style = normal(generator, 2, 3)
    inputs = [tensor.requires_grad_() for tensor in (x, weight, style)]
    assert torch.autograd.gradcheck(modulated_conv2d, inputs)
    assert torch.autograd.gradgradcheck(modulated_conv2d, inputs)


def test_demodulation_keeps_unit_variance(generator):
    x, weight = normal(generator, 4, 64, 32, 32), 7 * normal(generator, 32, 64, 3, 3)
    style = 1 + normal(generator, 4, 64).abs()
    assert modulated_conv2d(x, weight, style).std().item() == pytest.approx(1, rel=0.05)


def test_transposed_convolution_inserts_zeros(generator):
    x, weight = normal(generator, 2, 3, 5, 6), normal(generator, 4, 3, 3, 3)
    style = normal(generator, 2, 3)
    spread = x.new_zeros(2, 3, 9, 11)
    spread[:, :, ::2, ::2] = x
    expected = naive_modulated(spread, weight.flip(2, 3), style, demodulate=True)
    made = modulated_conv2d(x, weight, style, transposed_stride=2)
    assert made.shape == (2, 4, 11, 13)
    assert torch.allclose(made, expected)


def test_matrices_are_made_once():
    banded.resampling.cache_clear()
    for _ in range(3):
        filtered_lrelu(torch.ones(1, 1, 16, 16), **settings("same rate"))
    assert banded.resampling.cache_info().misses == 2
    assert np.isfinite(banded.resampling.cache_info().hits)
