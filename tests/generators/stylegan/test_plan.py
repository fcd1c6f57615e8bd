from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")

from benchmark.errors import RunError
from generators.stylegan.options import Options
from generators.stylegan.plan import (
    Subject,
    discriminator_settings,
    generator_settings,
    resolved,
    training_settings,
)
from generators.stylegan.settings import GeneratorSettings

SUBJECT = Subject(resolution=32)
OPEN = {"gamma_final", "d_cbase", "d_cmax"}  # may stay open: none, or as the generator's


def test_nothing_is_left_open():
    made = resolved(Options(), SUBJECT)
    assert {f.name for f in fields(made) if getattr(made, f.name) is None} == OPEN


def test_what_is_resolved_stays():
    made = resolved(Options(cfg="stylegan3-r", batch=32), SUBJECT)
    assert resolved(made, SUBJECT) == made


def test_what_is_given_is_kept():
    given = Options(
        gamma=7.0, cbase=64, cmax=8, z_dim=5, num_layers=4, pl_weight=0.0, ema_rampup=0.0
    )
    made = resolved(replace(given, cfg="stylegan2"), SUBJECT)
    for name in ("gamma", "cbase", "cmax", "z_dim", "num_layers", "pl_weight", "ema_rampup"):
        assert getattr(made, name) == getattr(given, name)
    assert made.w_dim == 5


def test_configurations_have_the_originals_defaults():
    t = resolved(Options(cfg="stylegan3-t"), SUBJECT)
    assert (t.glr, t.dlr, t.map_depth, t.mixing, t.pl_weight, t.blur_sigma) == (
        0.0025,
        0.002,
        2,
        0.0,
        0.0,
        0.0,
    )
    old = resolved(Options(cfg="stylegan2"), SUBJECT)
    assert (old.glr, old.map_depth, old.mixing, old.pl_weight) == (0.002, 8, 0.9, 2.0)
    assert resolved(Options(cfg="stylegan3-r"), Subject(256)).blur_sigma == 10.0


def test_gamma_follows_the_papers_heuristic():
    """0.0002 N² / M: what the paper's appendix has for 256 px and 64 pictures is 0.2048."""
    assert resolved(Options(batch=64), Subject(256)).gamma == pytest.approx(0.2048)


def test_fine_tuning_takes_sizes_from_the_network_and_goes_gently():
    network = GeneratorSettings(
        32, cbase=100, cmax=20, z_dim=7, w_dim=9, num_layers=5, margin_size=4
    )
    subject = replace(SUBJECT, network=network)
    made = resolved(Options(), subject)
    assert (made.cbase, made.cmax, made.z_dim, made.w_dim) == (100, 20, 7, 9)
    assert (made.num_layers, made.margin_size, made.map_depth) == (5, 4, 2)
    assert (made.ada_kimg, made.ema_rampup) == (100.0, 0.0)
    assert generator_settings(made, subject) == replace(network, mapping_depth=2)
    assert training_settings(made, 1.0).ema_rampup is None
    rotated = replace(SUBJECT, network=replace(network, cfg="stylegan3-r"))
    assert resolved(Options(), rotated).cfg == "stylegan3-r"
    assert resolved(Options(), rotated).blur_sigma == 0.0


def test_settings_have_what_the_options_say():
    options = resolved(
        Options(
            gamma=0.3,
            gamma_final=0.01,
            aug="fixed",
            p=0.4,
            augpipe="bg",
            mbstd_group=2,
            freezed=3,
            d_cbase=64,
            d_cmax=10,
            seed=5,
            map_rate=0.1,
        ),
        SUBJECT,
    )
    training = training_settings(options, 30.0)
    assert (training.gamma, training.gamma_final, training.gamma_kimg) == (0.3, 0.01, 30.0)
    assert (training.augmentation.p, training.augmentation.target) == (0.4, None)
    assert (training.augmentation.pipe, training.freezed, training.seed) == ("bg", 3, 5)
    judge = discriminator_settings(options, SUBJECT)
    assert (judge.group, judge.cbase, judge.cmax) == (2, 64, 10)
    generator = generator_settings(options, SUBJECT)
    assert (generator.cbase, generator.cmax, generator.mapping_rate) == (512, 64, 0.1)


def test_augmentations_are_adapted_fixed_or_none():
    def of(**given):
        return training_settings(resolved(Options(**given), SUBJECT), 1.0).augmentation

    assert of(aug="noaug") is None
    assert (of(aug="ada", target=0.7).p, of(aug="ada", target=0.7).target) == (0.0, 0.7)
    assert (of(aug="fixed").p, of(aug="fixed").target) == (0.2, None)


def test_colours_are_left_where_values_are_lengths():
    assert resolved(Options(), replace(SUBJECT, distances=True)).augpipe == "bg"
    assert resolved(Options(), SUBJECT).augpipe == "bgc"


def test_classes_are_learned_where_they_are_asked_for():
    subject = replace(SUBJECT, c_dim=3)
    assert generator_settings(resolved(Options(cond=True), subject), subject).c_dim == 3
    assert generator_settings(resolved(Options(), subject), subject).c_dim == 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"batch": 6, "batch_gpu": 4}, "no multiple of 4"),
        ({"batch": 0}, "--batch 0 is below 1"),
        ({"batch": 8, "batch_gpu": -4}, "no multiple"),
        ({"cond": True}, "no classes"),
        ({"p": 1.5}, "--p 1.5 is not between 0 and 1"),
        ({"target": -0.5}, "--target -0.5"),
        ({"glr": 0.0}, "--glr 0 is not above 0"),
        ({"r1_every": 0}, "--r1-every 0"),
        ({"gamma": -1.0}, "--gamma -1 is below 0"),
        ({"gamma": 0.0, "gamma_final": 0.1}, "no weight"),
        ({"ema_rampup": 2.0}, "--ema-rampup"),
    ],
)
def test_what_cannot_be_is_refused_by_name(given, said):
    with pytest.raises(RunError, match=said):
        resolved(Options(**given), SUBJECT)


def test_processes_have_to_divide_the_batch():
    with pytest.raises(RunError, match="no multiple"):
        resolved(Options(batch=8), replace(SUBJECT, processes=3))
    assert resolved(Options(batch=8), replace(SUBJECT, processes=2)).batch_gpu == 4


@pytest.mark.parametrize("given", [{"cbase": 10**9}, {"num_layers": 1}, {"margin_size": 10**6}])
def test_networks_out_of_their_limits_are_refused(given):
    with pytest.raises(RunError, match="such networks cannot be made"):
        generator_settings(resolved(Options(**given), SUBJECT), SUBJECT)


@given(
    resolution=st.integers(8, 1024),
    cfg=st.sampled_from(["stylegan3-t", "stylegan3-r", "stylegan2"]),
)
def test_every_resolution_has_networks(resolution, cfg):
    subject = Subject(resolution)
    options = resolved(Options(cfg=cfg), subject)
    assert generator_settings(options, subject).resolution == resolution
    assert discriminator_settings(options, subject).resolution == resolution
