from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("torch")

from benchmark.errors import RunError
from generators.pix2pixhd.folders import open_source
from generators.pix2pixhd.options import (
    InputOptions,
    LearningOptions,
    NetworkOptions,
)
from generators.pix2pixhd.plan import check, planned


@pytest.fixture(scope="module")
def builtin():
    return open_source("builtin", split="val", most=2)


def test_defaults_of_folders_are_the_originals(paired):
    plan = planned(InputOptions(), NetworkOptions(), open_source(paired()))
    assert plan.inputs.label_nc == 35
    assert plan.generator.input_nc == 36
    assert (plan.generator.output_nc, plan.generator.ngf, plan.generator.multiple) == (3, 64, 16)
    assert plan.resizing.mode == "scale_width"
    assert (plan.resizing.load_size, plan.resizing.fine_size) == (1024, 512)
    assert plan.encoder is None


def test_defaults_of_a_data_set_follow_its_images(builtin):
    plan = planned(InputOptions(), NetworkOptions(n_downsample_global=3), builtin)
    assert (plan.inputs.label_nc, plan.generator.input_nc, plan.generator.output_nc) == (2, 3, 1)
    assert (plan.resizing.mode, plan.resizing.fine_size) == ("crop", 256)


def test_codes_are_channels_of_the_generator_alone(builtin):
    options = InputOptions(instance_feat=True, feat_num=2, n_downsample_e=5)
    plan = planned(options, NetworkOptions(net_g="local", norm="batch"), builtin)
    assert (plan.inputs.conditions, plan.generator.input_nc) == (3, 5)
    assert plan.encoder.feat_num == 2
    assert plan.encoder.norm == "batch"
    assert plan.resizing.multiple == 32


@pytest.mark.parametrize(
    ("inputs", "networks", "said"),
    [
        ({"fine_size": 100}, {}, "--fineSize 100 is no multiple of 16"),
        ({"fine_size": 16}, {}, "--fineSize 16"),
        (
            {"resize_or_crop": "scale_width", "load_size": 20},
            {},
            "--loadSize 20 is below 32",
        ),
        (
            {"resize_or_crop": "resize_and_crop", "load_size": 64, "fine_size": 128},
            {},
            "--fineSize 128 is larger than --loadSize 64",
        ),
        ({"label_feat": True, "label_nc": 0}, {}, "label_feat"),
        ({}, {"ngf": 0}, "ngf = 0"),
    ],
)
def test_what_cannot_be_is_said(builtin, inputs, networks, said):
    with pytest.raises(RunError, match=said):
        planned(InputOptions(**inputs), NetworkOptions(**networks), builtin)


def test_pictures_have_no_labels(paired):
    root = paired()
    (root / "train_label").rename(root / "train_A")
    with pytest.raises(RunError, match="no real pictures"):
        planned(InputOptions(), NetworkOptions(), open_source(root))
    (root / "train_img").rename(root / "train_B")
    source = open_source(root)
    assert planned(InputOptions(input_nc=1), NetworkOptions(), source).generator.input_nc == 2
    with pytest.raises(RunError, match="which have no labels"):
        planned(InputOptions(label_nc=3), NetworkOptions(), source)


@pytest.mark.parametrize(
    ("learning", "networks", "processes", "said"),
    [
        ({"lr": 0.0}, {}, 1, "--lr 0"),
        ({"batch_size": 0}, {}, 1, "--batchSize 0"),
        ({"pool_size": -1}, {}, 1, "--pool_size -1"),
        ({"beta1": 1.0}, {}, 1, "--beta1 1"),
        ({}, {"num_d": 0}, 1, "--num_D 0"),
        ({"fp16": True, "bf16": True}, {}, 1, "exclude"),
        ({"niter_fix_global": 2}, {}, 1, "for enhancers"),
        ({"batch_size": 3}, {}, 2, "no multiple of 2 processes"),
        ({"pool_size": 4, "batch_size": 2}, {}, 2, "for one process"),
    ],
)
def test_learning_that_cannot_be_is_said(learning, networks, processes, said):
    whole = replace(LearningOptions(), **learning)
    with pytest.raises(RunError, match=said):
        check(whole, NetworkOptions(**networks), processes)
