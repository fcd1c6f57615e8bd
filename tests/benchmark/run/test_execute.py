from __future__ import annotations

import json

import numpy as np
import pytest
from filelock import FileLock

from adapters.errors import AdapterError, UnknownAlgorithmError, UnknownModelError
from adapters.worker import Limits
from benchmark.errors import RunError
from benchmark.run import execute, make_plan, results_table, run_folder, scores_table
from benchmark.run.predictions import read_prediction, write_prediction

LIMITS = Limits(seconds=20)


class Quiet:
    def __init__(self):
        self.started = {}
        self.said = []

    def start(self, name, total, done):
        self.started[name] = (total, done)

    def say(self, text):
        self.said.append(text)

    def advance(self):
        pass


def run(dataset, out, *algorithms, limits=LIMITS, **options):
    plan = make_plan(dataset, algorithms, **options)
    progress = Quiet()
    with run_folder(plan, out):
        outcomes = execute(plan, out, limits=limits, progress=progress)
    return results_table(plan, outcomes, timings=False), scores_table(outcomes), progress


def test_controls_bound_the_scale(dataset, tmp_path):
    results, scores, _ = run(dataset, tmp_path / "run", "oracle", "empty")
    oracle = results[results["algorithm"] == "oracle"]
    empty = results[results["algorithm"] == "empty"]
    assert (oracle[["mean_ap", "mean_matched_iou", "pq"]] == 1).all(axis=None)
    assert (empty["mean_ap"] == 0).all()
    assert len(scores) == 2 * len(dataset.ids(split="test")) * 10


def test_predictions_are_kept_as_label_images(dataset, tmp_path, make_adapter):
    out = tmp_path / "run"
    results, _, _ = run(dataset, out, make_adapter("mine"))
    assert (results["status"] == "ok").all()
    for row in results.itertuples():
        labels = read_prediction(out / row.prediction)
        truth = dataset.read_labels(row.sample, "nuclei")
        assert np.array_equal(labels > 0, truth > 0)
        assert labels.max() == row.n_pred


@pytest.mark.parametrize("top", [0, 1, 255, 65535, 65536, 2**32 - 1])
def test_a_prediction_survives_the_disk(tmp_path, top):
    labels = np.zeros((3, 5), np.uint32)
    labels[1, 2] = top
    first = write_prediction(tmp_path / "a.tif", labels)
    again = read_prediction(tmp_path / "a.tif")
    assert np.array_equal(again, labels)
    assert write_prediction(tmp_path / "b.tif", again) == first


def test_a_second_run_does_nothing_again(dataset, tmp_path, make_adapter):
    out, mine = tmp_path / "run", make_adapter("mine")
    first, _, _ = run(dataset, out, mine)
    again, _, progress = run(dataset, out, mine)
    assert progress.started == {"mine:default": (6, 6)}
    assert first.equals(again)


def test_a_changed_algorithm_is_another_algorithm(dataset, tmp_path, make_adapter):
    out, mine = tmp_path / "run", make_adapter("mine")
    run(dataset, out, mine)
    source = tmp_path / "mine" / "segmenter.py"
    source.write_text(source.read_text() + "# changed\n")
    _, _, progress = run(dataset, out, mine)
    assert progress.started == {"mine:default": (6, 0)}


def test_a_missing_prediction_is_made_again(dataset, tmp_path, make_adapter):
    out, mine = tmp_path / "run", make_adapter("mine")
    results, _, _ = run(dataset, out, mine)
    path = out / results["prediction"][2]
    whole = path.read_bytes()
    path.unlink()
    again, _, progress = run(dataset, out, mine)
    assert progress.started == {"mine:default": (6, 5)}
    assert again.equals(results)
    assert path.read_bytes() == whole


@pytest.mark.parametrize("damage", ["cut", "junk", "other"])
def test_a_changed_prediction_is_made_again(dataset, tmp_path, make_adapter, damage):
    out, mine = tmp_path / "run", make_adapter("mine")
    results, _, _ = run(dataset, out, mine)
    path = out / results["prediction"][2]
    whole = path.read_bytes()
    if damage == "other":
        write_prediction(path, np.zeros((64, 64), np.uint16))
    else:
        path.write_bytes(whole[: len(whole) // 2] if damage == "cut" else b"XXX")
    _, _, progress = run(dataset, out, mine)
    assert progress.started == {"mine:default": (6, 5)}
    assert path.read_bytes() == whole


def test_an_older_scorer_is_asked_again_not_the_segmenter(dataset, tmp_path, make_adapter):
    out, mine = tmp_path / "run", make_adapter("mine")
    results, _, _ = run(dataset, out, mine)
    (journal,) = (out / "journal").iterdir()
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    for line in lines:
        line["scorer"] = "0"
        line["score"]["mean_ap"] = 0.0
    journal.write_text("".join(json.dumps(line) + "\n" for line in lines))
    again, _, progress = run(dataset, out, mine)
    assert progress.started == {"mine:default": (6, 6)}
    assert again.equals(results)


def test_a_failed_image_is_a_row_scored_as_no_detection(dataset, tmp_path, make_adapter):
    adapter = make_adapter("mine", "assert image[0, 0, 0] % 2, 'I fail on even pixels'")
    results, _, progress = run(dataset, tmp_path / "run", adapter)
    odd = [dataset.read_image(sample)[0, 0, 0] % 2 == 1 for sample in results["sample"]]
    assert any(odd)
    assert not all(odd)
    assert [status == "ok" for status in results["status"]] == odd
    failed = results[results["status"] == "failed"]
    assert (failed["ap50"] == 0).all()
    assert (failed["n_pred"] == 0).all()
    assert failed["message"].str.contains("I fail on even pixels").all()
    assert len(progress.said) == len(failed)


def test_what_failed_is_tried_again(dataset, tmp_path, make_adapter):
    flag = tmp_path / "flag"
    adapter = make_adapter("mine", f"import os; assert os.path.exists({str(flag)!r})")
    first, _, _ = run(dataset, tmp_path / "run", adapter)
    assert (first["status"] == "failed").all()
    flag.touch()
    second, _, _ = run(dataset, tmp_path / "run", adapter)
    assert (second["status"] == "ok").all()


def test_an_algorithm_that_always_dies_is_given_up(dataset, tmp_path, make_adapter):
    adapter = make_adapter("mine", "import os; os._exit(3)")
    results, _, _ = run(dataset, tmp_path / "run", adapter, "oracle")
    mine = results[results["algorithm"] == "mine"]
    assert list(mine["status"]) == ["failed"] * 5 + ["skipped"]
    assert "not tried" in mine["message"].iloc[-1]
    assert (results[results["algorithm"] == "oracle"]["status"] == "ok").all()


@pytest.mark.slow
def test_giving_up_does_not_depend_on_where_a_run_was_interrupted(
    make_dataset, tmp_path, make_adapter
):
    dataset = make_dataset(24)
    adapter = make_adapter("mine", "import os; image.sum() % 3 or os._exit(3)")
    whole, _, _ = run(dataset, tmp_path / "whole", adapter)
    assert set(whole["status"]) == {"ok", "failed"}
    for stop in (3, 9, 14):
        run(dataset, tmp_path / "parts", adapter, limit=stop)
    parts, _, _ = run(dataset, tmp_path / "parts", adapter)
    assert parts.equals(whole)


def test_a_worker_killed_while_it_starts_is_started_again(dataset, tmp_path, make_adapter):
    flag = tmp_path / "flag"
    adapter = make_adapter("mine")
    source = tmp_path / "mine" / "segmenter.py"
    start = f"""import os
        if not os.path.exists({str(flag)!r}):
            open({str(flag)!r}, 'w').close()
            os.kill(os.getpid(), 9)"""
    source.write_text(source.read_text().replace("        pass", f"        {start}", 1))
    results, _, _ = run(dataset, tmp_path / "run", adapter)
    assert set(results["status"]) == {"ok"}


def test_weights_that_vanish_are_a_failed_image(dataset, tmp_path, make_adapter):
    flag = tmp_path / "flag"
    adapter = make_adapter("mine", f"import os; open({str(flag)!r}, 'w').close(); os._exit(3)")
    source = tmp_path / "mine" / "segmenter.py"
    start = f"import os\n        if os.path.exists({str(flag)!r}): raise FileNotFoundError('gone')"
    source.write_text(source.read_text().replace("        pass", f"        {start}", 1))
    results, _, _ = run(dataset, tmp_path / "run", adapter, "oracle")
    mine = results[results["algorithm"] == "mine"]
    assert set(mine["status"]) == {"failed"}, list(mine["message"])
    assert "gone" in results["message"][1]
    assert set(results[results["algorithm"] == "oracle"]["status"]) == {"ok"}


def test_a_hanging_algorithm_is_a_timeout(dataset, tmp_path, make_adapter):
    adapter = make_adapter("mine", "import time; time.sleep(60)")
    limits = Limits(seconds=0.3)
    results, _, _ = run(dataset, tmp_path / "run", adapter, limits=limits, limit=2)
    assert list(results["status"]) == ["timeout", "timeout"]


def test_an_algorithm_that_cannot_run_here_is_a_row(dataset, tmp_path, make_adapter):
    adapter = make_adapter("mine")
    (tmp_path / "mine" / "adapter.toml").write_text(
        'name = "mine"\n[environment]\npython = "<3"\n[models.default]\ntrack = "classical"\n'
    )
    (tmp_path / "mine" / "requirements.txt").write_text("six==1.16.0\n")
    results, _, _ = run(dataset, tmp_path / "run", adapter, "oracle")
    assert list(results["status"].unique()) == ["failed", "ok"]
    assert "<3" in results["message"][0]


def test_names_are_checked_before_anything_runs(dataset, tmp_path):
    with pytest.raises(UnknownAlgorithmError, match="did you mean 'oracle'"):
        make_plan(dataset, ["oracel"])
    with pytest.raises(UnknownModelError):
        make_plan(dataset, ["oracle:large"])
    with pytest.raises(RunError, match="named twice"):
        make_plan(dataset, ["oracle", "oracle"])
    with pytest.raises(RunError, match="did you mean 'test'"):
        make_plan(dataset, ["oracle"], split="tset")
    with pytest.raises(RunError, match="did you mean 'nuclei'"):
        make_plan(dataset, ["oracle"], target="nucleus")
    with pytest.raises(RunError, match="no algorithm"):
        make_plan(dataset, [])


def test_a_folder_belongs_to_one_data_set_and_split(dataset, tmp_path):
    run(dataset, tmp_path / "run", "empty")
    with pytest.raises(RunError, match="another split"):
        run(dataset, tmp_path / "run", "empty", split="val")


def test_a_folder_with_something_else_is_left_alone(dataset, tmp_path):
    for name in ("report.html", "dataset.json"):
        out = tmp_path / name.replace(".", "-")
        out.mkdir()
        (out / name).write_text("mine")
        with pytest.raises(RunError, match="something else than a run"):
            run(dataset, out, "empty")
        assert (out / name).read_text() == "mine"
        assert len(list(out.iterdir())) == 1
    with pytest.raises(RunError, match="a file at this place"):
        run(dataset, out / name, "empty")


def test_what_a_kill_left_of_a_file_is_no_part_of_a_run(dataset, tmp_path, make_adapter):
    out = tmp_path / "run"
    out.mkdir()
    (out / ".run.json.7.part").write_text("{")
    mine = make_adapter("mine")
    results, _, _ = run(dataset, out, mine)
    folder = (out / results["prediction"][0]).parent
    (folder / ".s001.tif.12.part").write_bytes(b"II*")
    (folder / ".notes.part").write_text("the user's own")
    run(dataset, out, mine)
    assert sorted(path.name for path in out.rglob("*.part")) == [".notes.part"]


@pytest.mark.parametrize("junk", ["", "{}", "[]", '{"dataset": null}', "\ufffd"])
def test_a_run_json_that_is_none_is_an_error(dataset, tmp_path, junk):
    out = tmp_path / "run"
    out.mkdir()
    (out / "run.json").write_text(junk, encoding="utf-16" if junk == "\ufffd" else "utf-8")
    with pytest.raises(RunError, match="cannot be read"):
        run(dataset, out, "empty")


def test_settings_reach_the_algorithm_and_are_part_of_its_key(dataset):
    def key(**settings):
        (entry,) = make_plan(dataset, ["otsu-watershed"], settings=settings).entries
        return entry.key, entry.parameters

    plain, _ = key()
    changed, parameters = key(**{"otsu-watershed": {"min_size": "50"}})
    assert plain != changed
    assert parameters == {"min_size": "50"}
    with pytest.raises(AdapterError, match="no parameter 'min_sise'"):
        key(**{"otsu-watershed": {"min_sise": "50"}})
    with pytest.raises(RunError, match="does not run"):
        key(otsu={"min_size": "50"})


def test_two_runs_in_one_folder_do_not_mix(dataset, tmp_path):
    out = tmp_path / "run"
    out.mkdir()
    with FileLock(out / ".lock"), pytest.raises(RunError, match="another run is writing here"):
        run(dataset, out, "empty")
