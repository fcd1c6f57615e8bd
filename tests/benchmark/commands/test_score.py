"""`bench score` on files and folders, with figures worked out by hand."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import Image

from benchmark.scoring import PROFILES, score


def squares(*corners, size=4, width=4, shape=(14, 18)):
    """Labels of squares, numbered from 1 in the order of their corners."""
    labels = np.zeros(shape, np.uint16)
    for number, (y, x) in enumerate(corners, start=1):
        labels[y : y + size, x : x + width] = number
    return labels


# Of three true squares of 16 pixels one is found exactly, one with 12 pixels (IoU 3/4), one is
# missed; one prediction is spurious. So AP is 2/4 up to 0.75 and 1/5 above: 0.38 in the mean.
TRUTH = squares((1, 1), (1, 7), (8, 1))
PREDICTION = squares((8, 1), (8, 12))
PREDICTION[1:5, 1:4] = 9
EMPTY = np.zeros_like(TRUTH)


@pytest.fixture
def files(tmp_path):
    tifffile.imwrite(tmp_path / "truth.tif", TRUTH)
    Image.fromarray(PREDICTION).save(tmp_path / "prediction.png")
    return tmp_path / "truth.tif", tmp_path / "prediction.png"


@pytest.fixture
def folders(tmp_path):
    """Image a as above, b without any object, c with one object and no prediction."""
    truth, prediction = tmp_path / "truth", tmp_path / "prediction"
    truth.mkdir()
    prediction.mkdir()
    for name, labels in {"a": TRUTH, "b": EMPTY, "c": squares((2, 2))}.items():
        tifffile.imwrite(truth / f"{name}.tif", labels)
    tifffile.imwrite(prediction / "a_cp_masks.tif", PREDICTION)
    np.save(prediction / "b_masks.npy", EMPTY)
    return truth, prediction


def write(path, labels):
    if path.suffix == ".npy":
        np.save(path, labels)
    else:
        tifffile.imwrite(path, labels)
    return path


def test_two_files_as_a_table(bench, files):
    code, out, err = bench("score", *files)
    lines = [line.split() for line in out.splitlines()]
    assert (code, err) == (0, "")
    assert out.startswith("mean AP over IoU 0.5 to 0.95: 0.380\nprofile default")
    assert ["0.5", "0.500", "0.667", "0.667", "0.667", "2", "1", "1"] in lines
    assert ["0.75", "0.500", "0.667", "0.667", "0.667", "2", "1", "1"] in lines
    assert ["0.8", "0.200", "0.333", "0.333", "0.333", "1", "2", "2"] in lines
    assert any(line[:4] == ["IoU", "of", "matches", "0.875"] for line in lines)
    assert any(line[:2] == ["PQ", "0.583"] for line in lines)
    assert "3 true objects: 2 matched, 1 missed, 0 split, 0 merged, 0 catastrophe" in out
    assert "3 predicted objects: 2 matched, 1 spurious, 0 split" in out
    assert "distances are in pixels" in out


def test_two_files_as_json_are_the_score_itself(bench, files):
    code, out, err = bench("score", *files, "--json")
    told = json.loads(out)
    assert (code, err) == (0, "")
    assert told.pop("truth") == str(files[0])
    assert told.pop("prediction") == str(files[1])
    assert told.pop("source").startswith("this project")
    headline = told.pop("headline")
    assert headline == {"figure": "mean_ap", "value": pytest.approx(0.38), "of": "image"}
    assert told == json.loads(json.dumps(score(TRUTH, PREDICTION).to_dict()))
    assert told["true_objects"]["kind"] == ["matched", "missed", "matched"]


def test_two_files_as_rows(bench, files):
    code, out, _ = bench("score", *files, "--csv")
    [row] = csv.DictReader(io.StringIO(out))
    assert code == 0
    assert row["image"] == "prediction"
    assert row["prediction"] == "prediction.png"
    assert (row["tp_50"], row["fp_50"], row["fn_80"]) == ("2", "1", "2")
    assert [float(row[name]) for name in ("ap_50", "ap_80")] == [0.5, 0.2]
    assert float(row["mean_ap"]) == pytest.approx(0.38)
    assert (row["true_missed"], row["pred_spurious"], row["n_true"]) == ("1", "1", "3")


def test_thresholds_strictness_and_units(bench, files):
    def told(*options):
        return json.loads(bench("score", *files, "--json", *options)[1])

    assert told("--thresholds", "0.75,1/2")["thresholds"] == [0.75, 0.5]
    assert told("--thresholds", "0.75")["tp"] == [2]
    assert told("--thresholds", "0.75", "--strict")["tp"] == [1]
    assert told("--profile", "pq", "--no-strict", "--thresholds", "0.75")["tp"] == [2]
    assert told("--profile", "tissuenet", "--legacy")["tp"] == [2]
    pixels, halves = told()["hausdorff_95"], told("--spacing", "0.5")["hausdorff_95"]
    assert pixels > 0
    assert halves == pytest.approx(pixels / 2)
    assert told("--spacing", "0.5,1")["hausdorff_95"] == pytest.approx(pixels)
    assert told("--tolerance", "0.5")["boundary_f1"] < told()["boundary_f1"] == 1


def test_columns_are_named_after_thresholds(bench, files):
    _, out, _ = bench("score", *files, "--csv", "--thresholds", "0.625,1")
    header = out.splitlines()[0].split(",")
    assert {"ap_62.5", "ap_100", "recall_100"} <= set(header)
    assert "ap_50" not in header


@pytest.mark.parametrize("name", PROFILES)
def test_each_profile_has_its_own_figure_first(bench, files, name):
    expected = score(TRUTH, PREDICTION, profile=name)
    code, out, _ = bench("score", *files, "--profile", name)
    assert code == 0
    assert out.splitlines()[0].endswith(f": {expected.headline:.3f}")
    assert PROFILES[name].source in out
    told = json.loads(bench("score", *files, "--profile", name, "--json")[1])
    assert told["headline"]["value"] == pytest.approx(expected.headline)
    assert told["headline"]["figure"] == PROFILES[name].headline


def test_help_lists_the_profiles(bench):
    _, out, _ = bench("score", "--help")
    words = out.replace(",", " ").replace(".", " ").split()
    assert set(PROFILES) <= set(words)


def test_two_folders_as_a_table(bench, folders):
    code, out, err = bench("score", *folders)
    lines = [line.split() for line in out.splitlines()]
    assert code == 0
    assert out.startswith("mean AP over IoU 0.5 to 0.95: 0.190, mean over images\n")
    assert "3 images, 1 without any object and left out of the mean, 1 without a prediction" in out
    assert ["a", "0.380", "2/3", "1", "0", "0", "1"] in lines
    assert ["b", "-", "0/0", "0", "0", "0", "0"] in lines
    assert ["c", "(no", "prediction)", "0.000", "0/1", "1", "0", "0", "0"] in lines
    # AP at 0.5: (1/2 + 0) / 2 and 2 / (2 + 1 + 2).
    assert ["0.5", "0.250", "0.400"] in [line[:3] for line in lines]
    assert err == "warning: 1 image (c) without a prediction: nothing counts as found\n"


def test_two_folders_as_json(bench, folders):
    code, out, _ = bench("score", *folders, "--json")
    told = json.loads(out)
    assert code == 0
    assert (told["n"], told["n_empty"], told["n_missing"]) == (3, 1, 1)
    assert told["missing"] == ["c"]
    assert told["headline"] == {"figure": "mean_ap", "value": pytest.approx(0.19), "of": "mean"}
    assert told["mean"]["ap"][0] == 0.25
    assert told["pooled"]["ap"][0] == 0.4
    assert (told["n_true"], told["n_pred"]) == (4, 3)
    assert told["true_kinds"]["missed"] == 2
    assert [(image["image"], image["prediction"]) for image in told["images"]] == [
        ("a", "a_cp_masks.tif"),
        ("b", "b_masks.npy"),
        ("c", None),
    ]
    assert told["images"][1]["mean_ap"] is None
    assert "true_objects" not in told["images"][0]


def test_two_folders_as_rows(bench, folders):
    _, out, _ = bench("score", *folders, "--csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["image"] for row in rows] == ["a", "b", "c"]
    assert [row["prediction"] for row in rows] == ["a_cp_masks.tif", "b_masks.npy", ""]
    assert [row["ap_50"] for row in rows] == ["0.5", "", "0.0"]


def test_what_a_profile_says_of_a_data_set(bench, folders):
    told = json.loads(bench("score", *folders, "--json", "--profile", "stardist")[1])
    assert told["headline"] == {"figure": "ap", "value": 0.4, "of": "pooled"}
    told = json.loads(bench("score", *folders, "--json", "--profile", "caicedo")[1])
    # F1 of a: 2/3 at five thresholds below 3/4, 1/3 at four; of b 0, as the profile says; of c 0.
    assert told["headline"]["value"] == pytest.approx((5 * 2 / 3 + 4 * 1 / 3) / 9 / 3)
    _, out, _ = bench("score", *folders, "--profile", "stardist")
    assert out.startswith("AP at IoU 0.5: 0.400, all objects pooled\n")
    assert "left out of the mean" not in out
    _, out, _ = bench("score", *folders, "--profile", "neurips")
    assert "objects within 2 px of the edge of an image are left out" in out


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_row_per_object(bench, folders, tmp_path, suffix):
    path = tmp_path / "made" / f"objects.{suffix}"
    code, out, _ = bench("score", *folders, "--objects", path)
    table = pd.read_csv(path) if suffix == "csv" else pd.read_parquet(path)
    assert code == 0
    assert out.startswith("mean AP")
    rows = table[["image", "side", "label", "area", "kind", "match", "iou"]].to_numpy().tolist()
    assert rows == [
        ["a", "true", 1, 16, "matched", 9, 0.75],
        ["a", "true", 2, 16, "missed", 0, 0.0],
        ["a", "true", 3, 16, "matched", 1, 1.0],
        ["a", "pred", 1, 16, "matched", 3, 1.0],
        ["a", "pred", 2, 16, "spurious", 0, 0.0],
        ["a", "pred", 9, 12, "matched", 1, 0.75],
        ["c", "true", 1, 16, "missed", 0, 0.0],
    ]
    assert {"boundary_bias", "pieces", "event", "best_iou"} <= set(table.columns)


def test_the_lowest_of_many_images(bench, tmp_path):
    for side in ("truth", "prediction"):
        (tmp_path / side).mkdir()
        for number in range(25):
            found = side == "truth" or number not in {3, 17}
            write(tmp_path / side / f"i{number:02}.tif", squares((1, 1)) if found else EMPTY)
    code, out, _ = bench("score", tmp_path / "truth", tmp_path / "prediction")
    named = [line.split()[0] for line in out.splitlines() if line.startswith(" i") and "/" in line]
    assert code == 0
    assert "the 10 lowest of 25 images (--csv lists all):" in out
    assert named == ["i03", "i17", *(f"i{n:02}" for n in (0, 1, 2, 4, 5, 6, 7, 8))]


def test_threads_do_not_change_a_byte(bench, tmp_path):
    rng = np.random.default_rng(0)
    for side in ("truth", "prediction"):
        (tmp_path / side).mkdir()
        for number in range(6):
            labels = np.kron(rng.integers(0, 9, (6, 8)), np.ones((5, 5), int)).astype(np.uint8)
            write(tmp_path / side / f"{number}.tif", labels)
    sides = tmp_path / "truth", tmp_path / "prediction"
    outputs = {bench("score", *sides, "--json", "--workers", n)[1] for n in (1, 4)}
    assert len(outputs) == 1


def test_fragments_are_told(bench, tmp_path):
    truth = squares((1, 1), (1, 7), (8, 1))
    truth[truth == 3] = 2
    path = write(tmp_path / "a.tif", truth)
    code, _, err = bench("score", path, path)
    assert code == 0
    assert "1 of 2 true objects is in pieces; it counts as one" in err
    truth[12, 12] = 1
    write(path, truth)
    _, _, err = bench("score", path, path, "--json")
    assert "2 of 2 predicted objects are in several pieces; each counts as one" in err


def test_an_image_in_the_place_of_labels_is_suspected(bench, files, tmp_path):
    noise = np.random.default_rng(0).integers(0, 20, TRUTH.shape).astype(np.uint16)
    _, _, err = bench("score", files[0], write(tmp_path / "image.tif", noise))
    assert "19 of 19 predicted objects are in several pieces" in err
    assert "is this an image, and no labels?" in err


def test_volumes(bench, tmp_path):
    volume = np.zeros((6, 9, 10), np.uint16)
    volume[1:5, 1:5, 1:5], volume[1:5, 5:9, 5:9] = 1, 2
    truth = tmp_path / "truth.tif"
    tifffile.imwrite(truth, volume, imagej=True, metadata={"axes": "ZYX"})
    shifted = np.where(volume == 2, 0, volume)
    shifted[5] = shifted[4]  # one plane too many: 5 of 4 planes, IoU 4/5
    told = json.loads(
        bench("score", truth, write(tmp_path / "p.npy", shifted), "--json", "--spacing", "2,1,1")[1]
    )
    assert (told["tp"][0], told["fn"][0], told["n_pred"]) == (1, 1, 1)
    assert told["mean_matched_iou"] == 0.8
    assert told["hausdorff_95"] == 2  # a plane


def test_missing_predictions_can_be_refused(bench, folders):
    code, out, err = bench("score", *folders, "--missing", "error")
    assert (code, out) == (2, "")
    assert "1 of 3 images have no prediction: c" in err


def test_predictions_without_a_truth_and_images_beside_labels_are_named(bench, folders):
    write(folders[1] / "z_masks.tif", EMPTY)
    write(folders[1] / "a.tif", EMPTY)
    code, _, err = bench("score", *folders)
    assert code == 0
    assert "1 prediction (z_masks.tif) without a truth: left out" in err
    assert "1 file (a.tif) taken for images" in err
    told = json.loads(bench("score", *folders, "--json")[1])
    assert told["unpaired_predictions"] == ["z_masks.tif"]
    assert told["left_out"] == ["a.tif"]
    assert told["n"] == 3


def test_binary_masks(bench, tmp_path):
    mask = write(tmp_path / "mask.tif", np.where(TRUTH > 0, 255, 0).astype(np.uint8))
    labels = write(tmp_path / "labels.tif", TRUTH)
    code, _, err = bench("score", labels, mask)
    assert code == 2
    assert "this is a binary mask" in err
    assert str(mask) in err
    assert "--binary" in err

    def tp(*words):
        return json.loads(bench("score", *words, "--json")[1])["tp"][0]

    assert tp(mask, mask, "--binary") == 3
    assert tp(labels, mask, "--binary-prediction") == 3
    assert tp(mask, labels, "--binary-truth") == 3
    assert tp(mask, mask, "--no-binary") == 1
    code, _, err = bench("score", labels, mask, "--binary")
    assert code == 2
    assert "more than two values" in err
    assert str(labels) in err


def broken(path, content):
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: p / "nowhere.tif", "there is no such file or folder"),
        (lambda p: p, "the truth is a file, the prediction a folder"),
        (lambda p: write(p / "a.tif", TRUTH.astype(np.float32)), "whole numbers by type"),
        (lambda p: write(p / "a.tif", TRUTH + np.float32(0.5)), "hold fractions"),
        (lambda p: write(p / "a.tif", TRUTH * np.float32(np.nan)), "NaN or infinity"),
        (lambda p: write(p / "a.tif", TRUTH.astype(np.int32) - 1), "the least is -1"),
        (lambda p: write(p / "a.tif", np.stack([TRUTH, TRUTH // 2, TRUTH], -1)), "coloured"),
        (lambda p: write(p / "a.npy", np.stack([TRUTH] * 3, -1)), "neither a plane nor a volume"),
        (lambda p: write(p / "a.tif", TRUTH[:5]), "the prediction (5, 18)"),
        (lambda p: write(p / "a.npy", TRUTH > 0), "this is a binary mask"),
        (lambda p: broken(p / "a.tif", b"II*\0 nothing of that kind"), "cannot be read"),
        (lambda p: broken(p / "a.png", b""), "cannot be read"),
        (lambda p: broken(p / "a.npy", b"no array"), "cannot be read"),
        (lambda p: broken(p / "a.jpg", b""), "JPEG changes values"),
        (lambda p: broken(p / "a.txt", b"1"), ".txt is no kind of label file"),
    ],
)
def test_bad_predictions(bench, files, tmp_path, make, message):
    path = make(tmp_path)
    code, out, err = bench("score", files[0], path)
    assert (code, out) == (2, "")
    assert message in err
    assert str(path) in err
    assert "mend:" in err


def test_cellposes_own_format_is_refused_with_what_to_do(bench, files, tmp_path):
    path = tmp_path / "a_seg.npy"
    np.save(path, np.array({"masks": TRUTH}, object), allow_pickle=True)
    code, _, err = bench("score", files[0], path)
    assert code == 2
    assert "Python object" in err
    assert "Save masks as PNG/tif" in err


def test_shapes_that_differ_name_both(bench, files, tmp_path):
    path = write(tmp_path / "other.tif", TRUTH[:, :-1])
    code, _, err = bench("score", files[0], path)
    assert code == 2
    for text in ("(14, 18)", "(14, 17)", str(files[0]), str(path)):
        assert text in err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--profile", "cellposse"], "did you mean 'cellpose'?"),
        (["--thresholds", "half"], "--thresholds takes numbers, not 'half'"),
        (["--thresholds", "50"], "50 is no IoU threshold"),
        (["--thresholds", "0.5,"], "--thresholds takes numbers"),
        (["--thresholds", "1/0"], "--thresholds takes numbers"),
        (["--spacing", "0.5um"], "--spacing takes numbers, not '0.5um'"),
        (["--spacing", "1,1,1"], "mend"),
        (["--spacing", "0"], "mend"),
        (["--tolerance", "-1"], "mend"),
        (["--json", "--csv"], "JSON and CSV cannot both be printed"),
        (["--objects", "objects.xlsx"], "call the file .csv or .parquet"),
        (["--profile", "tissuenet", "--thresholds", "0.5"], "takes no thresholds"),
        (["--legacy"], "the profile default has no legacy"),
    ],
)
def test_bad_options(bench, files, options, message):
    code, out, err = bench("score", *files, *options)
    assert (code, out) == (2, "")
    assert message in err


def test_bad_folders(bench, folders, tmp_path):
    truth, prediction = folders
    empty = tmp_path / "empty"
    empty.mkdir()
    code, _, err = bench("score", truth, empty)
    assert code == 2
    assert "there is no label file in this folder" in err
    code, _, err = bench("score", tmp_path, prediction)
    assert code == 2
    assert "name the folder that holds them: prediction or truth" in err
    (empty / "x_mask.tif").write_bytes((truth / "a.tif").read_bytes())
    code, _, err = bench("score", truth, empty)
    assert code == 2
    assert "the truth is called a, b, c, predictions x" in err
    write(prediction / "a_masks.tif", PREDICTION)
    code, _, err = bench("score", truth, prediction)
    assert code == 2
    assert "a_cp_masks.tif and a_masks.tif could both be the labels of a" in err


def test_one_bad_file_of_a_folder_is_named(bench, folders):
    write(folders[1] / "c.tif", EMPTY[:3])
    code, out, err = bench("score", *folders)
    assert (code, out) == (2, "")
    assert str(folders[1] / "c.tif") in err


def test_real_masks_against_themselves(bench, shared_data, tmp_path):
    truth = shared_data / "mini" / "labels"
    code, out, _ = bench("score", truth, truth, "--json")
    told = json.loads(out)
    assert code == 0
    assert (told["n"], told["n_empty"]) == (8, 1)
    assert told["headline"]["value"] == 1
    assert told["pooled"]["boundary_mean"] == 0
    assert told["true_kinds"]["matched"] == told["n_true"] == 200
    shutil.copytree(truth, tmp_path / "some")
    first = min((tmp_path / "some").iterdir())
    first.unlink()
    told = json.loads(bench("score", truth, tmp_path / "some", "--json")[1])
    assert told["missing"] == [first.stem]
    assert told["headline"]["value"] == pytest.approx(6 / 7)


def run(*words, cwd=None):
    program = "from benchmark.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, "score", *map(str, words)],
        cwd=cwd,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )


def test_a_process_of_its_own(files, tmp_path):
    done = run(*files, "--csv")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.count(b"\n") == 2
    done = run(files[0], tmp_path / "nowhere.tif")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"there is no such file" in done.stderr


def test_a_folder_called_spots_stays_reachable(tmp_path):
    for side in ("spots", "truth"):
        (tmp_path / side).mkdir()
        write(tmp_path / side / "a.tif", TRUTH)
    done = run("./spots", "truth", "--json", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["headline"]["value"] == 1


def test_names_that_are_no_unicode(bench, folders):
    for folder in folders:
        try:
            shutil.copy(folders[0] / "a.tif", os.fsencode(folder) + b"/\xff.tif")
        except OSError:
            pytest.skip("this file system has no such names")
    for options in ((), ("--json",), ("--csv",)):
        code, out, _ = bench("score", *folders, *options)
        assert code == 0
        assert "xff" in out


def test_names_stand_in_rows_as_they_are(bench, folders):
    name = "a\tb [red] :smile:\nc"
    for folder in folders:
        shutil.copy(folders[0] / "a.tif", folder / f"{name}.tif")
    _, out, _ = bench("score", *folders, "--csv")
    assert name in [row["image"] for row in csv.DictReader(io.StringIO(out, newline=""))]


@pytest.mark.parametrize("command", [["score"], ["score", "spots"]])
def test_help_imports_nothing_heavy(command):
    program = (
        f"import sys; from benchmark.cli import app; app([*{command}, '--help'], "
        "result_action='return_value'); print({'numpy', 'numba', 'pandas'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stderr == ""
    assert "--json" in done.stdout
    assert done.stdout.endswith("set()\n")
