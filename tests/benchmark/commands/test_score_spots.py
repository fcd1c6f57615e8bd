"""`bench score spots` on tables, with figures worked out by hand."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pandas as pd
import pytest

# At a radius of 3 px the first two are found, 1 px too low each and with 10 % more photons; the
# third is missed, and one at (50, 50) is spurious.
TRUTH = "y,x,photons\n10,10,100\n10,20,200\n30,30,300\n"
PREDICTION = "y,x,photons\n11,10,110\n11,20,220\n50,50,300\n"


@pytest.fixture
def files(tmp_path):
    (tmp_path / "truth.csv").write_text(TRUTH)
    (tmp_path / "prediction.csv").write_text(PREDICTION)
    return tmp_path / "truth.csv", tmp_path / "prediction.csv"


@pytest.fixture
def images(tmp_path):
    """Two images: in a all three are found, in b one of two; c has a prediction only."""
    truth = pd.DataFrame(
        {"image": list("aaabb"), "y": [1, 5, 9, 1, 50], "x": 0.0, "photons": 100.0}
    )
    prediction = pd.DataFrame(
        {"image": list("caaab"), "y": [1, 9, 5, 1, 3], "x": 0.0, "photons": 90.0}
    )
    truth.to_parquet(tmp_path / "truth.parquet")
    prediction.to_csv(tmp_path / "images.csv", index=False)
    return tmp_path / "truth.parquet", tmp_path / "images.csv"


def test_two_tables(bench, files):
    code, out, err = bench("score", "spots", *files, "--radius", 3)
    lines = [line.split() for line in out.splitlines()]
    assert (code, err) == (0, "")
    assert out.startswith("F1 within a radius of 3 px: 0.667\n3 true spots: 2 found, 1 missed\n")
    assert "3 predicted spots: 2 matched, 1 spurious" in out
    assert ["localisation", "error", "1.000"] in [line[:3] for line in lines]
    assert ["photon", "bias", "0.100"] in [line[:3] for line in lines]
    assert ["bias", "along", "y", "1.000"] in [line[:4] for line in lines]
    assert "distances are in pixels" in out


def test_two_tables_as_json_and_rows(bench, files):
    code, out, err = bench("score", "spots", *files, "--radius", 3, "--json")
    told = json.loads(out)
    assert (code, err) == (0, "")
    assert (told["tp"], told["fp"], told["fn"], told["radius"]) == (2, 1, 1, 3)
    assert told["f1"] == pytest.approx(2 / 3)
    assert told["bias"] == [1, 0]
    assert told["photon_bias"] == pytest.approx(0.1)
    assert told["pairs"] == [[0, 0], [1, 1]]
    _, out, _ = bench("score", "spots", *files, "--radius", 3, "--csv")
    [row] = csv.DictReader(io.StringIO(out))
    assert (row["image"], row["tp"], row["bias_y"], row["bias_x"]) == (
        "prediction",
        "2",
        "1.0",
        "0.0",
    )
    assert not {"pairs", "distances", "bias"} & set(row)


def test_radius_and_spacing_are_of_one_unit(bench, files):
    def told(*options):
        return json.loads(bench("score", "spots", *files, "--json", *options)[1])

    assert told("--radius", "0.9")["tp"] == 0
    half = told("--radius", "0.9", "--spacing", "0.5")
    assert (half["tp"], half["localisation_rms"]) == (2, 0.5)
    assert told("--radius", "0.9", "--spacing", "0.5,1")["tp"] == 2
    assert told("--radius", "0.9", "--spacing", "1,0.5")["tp"] == 0
    assert (
        "the unit of --spacing" in bench("score", "spots", *files, "--radius", 1, "--spacing", 2)[1]
    )


def test_several_images(bench, images):
    code, out, err = bench("score", "spots", *images, "--radius", 2)
    lines = [line.split() for line in out.splitlines()]
    # F1 of a is 1, of b 2/3 (one missed), of c 0: 5/9 in the mean. Pooled, there are 4 pairs of 5
    # true and 5 predicted spots: 0.8.
    assert code == 0
    assert out.startswith("F1 within a radius of 2 px: 0.556, mean over images")
    assert ["a", "1.000", "1.000", "1.000", "3", "0", "0", "0.000"] in lines
    assert ["b", "0.667", "1.000", "0.500", "1", "0", "1", "2.000"] in lines
    assert ["c", "0.000", "0.000", "0.000", "0", "1", "0", "-"] in lines
    assert ["F1", "0.556", "0.800"] in lines
    assert "1 image (c) without a true spot: all predicted ones count as spurious" in err
    told = json.loads(bench("score", "spots", *images, "--radius", 2, "--json")[1])
    assert (told["n"], told["n_empty"]) == (3, 0)
    assert told["mean"]["f1"] == pytest.approx(5 / 9)
    assert told["pooled"]["f1"] == 0.8
    assert told["pooled"]["photon_bias"] == pytest.approx(-0.1)
    assert [image["image"] for image in told["images"]] == ["a", "b", "c"]
    assert told["images"][2]["localisation_rms"] is None
    _, out, _ = bench("score", "spots", *images, "--radius", 2, "--csv")
    assert [row["tp"] for row in csv.DictReader(io.StringIO(out))] == ["3", "1", "0"]


def test_the_lowest_of_many_images(bench, tmp_path):
    rows = pd.DataFrame({"image": [f"i{n:02}" for n in range(30)], "y": 1.0, "x": 1.0})
    rows.to_csv(tmp_path / "t.csv", index=False)
    rows.loc[rows["image"].isin(["i07", "i21"]), "y"] = 99
    rows.to_csv(tmp_path / "p.csv", index=False)
    _, out, _ = bench("score", "spots", tmp_path / "t.csv", tmp_path / "p.csv", "--radius", 2)
    named = [line.split()[0] for line in out.splitlines() if line.startswith((" i0", " i1", " i2"))]
    assert "the 10 lowest of 30 images (--csv lists all):" in out
    assert named[:4] == ["i07", "i21", "i00", "i01"]
    assert len(named) == 10


def test_folders_of_tables(bench, tmp_path):
    for side, text in (("truth", TRUTH), ("prediction", PREDICTION)):
        (tmp_path / side).mkdir()
        (tmp_path / side / "a.csv").write_text(text)
        (tmp_path / side / "empty.csv").write_text("y,x\n")
    sides = tmp_path / "truth", tmp_path / "prediction"
    told = json.loads(bench("score", "spots", *sides, "--radius", 3, "--json")[1])
    assert (told["n"], told["n_empty"]) == (2, 1)
    assert told["mean"]["f1"] == pytest.approx(2 / 3)
    (tmp_path / "prediction" / "empty.csv").unlink()
    (tmp_path / "truth" / "empty.csv").write_text("y,x\n1,1\n")
    code, _, err = bench("score", "spots", *sides, "--radius", 3)
    assert code == 0
    assert "1 image (empty) without a predicted spot: all true ones count as missed" in err


def test_a_prediction_that_found_nothing(bench, images):
    images[1].write_text("image,y,x\n")
    code, out, err = bench("score", "spots", *images, "--radius", 2, "--json")
    told = json.loads(out)
    assert code == 0
    assert (told["n"], told["pooled"]["fn"], told["mean"]["f1"]) == (2, 5, 0)
    assert "2 images (a, b) without a predicted spot" in err


def test_images_by_several_columns(bench, tmp_path):
    rows = pd.DataFrame({"sample": "s", "channel": ["r", "g"], "y": [1.0, 1.0], "x": [1.0, 9.0]})
    rows.to_parquet(tmp_path / "t.parquet")
    rows.iloc[::-1].to_parquet(tmp_path / "p.parquet")
    words = ("score", "spots", tmp_path / "t.parquet", tmp_path / "p.parquet", "--radius", 1)
    code, _, err = bench(*words)
    assert code == 2
    assert "2 channels" in err
    assert "--image-column sample,channel" in err
    told = json.loads(bench(*words, "--image-column", "sample,channel", "--json")[1])
    assert [(image["image"], image["f1"]) for image in told["images"]] == [("s g", 1), ("s r", 1)]


@pytest.mark.parametrize(
    ("prediction", "message"),
    [
        (None, "there is no such file or folder"),
        ("a,b\n1,2\n", "no columns y and x, but a, b"),
        ("y,x\n1,here\n", "'here' in the column x, line 2, is no number"),
        ("y,x\n1,1\n,2\n", "'' in the column y, line 3, is no number"),
        ("y,x,photons\n1,1,inf\n", "'inf' in the column photons"),
        ("", "the table cannot be read"),
        ("y,x\n1,2,3\n", "the table cannot be read"),
        ("y,x,z\n1,2,3\n", "some positions have a z and others have not"),
        ("image,y,x\na,1,2\n", "the prediction tells images apart and the other table does not"),
        ("y,Y,x\n1,2,3\n", "two columns are called y"),
    ],
)
def test_bad_tables(bench, files, prediction, message):
    files[1].unlink() if prediction is None else files[1].write_text(prediction)
    code, out, err = bench("score", "spots", *files, "--radius", 3)
    assert (code, out) == (2, "")
    assert message in err
    assert str(files[1]) in err
    assert "mend:" in err


def test_bad_options_and_names(bench, files, images, tmp_path):
    for options, message in (
        (["--radius", "0"], "0.0 is no radius"),
        (["--radius", "3", "--spacing", "1,1,1"], "does not go with positions of 2 coordinates"),
        (["--radius", "3", "--spacing", "a"], "--spacing takes numbers"),
        (["--radius", "3", "--image-column", "picture"], "no column 'picture'"),
        (["--radius", "3", "--json", "--csv"], "cannot both be printed"),
    ):
        code, out, err = bench("score", "spots", *files, *options)
        assert (code, out) == (2, "")
        assert message in err
    images[1].write_text("image,y,x\nA,1,1\n")
    code, _, err = bench("score", "spots", *images, "--radius", 3)
    assert code == 2
    assert "no image is in both: the truth has a, b, the prediction A" in err
    images[1].write_text("image,y,x\n")
    code, _, err = bench("score", "spots", images[1], images[1], "--radius", 3)
    assert code == 2
    assert "there is no spot in any image" in err
    (tmp_path / "none").mkdir()
    code, _, err = bench("score", "spots", tmp_path / "none", tmp_path / "none", "--radius", 3)
    assert code == 2
    assert "there is no table in this folder" in err


def test_real_points_moved_by_half_a_pixel(bench, shared_data, tmp_path):
    truth = shared_data / "spots_real" / "coords" / "iss_rnd0_ch3_z0.csv"
    points = pd.read_csv(truth)
    points["col"] += 0.5
    points.rename(columns={"row": "Y", "col": "X"}).to_csv(tmp_path / "p.csv", sep=";", index=False)
    told = json.loads(
        bench("score", "spots", truth, tmp_path / "p.csv", "--radius", 1, "--json")[1]
    )
    assert told["tp"] == told["n_true"] == len(points) == 416
    np.testing.assert_allclose(told["bias"], [0, 0.5], atol=1e-9)
