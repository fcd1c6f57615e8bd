from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from PIL import Image  # noqa: E402

from benchmark.errors import RunError  # noqa: E402
from generators.pix2pixhd import files  # noqa: E402
from generators.pix2pixhd.encoder import EncoderSettings  # noqa: E402
from generators.pix2pixhd.examples import Examples  # noqa: E402
from generators.pix2pixhd.folders import open_source  # noqa: E402
from generators.pix2pixhd.greys import Greys  # noqa: E402
from generators.pix2pixhd.learner import TextureLearner  # noqa: E402
from generators.pix2pixhd.resizing import Resizing  # noqa: E402
from generators.pix2pixhd.settings import GeneratorSettings, Inputs  # noqa: E402
from generators.pix2pixhd.training import TrainingSettings, start  # noqa: E402
from generators.training import loop  # noqa: E402
from generators.training.processes import ALONE  # noqa: E402

SPAN = loop.Span(kimg=0.012, tick=0.003, snap=1)


@pytest.fixture
def learner(paired):
    source = open_source(paired())

    def made(ngf=4, **settings):
        inputs = Inputs(3, feat_num=2)
        generator = GeneratorSettings(inputs.channels, 3, "global", ngf, 1, 1, norm="batch")
        examples = Examples(
            source, inputs, 3, Resizing("crop", 0, 16, 4), Greys(), Greys(), flip=True
        )
        given = {
            "ndf": 4,
            "num_d": 1,
            "n_layers_d": 1,
            "pool_size": 2,
            "niter": 2,
            "niter_decay": 2,
        }
        training = start(
            TrainingSettings(epoch=3, **(given | settings)),
            inputs,
            generator,
            EncoderSettings(3, 2, 4, 2, "batch"),
        )
        return TextureLearner(training, examples, 1, notes={"who": "me"}, save_every=2, workers=1)

    return made


class Stopped(Exception):  # noqa: N818 - no error
    pass


def test_what_a_training_leaves(learner, tmp_path):
    folder = tmp_path / "out"
    loop.train(learner(), folder, SPAN, ALONE)
    names = {path.name for path in folder.iterdir()}
    assert names == {
        *(f"{which}_net_{x}.safetensors" for which in ("latest", "2", "4") for x in "GDE"),
        *(f"fakes-epoch-{k:04d}.png" for k in range(5)),
        "checkpoint.safetensors",
        "stats.jsonl",
    }
    assert np.asarray(Image.open(folder / "fakes-epoch-0004.png")).shape == (3 * 16, 3 * 16, 3)
    network, about = files.load_generator(folder / "4_net_G.safetensors")
    assert network.settings.norm == "batch"
    assert (about["who"], about["epochs"], about["pictures"]) == ("me", 4, 12)
    assert files.load_encoder(folder / "latest_net_E.safetensors").settings.feat_num == 2


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_interrupted_and_continued_it_ends_in_the_same_bytes(learner, tmp_path, precision):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    loop.train(learner(precision=precision), whole, SPAN, ALONE)

    def stop(done, _count):
        if done == 8:
            raise Stopped

    with pytest.raises(Stopped):
        loop.train(learner(precision=precision), parts, SPAN, ALONE, loop.Watch(step=stop))
    assert (parts / "2_net_G.safetensors").exists()
    assert not (parts / "4_net_G.safetensors").exists()
    loop.train(learner(precision=precision), parts, SPAN, ALONE)
    assert {p.name for p in parts.iterdir()} == {p.name for p in whole.iterdir()}
    for path in whole.iterdir():
        if path.suffix != ".jsonl":
            assert path.read_bytes() == (parts / path.name).read_bytes(), path.name


def test_a_checkpoint_of_another_training_is_refused(learner):
    with pytest.raises(RunError, match="another training"):
        learner(ngf=8).restore(learner().checkpoint())


def test_representative_codes_are_of_the_labels(learner):
    centres = learner().representative(2)
    assert set(centres) == {0, 1, 2}
    assert all(rows.shape[1] == 2 and len(rows) <= 2 for rows in centres.values())
