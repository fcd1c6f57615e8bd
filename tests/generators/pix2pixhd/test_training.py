from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from generators.pix2pixhd.encoder import EncoderSettings  # noqa: E402
from generators.pix2pixhd.losses import feature_matching, least_squares  # noqa: E402
from generators.pix2pixhd.settings import GeneratorSettings, Inputs  # noqa: E402
from generators.pix2pixhd.steps import step  # noqa: E402
from generators.pix2pixhd.training import (  # noqa: E402
    Batch,
    TrainingSettings,
    made,
    start,
)
from generators.training.processes import together  # noqa: E402

SETTINGS = TrainingSettings(epoch=4, lr=0.002, ndf=4, n_layers_d=2)
GENERATOR = GeneratorSettings(3, 1, ngf=4, n_downsample_global=1, n_blocks_global=1)


def begun(settings=SETTINGS, generator=GENERATOR, inputs=Inputs(2), **more):  # noqa: B008 - frozen
    return start(settings, inputs, generator, **more)


def batch_of(seed, n=2, side=16):
    """Discs, bright where the label is 1."""
    rng = np.random.default_rng(seed)
    y, x = np.indices((side, side))
    labels = np.zeros((n, 1, side, side), np.int64)
    for k in range(n):
        at = rng.uniform(4, side - 4, 2)
        labels[k, 0] = np.hypot(y - at[0], x - at[1]) < rng.uniform(3, 5)
    real = torch.from_numpy(labels).float() * 1.2 - 0.6
    return Batch(torch.from_numpy(labels), torch.from_numpy(labels), real)


def weights(network):
    return {name: value.clone() for name, value in network.state_dict().items()}


def changed(before, network):
    return {name for name, value in network.state_dict().items() if not before[name].equal(value)}


def test_the_figures_of_the_first_step_are_the_losses_by_hand():
    training = begun()
    batch = batch_of(0)
    label = torch.cat([1 - batch.given, batch.given], 1).float()
    edge = torch.zeros_like(label[:, :1])
    inside = batch.given[:, 0]
    for y in range(16):
        for x in range(16):
            for b, a in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                if 0 <= b < 16 and 0 <= a < 16:
                    edge[:, 0, y, x] += inside[:, y, x] != inside[:, b, a]
    seen = torch.cat([label, (edge > 0).float()], 1)
    with torch.no_grad():
        fake = training.generator(seen)
        judged_fake = training.discriminator(torch.cat([seen, fake], 1))
        judged_real = training.discriminator(torch.cat([seen, batch.real], 1))
        by_hand = {
            "G_GAN": least_squares(judged_fake, True),
            "G_GAN_Feat": 10 * feature_matching(judged_fake, judged_real),
            "D_real": least_squares(judged_real, True),
            "D_fake": least_squares(judged_fake, False),
        }
    figures = step(training, batch)
    assert figures == {k: pytest.approx(v.item(), rel=1e-5) for k, v in by_hand.items()}
    assert (training.steps, training.pictures) == (1, 2)


def test_options_leave_losses_out():
    plain = replace(SETTINGS, matching=False, least_squares=False, pool_size=2)
    training = begun(plain)
    for k in range(3):
        figures = step(training, batch_of(k))
    assert set(figures) == {"G_GAN", "D_real", "D_fake"}
    assert len(training.pool.held) == 2


@pytest.mark.training
def test_a_small_network_learns_a_simple_picture():
    training = begun(replace(SETTINGS, niter=1000))
    unseen = batch_of(99, n=4)
    before = (made(training, unseen) - unseen.real).abs().mean().item()
    for k in range(120):
        step(training, batch_of(k))
    after = (made(training, unseen) - unseen.real).abs().mean().item()
    assert after < before / 4
    assert after < 0.15


def test_at_first_only_the_outermost_enhancer_learns():
    local = GeneratorSettings(3, 1, "local", 4, 1, 1, n_local_enhancers=2, n_blocks_local=1)
    training = begun(replace(SETTINGS, niter_fix_global=1), local)
    batch = batch_of(0)
    for _ in range(2):
        before = weights(training.generator)
        step(training, batch)
        assert {name.split("_")[0] for name in changed(before, training.generator)} == {"model2"}
    before = weights(training.generator)
    step(training, batch)
    assert {"model.1.weight", "model1_1.1.weight"} <= changed(before, training.generator)


def test_the_encoder_learns_with_the_generator():
    generator = replace(GENERATOR, input_nc=5)
    encoder = EncoderSettings(1, 2, 4, 1)
    training = begun(generator=generator, inputs=Inputs(2, feat_num=2), encoder=encoder)
    before = weights(training.encoder)
    step(training, batch_of(0))
    assert any(name.endswith("weight") for name in changed(before, training.encoder))
    by_label = Inputs(2, feat_num=2, label_feat=True)
    training = begun(generator=generator, inputs=by_label, encoder=encoder)
    step(training, replace(batch_of(0), instances=torch.arange(256).view(1, 1, 16, 16)[[0, 0]]))


def test_16_bits_learn_too():
    training = begun(replace(SETTINGS, precision="bfloat16"))
    whole = begun()
    for k in range(2):
        figures, exact = step(training, batch_of(k)), step(whole, batch_of(k))
        assert figures["D_real"] == pytest.approx(exact["D_real"], rel=0.1)
    assert all(p.dtype == torch.float32 for p in training.generator.parameters())


def test_gradients_of_half_precision_are_scaled():
    training = begun(replace(SETTINGS, precision="float16"))
    before = weights(training.generator)
    for _ in range(8):  # the first ones are too large, and are left out
        step(training, batch_of(0))
        if changed(before, training.generator):
            break
    assert 1 < training.scaler.get_scale() < 2**16
    assert changed(before, training.generator)


OTHER = """
import sys, torch
sys.path.insert(0, {folder!r})
torch.set_num_threads(1)
import test_training
test_training.shared()
"""


def shared():
    """Do two steps as one of the processes that the environment tells of."""
    with together("cpu") as (processes, _):
        training = begun(processes=processes)
        return training, [step(training, batch_of(k, n=4)) for k in range(2)]


@pytest.mark.slow
def test_two_processes_take_the_step_that_one_takes(monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for name, value in {"WORLD_SIZE": 2, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}.items():
        monkeypatch.setenv(name, str(value))
    program = OTHER.format(folder=os.path.dirname(__file__))  # noqa: PTH120
    places = [{"RANK": rank, "LOCAL_RANK": rank} for rank in "01"]
    other = subprocess.Popen([sys.executable, "-c", program], env=os.environ | places[1])
    for name, value in places[0].items():
        monkeypatch.setenv(name, value)
    training, figures = shared()
    assert other.wait(timeout=300) == 0
    whole = begun()
    for one, k in zip(figures, range(2), strict=True):
        alone = step(whole, batch_of(k, n=4))
        assert one == {name: pytest.approx(value, rel=1e-4) for name, value in alone.items()}
    # Moments, not weights: what a norm cancels has gradients of rounding alone, which Adam makes
    # steps of.
    first, second = (
        torch.cat([s["exp_avg"].flatten() for s in t.generator_adam.state.values()])
        for t in (training, whole)
    )
    assert (first - second).abs().max() < 1e-4 * second.abs().max()
