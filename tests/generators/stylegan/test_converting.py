"""Pictures of converted networks against an implementation of the papers that stands here alone.

No official pickle may be kept here, so one of the same layout is made: the names of modules,
parameters and attributes, torch's old form of storages, numpy's numbers among the attributes.
"""

from __future__ import annotations

import json
import pickle
import sys
from collections import OrderedDict
from types import ModuleType

import numpy as np
import pytest

torch = pytest.importorskip("torch")
functional = torch.nn.functional

from scipy.signal import firwin, kaiser_atten, kaiser_beta  # noqa: E402
from scipy.special import j1  # noqa: E402

from benchmark.cli import app  # noqa: E402
from generators.stylegan.converting import convert, network_of  # noqa: E402
from generators.stylegan.files import (  # noqa: E402
    NetworkError,
    load_discriminator,
    load_generator,
    load_notes,
)
from generators.stylegan.pickles import RefusedError  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")

RESOLUTION, LAYERS, W = 32, 6, 8
BUFFERS = {"freqs", "phases", "transform", "w_avg", "magnitude_ema", "noise_const"} | {
    "up_filter",
    "down_filter",
    "resample_filter",
}


# What is pickled


@pytest.fixture
def pickled(monkeypatch):
    """Return a function that pickles tensors by dotted name as persistent modules."""
    persistence, util = ModuleType("torch_utils.persistence"), ModuleType("dnnlib.util")

    def reconstruct(meta):
        raise AssertionError(f"executed: {meta}")

    reconstruct.__module__, reconstruct.__qualname__ = persistence.__name__, "_reconstruct"
    persistence._reconstruct_persistent_obj = reconstruct
    reconstruct.__qualname__ = reconstruct.__name__ = "_reconstruct_persistent_obj"
    util.EasyDict = type("EasyDict", (dict,), {"__module__": "dnnlib.util"})
    for module in (persistence, util, ModuleType("dnnlib"), ModuleType("torch_utils")):
        monkeypatch.setitem(sys.modules, module.__name__, module)

    class Persistent:
        def __init__(self, kind, state):
            self.meta = {"type": "class", "version": 6, "module_src": "raise SystemExit\n"}
            self.meta |= {"class_name": kind, "state": state}

        def __reduce__(self):
            return reconstruct, (self.meta,), None

    def module(path, tensors, attributes, options):
        own = {name: tensor for name, tensor in tensors.items() if "." not in name}
        below = OrderedDict()
        for name, tensor in tensors.items():
            first, _, rest = name.partition(".")
            if rest:
                below.setdefault(first, {})[rest] = tensor
        state = {
            "training": False,
            "_parameters": OrderedDict(
                (n, torch.nn.Parameter(t)) for n, t in own.items() if n not in BUFFERS
            ),
            "_buffers": OrderedDict((n, t) for n, t in own.items() if n in BUFFERS),
            "_non_persistent_buffers_set": set(),
            "_modules": OrderedDict(
                (n, module(f"{path}.{n}".strip("."), t, attributes, options))
                for n, t in below.items()
            ),
            "_init_args": (),
            "_init_kwargs": util.EasyDict(options.get(path, {})),
            "size": np.broadcast_to(np.asarray(36), [2]).copy(),
            "bandwidth": np.float64(2.0),
            **attributes.get(path, {}),
        }
        return Persistent(path or "Generator", state)

    def dumped(tensors, attributes, options, name="G_ema", protocol=4):
        held = {"training_set_kwargs": util.EasyDict(class_name="x"), "augment_pipe": None}
        return pickle.dumps(held | {name: module("", tensors, attributes, options)}, protocol)

    return dumped


@pytest.fixture
def rng():
    return torch.Generator().manual_seed(0)


# The papers


def linear(p, name, x, rate=1.0):
    weight, bias = p[f"{name}.weight"], p[f"{name}.bias"]
    return x @ (weight * (rate / weight.shape[1] ** 0.5)).T + bias * rate


def bent(x):
    return torch.where(x > 0, x, 0.2 * x) * 2**0.5


def unit(x):
    return x / (x.square().mean(1, keepdim=True) + 1e-8).sqrt()


def mapped(p, prefix, z, c, depth):
    x = [] if z is None else [unit(z)]
    if c is not None:
        x.append(unit(linear(p, f"{prefix}embed", c)))
    x = torch.cat(x, 1)
    for k in range(depth):
        x = bent(linear(p, f"{prefix}fc{k}", x, 0.01))
    return x


def modulated(x, weight, style, padding, *, demodulate=True):
    made = []
    for sample, s in zip(x, style, strict=True):
        w = weight * s[None, :, None, None]
        if demodulate:
            w = w / (w.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        made.append(functional.conv2d(sample[None], w, padding=padding))
    return torch.cat(made)


def convolved(x, low, padding, up=1, down=1):
    n, c, h, w = x.shape
    zeros = x.new_zeros(n, c, h, up, w, up)
    zeros[:, :, :, 0, :, 0] = x
    x = functional.pad(zeros.reshape(n, c, h * up, w * up), [*padding, *padding])
    low = torch.outer(low, low) if low.ndim == 1 else low
    x = functional.conv2d(x, (low * up**2).expand(c, 1, -1, -1), groups=c)
    return x[:, :, ::down, ::down]


def lowpass(taps, cutoff, width, rate, *, radial=False):
    if taps == 1:
        return torch.ones(1)
    if not radial:
        return torch.from_numpy(firwin(taps, cutoff, width=2 * width, fs=rate)).float()
    x = (np.arange(taps) - (taps - 1) / 2) / rate
    r = np.hypot(*np.meshgrid(x, x))
    f = j1(2 * cutoff * np.pi * r) / (np.pi * r)
    window = np.kaiser(taps, kaiser_beta(kaiser_atten(taps, 2 * width / (rate / 2))))
    f *= np.outer(window, window)
    return torch.from_numpy(f / f.sum()).float()


def plan(channels=1, margin=4, base=256, most=8):
    """Return (cutoff, half-width, rate, size, channels) of each signal, as arrays."""
    share = np.minimum(np.arange(LAYERS + 1) / (LAYERS - 2), 1)
    last = RESOLUTION / 2
    cutoff = 2 * (last / 2) ** share
    stop = 2**2.1 * (last * 2**0.3 / 2**2.1) ** share
    rate = 2 ** np.ceil(np.log2(np.minimum(2 * stop, RESOLUTION)))
    size = rate + 2 * margin
    size[-2:] = RESOLUTION
    wide = np.rint(np.minimum(base / 2 / cutoff, most))
    wide[-1] = channels
    return cutoff, np.maximum(stop, rate / 2) - cutoff, rate, size.astype(int), wide.astype(int)


def layers3(radial):
    """Return what each layer does: name, filters, factors, padding, kernel, channels."""
    cutoff, width, rate, size, wide = plan()
    kernel = 1 if radial else 3
    for i in range(LAYERS + 1):
        before, last = max(i - 1, 0), i == LAYERS
        high = max(rate[before], rate[i]) * (1 if last else 2)
        up, down = int(high / rate[before]), int(high / rate[i])
        side = 1 if last else kernel
        low_up = lowpass(1 if last else 6 * up, cutoff[before], width[before], high)
        round_off = radial and i < LAYERS - 2
        low_down = lowpass(1 if last else 6 * down, cutoff[i], width[i], high, radial=round_off)
        pad = (size[i] - 1) * down + 1 - (size[before] + side - 1) * up
        pad += len(low_up) + len(low_down) - 2
        first = (pad + up) // 2
        name = f"L{i}_{size[i]}_{wide[i]}"
        padding = int(first), int(pad - first)
        yield name, low_up, low_down, up, down, padding, side, wide[before], wide[i]


def official3(rng, *, radial=False, c_dim=0):
    def normal(*shape):
        return torch.randn(shape, generator=rng)

    cutoff, *_, wide = plan()
    p = mapping_tensors(normal, "mapping.", W, c_dim, 2) | {"mapping.w_avg": 0.3 * normal(W)}
    count = int(wide[0])
    frequencies = normal(count, 2)
    p |= {
        "synthesis.input.freqs": frequencies / frequencies.norm(dim=1, keepdim=True) * cutoff[0],
        "synthesis.input.phases": torch.rand(count, generator=rng) - 0.5,
        "synthesis.input.transform": torch.eye(3),
        "synthesis.input.weight": normal(count, count),
        "synthesis.input.affine.weight": 0.3 * normal(4, W),
        "synthesis.input.affine.bias": torch.tensor([1.0, 0.0, 0.0, 0.0]) + 0.1 * normal(4),
    }
    for name, low_up, low_down, _, _, _, side, inputs, outputs in layers3(radial):
        made = {
            "affine.weight": normal(inputs, W),
            "affine.bias": 1 + 0.2 * normal(inputs),
            "weight": (side + 9 * (outputs == 1)) * normal(outputs, inputs, side, side),
            "bias": 0.3 * normal(outputs),
            "magnitude_ema": 0.5 + torch.rand((), generator=rng),
        }
        made |= {"up_filter": low_up, "down_filter": low_down} if len(low_up) > 1 else {}
        p |= {f"synthesis.{name}.{part}": tensor for part, tensor in made.items()}
    return {name: tensor.contiguous() for name, tensor in p.items()}


def pictures3(p, z, c, *, radial=False):
    w = mapped(p, "mapping.", z, c, 2)
    cutoff, _, rate, size, _ = plan()
    q = {name.removeprefix("synthesis."): tensor for name, tensor in p.items()}
    t = linear(q, "input.affine", w)
    t = t / t[:, :2].norm(dim=1, keepdim=True)
    turned, moved = torch.eye(3).repeat(2, len(z), 1, 1)
    turned[:, 0, 0], turned[:, 0, 1] = t[:, 0], -t[:, 1]
    turned[:, 1, 0], turned[:, 1, 1] = t[:, 1], t[:, 0]
    moved[:, 0, 2], moved[:, 1, 2] = -t[:, 2], -t[:, 3]
    whole = turned @ moved
    phases = q["input.phases"] + (q["input.freqs"] @ whole[:, :2, 2:]).squeeze(2)
    waves = q["input.freqs"] @ whole[:, :2, :2]
    strength = (1 - (waves.norm(dim=2) - cutoff[0]) / (rate[0] / 2 - cutoff[0])).clamp(0, 1)
    half = torch.eye(2, 3) * 0.5 * size[0] / rate[0]
    grid = functional.affine_grid(half[None], [1, 1, size[0], size[0]], align_corners=False)
    x = torch.einsum("hwk,nck->nhwc", grid[0], waves) + phases[:, None, None]
    x = torch.sin(2 * np.pi * x) * strength[:, None, None]
    x = (x @ (q["input.weight"] / len(waves[0]) ** 0.5).T).permute(0, 3, 1, 2)
    for layer in layers3(radial):
        name, low_up, low_down, up, down, padding, side, inputs, _ = layer
        style = linear(q, f"{name}.affine", w)
        last = name.startswith(f"L{LAYERS}_")
        style = style / inputs**0.5 if last else style
        x = x / q[f"{name}.magnitude_ema"].sqrt()
        x = modulated(x, q[f"{name}.weight"], style, side - 1, demodulate=not last)
        x = x + q[f"{name}.bias"][:, None, None]
        if not last:
            x = convolved(x, low_up, padding, up=up)
            x = convolved(bent(x).clamp(-256, 256), low_down, (0, 0), down=down)
    return x * 0.25


def mapping_tensors(normal, prefix, z_dim, c_dim, depth, *, w_dim=W):
    p = {}
    if c_dim:
        p |= {f"{prefix}embed.weight": normal(w_dim, c_dim), f"{prefix}embed.bias": normal(w_dim)}
    wide = z_dim + (w_dim if c_dim else 0)
    for k in range(depth):
        p[f"{prefix}fc{k}.weight"] = 100 * normal(w_dim, w_dim if k else wide)
        p[f"{prefix}fc{k}.bias"] = 30 * normal(w_dim)
    return p


SIZES = (4, 8, 16, 32)
BOX = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8


def wide2(size):
    return min(256 // size, 8)


def official2(rng, c_dim=0):
    def normal(*shape):
        return torch.randn(shape, generator=rng)

    p = mapping_tensors(normal, "mapping.", W, c_dim, 8) | {"mapping.w_avg": 0.3 * normal(W)}
    before = 0
    for size in SIZES:
        here, b = wide2(size), f"synthesis.b{size}"
        p[f"{b}.resample_filter"] = torch.outer(BOX, BOX)
        if not before:
            p[f"{b}.const"] = normal(here, size, size)
        for layer, inputs in (("conv0", before), ("conv1", here)):
            if inputs:
                p |= {
                    f"{b}.{layer}.affine.weight": normal(inputs, W),
                    f"{b}.{layer}.affine.bias": 1 + 0.2 * normal(inputs),
                    f"{b}.{layer}.weight": normal(here, inputs, 3, 3),
                    f"{b}.{layer}.bias": 0.3 * normal(here),
                    f"{b}.{layer}.noise_strength": 0.5 * normal(1)[0],
                    f"{b}.{layer}.noise_const": normal(size, size),
                    f"{b}.{layer}.resample_filter": torch.outer(BOX, BOX),
                }
        p |= {
            f"{b}.torgb.affine.weight": normal(here, W),
            f"{b}.torgb.affine.bias": 1 + 0.2 * normal(here),
            f"{b}.torgb.weight": normal(1, here, 1, 1),
            f"{b}.torgb.bias": 0.3 * normal(1),
        }
        before = here
    return {name: tensor.contiguous() for name, tensor in p.items()}


def pictures2(p, z, c):
    w = mapped(p, "mapping.", z, c, 8)
    x = p["synthesis.b4.const"].repeat(len(z), 1, 1, 1)
    picture = 0
    for size in SIZES:
        b = f"synthesis.b{size}"
        for layer in ("conv0", "conv1") if size > 4 else ("conv1",):
            weight, style = p[f"{b}.{layer}.weight"], linear(p, f"{b}.{layer}.affine", w)
            if layer == "conv0":  # zeros between samples, the kernel turned round, and the box
                n, channels, h, _ = x.shape
                zeros = x.new_zeros(n, channels, 2 * h - 1, 2 * h - 1)
                zeros[:, :, ::2, ::2] = x
                x = modulated(zeros, weight.flip(2, 3), style, 2)
                x = convolved(x, BOX, (1, 1)) * 4
            else:
                x = modulated(x, weight, style, 1)
            x = x + p[f"{b}.{layer}.noise_const"] * p[f"{b}.{layer}.noise_strength"]
            x = bent(x + p[f"{b}.{layer}.bias"][:, None, None]).clamp(-256, 256)
        style = linear(p, f"{b}.torgb.affine", w) / x.shape[1] ** 0.5
        added = modulated(x, p[f"{b}.torgb.weight"], style, 0, demodulate=False)
        added = (added + p[f"{b}.torgb.bias"][:, None, None]).clamp(-256, 256)
        picture = added if size == 4 else convolved(picture, BOX, (2, 1), up=2) + added
    return picture


def official_judge(rng, c_dim=0):
    def normal(*shape):
        return torch.randn(shape, generator=rng)

    last = wide2(4)
    p = mapping_tensors(normal, "mapping.", 0, c_dim, 8, w_dim=last) if c_dim else {}
    for size in SIZES[:0:-1]:
        here, after, b = wide2(size), wide2(size // 2), f"b{size}"
        if size == RESOLUTION:
            p |= {f"{b}.fromrgb.weight": normal(here, 1, 1, 1), f"{b}.fromrgb.bias": normal(here)}
        p |= {f"{b}.conv0.weight": normal(here, here, 3, 3), f"{b}.conv0.bias": normal(here)}
        p |= {f"{b}.conv1.weight": normal(after, here, 3, 3), f"{b}.conv1.bias": normal(after)}
        p[f"{b}.skip.weight"] = normal(after, here, 1, 1)
        p[f"{b}.conv0.resample_filter"] = torch.outer(BOX, BOX)
    p |= {"b4.conv.weight": normal(last, last + 1, 3, 3), "b4.conv.bias": normal(last)}
    p |= {"b4.fc.weight": normal(last, last * 16), "b4.fc.bias": normal(last)}
    outputs = last if c_dim else 1
    p |= {"b4.out.weight": normal(outputs, last), "b4.out.bias": normal(outputs)}
    return p


def judged(p, x, c):
    def conv(name, x, stride=1):
        weight = p[f"{name}.weight"]
        weight = weight / weight[0].numel() ** 0.5
        return functional.conv2d(
            x, weight, stride=stride, padding=weight.shape[2] // 2 * (stride == 1)
        )

    def layer(name, x, stride=1):
        return bent(conv(name, x, stride) + p[f"{name}.bias"][:, None, None]).clamp(-256, 256)

    x = layer(f"b{RESOLUTION}.fromrgb", x)
    for size in SIZES[:0:-1]:
        past = conv(f"b{size}.skip", convolved(x, BOX, (1, 1), down=2))
        x = layer(f"b{size}.conv0", x)
        x = (layer(f"b{size}.conv1", convolved(x, BOX, (2, 2)), 2) + past) / 2**0.5
    spread = (x.var(0, unbiased=False) + 1e-8).sqrt().mean()  # all four in one group
    x = layer("b4.conv", torch.cat([x, spread.expand(len(x), 1, 4, 4)], 1))
    x = linear(p, "b4.out", bent(linear(p, "b4.fc", x.flatten(1))))
    if c is None:
        return x.squeeze(1)
    labels = mapped(p, "mapping.", None, c, 8)
    return (x * labels).sum(1) / labels.shape[1] ** 0.5


# The tests


ENDS = {"img_resolution": RESOLUTION, "img_channels": 1, "z_dim": W, "w_dim": W}
RATE = {"mapping.fc0": {"bias_gain": 0.01}}


def attributes(c_dim, depth):
    return {"": ENDS | {"c_dim": c_dim}, "mapping": {"num_layers": depth}} | RATE


def options3(*, radial=False):
    chosen = {"channel_base": 256, "channel_max": 8, "num_layers": LAYERS, "margin_size": 4}
    chosen |= {"conv_kernel": 1, "use_radial_filters": True} if radial else {}
    return {"synthesis": chosen | {"magnitude_ema_beta": 0.999, "num_fp16_res": 4}}


OPTIONS2 = {"channel_base": 256, "channel_max": 8, "conv_clamp": 256}


def close(one, other):
    return (one - other).abs().max() < 1e-4 * other.abs().max()


@pytest.mark.parametrize(
    ("radial", "c_dim", "protocol"), [(False, 0, 3), (False, 3, 4), (True, 0, 4), (True, 3, 3)]
)
def test_pictures_of_stylegan3(pickled, rng, tmp_path, *, radial, c_dim, protocol):
    p = official3(rng, radial=radial, c_dim=c_dim)
    data = pickled(p, attributes(c_dim, 2), options3(radial=radial), protocol=protocol)
    (tmp_path / "official.pkl").write_bytes(data)
    convert(tmp_path / "official.pkl", tmp_path / "ours.safetensors")
    ours = load_generator(tmp_path / "ours.safetensors")
    z, c = torch.randn(3, W, generator=rng), torch.eye(3)[:, :c_dim] if c_dim else None
    expected = pictures3(p, z, c, radial=radial)
    assert expected.std() > 0.05  # there is something to see
    assert close(ours(z, c), expected)
    assert torch.equal(ours.w_average, p["mapping.w_avg"])
    assert ours.settings.cfg == ("stylegan3-r" if radial else "stylegan3-t")
    notes = json.loads(load_notes(tmp_path / "ours.safetensors")["origin"])
    assert notes == {"from": "official.pkl", "network": "G_ema"}


@pytest.mark.parametrize("c_dim", [0, 3])
def test_pictures_of_stylegan2(pickled, rng, c_dim):
    p = official2(rng, c_dim)
    ours = network_of(pickled(p, attributes(c_dim, 8), {"synthesis": OPTIONS2}))
    z, c = torch.randn(3, W, generator=rng), torch.eye(3)[:, :c_dim] if c_dim else None
    assert ours.settings.cfg == "stylegan2"
    assert close(ours(z, c), pictures2(p, z, c))


@pytest.mark.parametrize("c_dim", [0, 3])
def test_logits_of_the_discriminator(pickled, rng, tmp_path, c_dim):
    p = official_judge(rng, c_dim)
    told = {"": ENDS | {"c_dim": c_dim}, "mapping": {"num_layers": 8}}
    p["b4.mbstd.transform"] = torch.eye(3)  # makes the module, which has no tensors
    told["b4.mbstd"] = {"group_size": 4, "num_channels": 1}
    (tmp_path / "d.pkl").write_bytes(pickled(p, told, {"": OPTIONS2}, name="D"))
    convert(tmp_path / "d.pkl", tmp_path / "d.safetensors", "D")
    ours = load_discriminator(tmp_path / "d.safetensors")
    x = torch.randn(4, 1, RESOLUTION, RESOLUTION, generator=rng)
    c = torch.eye(3)[[0, 1, 2, 0]] if c_dim else None
    assert close(ours(x, c), judged(p, x, c))


def change(name, value):
    def changed(p, told, options):
        p[name] = value(p[name]) if name in p else value(None)

    return changed


def option(name, value):
    def changed(p, told, options):
        options["synthesis"][name] = value

    return changed


def attribute(name, value):
    def changed(p, told, options):
        told[""] = told[""] | {name: value}

    return changed


FIRST = "synthesis.L0_24_8"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (change("synthesis.extra", lambda _: torch.zeros(1)), "'synthesis.extra' has no place"),
        (change("synthesis.L0_25_8.bias", lambda _: torch.zeros(8)), "bias' has no place"),
        (change(f"{FIRST}.weight", lambda t: t[:-1]), "do not fit"),
        (change(f"{FIRST}.up_filter", lambda t: t.flip(0) * 1.01), "not the filter"),
        (change("synthesis.input.transform", lambda t: 2 * t), "its input is moved"),
        (option("use_radial_filters", True), "do not go with its filters"),
        (option("num_layers", 10**9), "out of bounds"),
        (option("channel_base", "many"), "out of bounds"),
        (option("lens", 1), "made with 'lens'"),
        (attribute("img_resolution", 48), "48 pixels across"),
        (attribute("img_resolution", 10**30), "out of bounds"),
        (attribute("z_dim", None), "z_dim of Generator is no whole number"),
    ],
)
def test_what_would_make_other_pictures_is_refused(pickled, rng, changed, message):
    p, told, options = official3(rng), attributes(0, 2), options3()
    assert f"{FIRST}.weight" in p
    changed(p, told, options)
    with pytest.raises(RefusedError, match=message):
        network_of(pickled(p, told, options))


def test_the_command(pickled, rng, tmp_path, capsys):
    official, out = tmp_path / "o.pkl", tmp_path / "o.safetensors"
    official.write_bytes(pickled(official3(rng), attributes(0, 2), options3()))
    words = ["weights", "convert", str(official), str(out)]
    app([*words, "--json"], result_action="return_value")
    told = json.loads(capsys.readouterr().out)
    assert (told["cfg"], told["resolution"], told["path"]) == ("stylegan3-t", 32, str(out))
    app(words, result_action="return_value")
    assert capsys.readouterr().out.startswith("stylegan3-t, 32 px, 1 channels, ")
    with pytest.raises(NetworkError, match="it holds no D"):
        app([*words, "--network", "D"], result_action="return_value")
    with pytest.raises(NetworkError, match="no such file"):
        convert(tmp_path / "none.pkl", out)
