"""From recipe to data set: the plan, its order, the same bytes with any number of workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from scipy import ndimage

from benchmark.dataset import Dataset, verify
from benchmark.errors import DatasetError
from generators.generate import generate, make, plan, settle
from generators.recipe import load, parse
from generators.sections import SECTIONS, dials_of

SMALL = {
    "name": "small",
    "version": "1.0.0",
    "size": 64,
    "splits": {"train": 2, "test": 3},
    "nuclei": {"diameter": {"min": 10, "max": 14}},
    "optics": {"snr": {"min": 4, "max": 30, "scale": "log"}},
}


def recipe(**more):
    return parse({**SMALL, **more})


def test_plan_names_every_sample():
    tasks = plan(recipe(), 0)
    assert [t.id for t in tasks] == [
        "train-0000",
        "train-0001",
        "test-0000",
        "test-0001",
        "test-0002",
    ]
    assert len({t.seed.number for t in tasks}) == 5


def test_a_sweep_renders_each_scene_at_each_level():
    tasks = plan(recipe(splits={"test": 2}, sweep={"snr": [2, 4.5], "blur": [0]}), 0)
    assert [t.id for t in tasks][:3] == ["test-0000-snr2", "test-0000-snr4.5", "test-0000-blur0"]
    assert [t.scene for t in tasks] == ["test-0000"] * 3 + ["test-0001"] * 3
    assert len({t.seed for t in tasks}) == 2


def test_more_scenes_leave_those_there():
    few, many = (plan(recipe(splits={"test": n}), 0) for n in (2, 5))
    assert many[:2] == few
    assert (make(recipe(), few[1]).image == make(recipe(), many[1]).image).all()


def test_another_seed_and_another_name_are_other_scenes():
    seeds = {plan(recipe(name=name), seed)[0].seed.number for name in "ab" for seed in (0, 1)}
    assert len(seeds) == 4


def test_variants_come_as_often_as_their_weights_say():
    kinds = [{"name": "a", "weight": 3}, {"name": "b"}, {"name": "c", "weight": 0.5}]
    made = plan(recipe(splits={"test": 18}, variants=kinds), 0)
    names = [t.variant.name for t in made]
    assert [names.count(k) for k in "abc"] == [12, 4, 2]
    assert set(names[:5]) == {"a", "b", "c"} or names[:4].count("a") == 3


def test_factors_hold_what_was_drawn():
    task = plan(recipe(), 0)[0]
    settings, factors = settle(recipe(), task)
    assert factors["snr"] == settings.optics.snr
    assert 4 <= factors["snr"] <= 30
    assert factors["haze_radius"] == 8.0
    assert "count" not in factors
    assert "inside" not in factors
    given = settle(recipe(layout={"count": 3}), task)[1]
    assert given["count"] == 3.0


def test_a_fixed_dial_leaves_the_others_as_drawn():
    task = plan(recipe(), 0)[0]
    drawn = settle(recipe(), task)[1]
    fixed = settle(recipe(optics={"snr": 9}), task)[1]
    assert fixed["snr"] == 9
    assert fixed["diameter"] == drawn["diameter"]


def test_sizes_are_drawn_from_the_choices():
    many = recipe(size={"choices": [48, [32, 64]]}, splits={"test": 12})
    shapes = [settle(many, task)[0].shape for task in plan(many, 0)]
    assert set(shapes) == {(48, 48), (32, 64)}


@pytest.mark.parametrize("dial", ["snr", "blur", "illumination", "background", "texture"])
def test_a_sweep_is_paired(dial):
    levels = [0.3, 0.6]
    swept = recipe(splits={"test": 1}, sweep={dial: levels})
    a, b = (make(swept, task) for task in plan(swept, 0))
    assert a.scene == b.scene
    assert a.seed == b.seed
    assert (a.labels["nuclei"] == b.labels["nuclei"]).all()
    outlines = zip(a.objects["outline"], b.objects["outline"], strict=True)
    assert all((x == y).all() for x, y in outlines)
    assert (a.image != b.image).any()
    differing = {k for k in a.factors if a.factors[k] != b.factors[k]}
    assert differing <= {dial, "level", "gain"}
    assert [a.factors["level"], b.factors["level"]] == levels
    assert a.factors["factor"] == dial


def test_a_sweep_of_the_cells_keeps_the_nuclei():
    swept = recipe(cells={}, splits={"test": 1}, sweep={"reach": [0.2, 0.8]})
    a, b = (make(swept, task) for task in plan(swept, 0))
    assert (a.labels["nuclei"] == b.labels["nuclei"]).all()
    assert (a.labels["cells"] > 0).sum() < (b.labels["cells"] > 0).sum()


def test_a_written_set_reads_back(tmp_path):
    generate(recipe(cells={}, spots={}), tmp_path / "set", workers=1)
    made = Dataset.open(tmp_path / "set")
    assert made.manifest.targets == ("nuclei", "cells")
    assert made.manifest.channels == ("dna", "cell", "spots")
    assert made.manifest.splits == {"test": 3, "train": 2}
    assert made.manifest.recipe.content["seed"] == 0
    sample = make(recipe(cells={}, spots={}), plan(recipe(cells={}, spots={}), 0)[3])
    assert (made.read_image("test-0001") == sample.image).all()
    assert (made.read_labels("test-0001", target="cells") == sample.labels["cells"]).all()
    rows = made.objects[made.objects["sample"] == "test-0001"]
    assert len(rows) == len(sample.objects)
    assert {"contrast", "snr", "gap", "touching", "hidden", "parent", "outline"} <= set(rows)
    nuclei = rows[rows["target"] == "nuclei"]
    assert nuclei[["contrast", "snr", "hidden", "parent"]].notna().all().all()
    assert len(made.spots) > 0
    assert made.samples["snr"].between(4, 30).all()


@pytest.mark.slow  # two interpreters start
def test_the_digest_does_not_depend_on_the_workers(tmp_path):
    for workers in (1, 2):
        generate(recipe(), tmp_path / str(workers), workers=workers)
    one, two = (Dataset.open(tmp_path / str(n)) for n in (1, 2))
    assert one.digest == two.digest


def test_another_seed_is_another_set(tmp_path):
    for seed in (0, 1):
        generate(recipe(), tmp_path / str(seed), seed=seed, workers=1)
    one, other = (Dataset.open(tmp_path / str(seed)) for seed in (0, 1))
    assert other.digest != one.digest
    assert (one.name, other.name) == ("small", "small-seed1")


def test_progress_is_told(tmp_path):
    told = []
    generate(
        recipe(),
        tmp_path / "set",
        workers=1,
        done=lambda finished, total: told.append((finished, total)),
    )
    assert told == [(n, 5) for n in range(1, 6)]


def test_an_existing_folder_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("here")
    with pytest.raises(DatasetError):
        generate(recipe(), tmp_path, workers=1)
    assert (tmp_path / "mine.txt").read_text() == "here"


def test_an_empty_scene_among_others_can_be_written(tmp_path):
    kinds = [{"name": "some"}, {"name": "none", "layout": {"density": 0}}]
    generate(recipe(variants=kinds), tmp_path / "set", workers=1)
    made = Dataset.open(tmp_path / "set")
    assert (made.samples.loc[made.samples["variant"] == "none", "n_nuclei"] == 0).all()
    assert made.read_labels("train-0001").max() == 0


def anything(rng):
    """A recipe with dials turned anywhere within their limits, often to the end."""
    document = {**SMALL, "size": 48, "splits": {"test": 1}, "pixel_size_um": 0.3}
    calm = {"diameter": 40, "count": 40, "offset": 10, "spots_per_object": 30}
    calm |= {"numerical_aperture": 0.95, "defocus": 10, "wavelength": 700}
    for section in SECTIONS:
        settings = {}
        for dial, about in dials_of(section).items():
            if rng.random() < 0.4 or dial in {"painter", "fields"}:
                continue  # what needs networks has tests of its own
            if "options" in about:
                words = [word for word in about["options"] if word != "stylegan3"]
                settings[dial] = str(rng.choice(words))
                continue
            low, high = max(about["low"], 8 if dial == "bit_depth" else 0), about["high"]
            high = min(high, calm.get(dial, high))
            settings[dial] = float(rng.choice([low, high, low + (high - low) * rng.random() ** 3]))
        document[section] = settings
    return parse(document)


@pytest.mark.parametrize("seed", range(8))
def test_any_recipe_within_the_limits_makes_sound_samples(seed):
    made = anything(np.random.default_rng(seed))
    sample = make(made, plan(made, seed)[0])
    assert sample.image.dtype == np.uint16
    assert sample.image.max() < 2 ** round(sample.factors["bit_depth"])
    assert np.isfinite(sample.objects[["contrast", "snr", "outline_area"]]).all().all()
    nuclei = sample.objects[sample.objects["target"] == "nuclei"]
    assert (nuclei["hidden"] <= sample.factors["max_hidden"] + 1e-6).all()
    for label in nuclei["label"]:
        assert ndimage.label(sample.labels["nuclei"] == label)[1] == 1


def killed(tmp_path, document, out, workers):
    """Start a generation, kill it once some samples are finished, and see that all of it ended."""
    command = [sys.executable, "-c", "from benchmark.cli import main; main()", "generate"]
    running = subprocess.Popen(
        [*command, str(document), "--out", str(out), "--workers", str(workers)],
        start_new_session=True,
    )
    while len(list(tmp_path.glob(".set.*/.under-way/records/*.json"))) < 2:
        assert running.poll() is None
        time.sleep(0.05)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    assert not out.exists()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            os.killpg(running.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    pytest.fail("a worker outlived its parent")


@pytest.mark.kill
@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_run_leaves_no_set_and_no_process_and_continues(tmp_path, workers):
    document = tmp_path / "few.toml"
    document.write_text('name = "small"\nversion = "1.0.0"\nsize = 160\n[splits]\ntest = 20\n')
    out = tmp_path / "set"
    killed(tmp_path, document, out, workers)
    few = load(document)
    assert 2 <= generate(few, out, workers=1) < 20
    assert generate(few, tmp_path / "whole", workers=1) == 0
    one, other = Dataset.open(out), Dataset.open(tmp_path / "whole")
    assert one.digest == other.digest
    assert verify(out) == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["few.toml", "set", "whole"]
    assert sorted(p.name for p in out.iterdir()) == sorted(p.name for p in other.path.iterdir())


class Stop(Exception):  # noqa: N818 - what it stands for is a user's Ctrl-C
    pass


def stop_after(number):
    def tell(finished, _):
        if finished == number:
            raise Stop

    return tell


def test_an_interrupted_generation_continues(tmp_path, monkeypatch):
    with pytest.raises(Stop):
        generate(recipe(), tmp_path / "set", workers=1, done=stop_after(3))
    assert not (tmp_path / "set").exists()
    made = []
    monkeypatch.setattr(
        "generators.generate.make", lambda r, task: made.append(task.id) or make(r, task)
    )
    assert generate(recipe(), tmp_path / "set", workers=1) == 3
    assert made == ["test-0001", "test-0002"]
    generate(recipe(), tmp_path / "whole", workers=1)
    assert Dataset.open(tmp_path / "set").digest == Dataset.open(tmp_path / "whole").digest
    assert sorted(p.name for p in tmp_path.iterdir()) == ["set", "whole"]


@pytest.mark.parametrize("other", [{"seed": 1}, {"recipe": recipe(optics={"blur": 3})}])
def test_what_another_recipe_or_seed_left_is_not_taken(tmp_path, other):
    with pytest.raises(Stop):
        generate(recipe(), tmp_path / "set", workers=1, done=stop_after(3))
    wanted = {"recipe": recipe(), **other}
    assert generate(out=tmp_path / "set", workers=1, **wanted) == 0
    generate(out=tmp_path / "whole", workers=1, **wanted)
    assert Dataset.open(tmp_path / "set").digest == Dataset.open(tmp_path / "whole").digest


def test_what_another_version_of_the_code_left_is_not_taken(tmp_path, monkeypatch):
    with pytest.raises(Stop):
        generate(recipe(), tmp_path / "set", workers=1, done=stop_after(3))
    monkeypatch.setattr("generators.generate.maker", lambda: {"code": "another"})
    assert generate(recipe(), tmp_path / "set", workers=1) == 0


def test_a_sample_does_not_depend_on_what_was_made_before():
    tasks = plan(recipe(), 0)
    forwards = [make(recipe(), t).image for t in tasks]
    backwards = [make(recipe(), t).image for t in tasks[::-1]][::-1]
    assert all(np.array_equal(a, b) for a, b in zip(forwards, backwards, strict=True))
