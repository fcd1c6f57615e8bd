"""`bench dataset`, as a user calls it."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tifffile

from benchmark.cli import app
from benchmark.errors import BenchError


@pytest.fixture
def bench(capsys):
    """A function that runs a command and returns exit code, output and messages."""

    def bench(*words):
        code, message = 0, ""
        try:
            words = ["dataset", *map(str, words)]
            app(words, exit_on_error=False, result_action="return_value")
        except SystemExit as end:
            code = end.code
        except BenchError as error:  # which `main` prints
            code, message = 2, str(error)
        done = capsys.readouterr()
        return code, done.out, done.err + message

    return bench


@pytest.fixture
def folder(tmp_path, make_sample):
    root = tmp_path / "mine"
    sample = make_sample("a")
    for side, array in (("images", sample.image[0]), ("masks", sample.labels["nuclei"])):
        (root / side).mkdir(parents=True)
        tifffile.imwrite(root / side / "a.tif", array)
    return root


def test_info_shows_what_is_there(bench, make_dataset):
    dataset = make_dataset(licence="CC0-1.0")
    code, out, _ = bench("info", dataset.path)
    assert code == 0
    for text in ("small", "1.0.0", dataset.digest, "CC0-1.0", "2 test, 2 train", "density"):
        assert text in out
    code, out, err = bench("info", dataset.path, "--json")
    facts = json.loads(out)
    assert (code, err) == (0, "")
    assert facts["digest"] == dataset.digest
    assert facts["samples"] == 4
    assert facts["splits"] == {"test": 2, "train": 2}
    assert facts["objects"] == {"nuclei": len(dataset.objects)}
    assert facts["spots"] == 4
    assert facts["heights"] == [40, 40]
    assert facts["factors"] == ["crowded", "density", "kind"]


def test_info_of_no_data_set_is_a_usage_error(bench, tmp_path):
    code, out, err = bench("info", tmp_path)
    assert (code, out) == (2, "")
    assert "bench dataset import" in err


def test_verify_says_intact_or_names_all_that_is_wrong(bench, make_dataset):
    dataset = make_dataset()
    code, out, _ = bench("verify", dataset.path)
    assert code == 0
    assert out == f"intact: small 1.0.0, digest {dataset.digest}\n"
    image = tifffile.imread(dataset.path / "images" / "s1.tif")
    image[3, 4] += 1
    tifffile.imwrite(dataset.path / "images" / "s1.tif", image)
    (dataset.path / "extra.txt").write_text("x")
    code, out, err = bench("verify", dataset.path)
    assert code == 1
    assert [line.partition(":")[0] for line in out.splitlines()] == ["images/s1.tif", "extra.txt"]
    assert "2 findings" in err
    code, out, _ = bench("verify", dataset.path, "--json")
    found = json.loads(out)
    assert code == 1
    assert not found["intact"]
    assert [one["kind"] for one in found["findings"]] == ["image", "extra"]
    assert bench("verify", dataset.path / "nowhere")[0] == 2


def test_verify_finds_a_version_that_was_used_before(bench, make_dataset, make_sample, tmp_path):
    first = make_dataset(tmp_path / "first")
    second = make_dataset(tmp_path / "second", samples=[make_sample("x")])
    assert bench("verify", first.path)[0] == 0
    code, out, _ = bench("verify", second.path)
    assert code == 1
    assert "the version 1.0.0 of small was used before for another content" in out


def test_a_home_that_cannot_be_written_makes_no_set_fail(bench, make_dataset, own_cache):
    dataset = make_dataset()
    own_cache.write_text("a file where a folder should be")
    code, out, err = bench("verify", dataset.path)
    assert (code, out) == (0, f"intact: small 1.0.0, digest {dataset.digest}\n")
    assert "warning: cannot compare with the data sets seen before" in err


def test_verify_against_an_earlier_version(bench, make_dataset, make_sample, tmp_path):
    old = make_dataset(tmp_path / "old")
    new = make_dataset(tmp_path / "new", samples=[make_sample("x")], version="1.0.1")
    code, out, _ = bench("verify", new.path, "--against", old.path)
    assert code == 1
    assert "from 1.0.0 to 1.0.1 is no MAJOR step" in out
    assert bench("verify", old.path, "--against", old.path)[0] == 0


def test_import_makes_a_data_set(bench, folder, tmp_path):
    out = tmp_path / "made"
    code, text, _ = bench("import", folder, "--out", out, "--licence", "CC0-1.0", "--json")
    facts = json.loads(text)
    assert code == 0
    assert (facts["name"], facts["version"], facts["licence"]) == ("mine", "1.0.0", "CC0-1.0")
    assert facts["path"] == str(out)
    assert bench("verify", out)[0] == 0
    options = ("--name", "n", "--version", "2.0.0", "--layout", "stardist", "--channels", "dapi")
    options += ("--target", "cells", "--pixel-size", "0.5", "--no-binary", "--workers", "2")
    code, text, _ = bench("import", folder, "--out", tmp_path / "again", *options)
    assert code == 0
    assert text.startswith("n 2.0.0: 1 test\n")
    facts = json.loads(bench("info", tmp_path / "again", "--json")[1])
    assert facts["channels"] == ["dapi"]
    assert facts["pixel_size_um"] == 0.5
    assert list(facts["objects"]) == ["cells"]


def test_import_refuses_a_version_used_before(bench, folder, tmp_path):
    assert bench("import", folder, "--out", tmp_path / "one")[0] == 0
    assert bench("import", folder, "--out", tmp_path / "same")[0] == 0
    tifffile.imwrite(folder / "images" / "a.tif", np.zeros((40, 48), np.uint8))
    code, _, err = bench("import", folder, "--out", tmp_path / "other")
    assert code == 2
    assert "used before" in err
    assert not (tmp_path / "other").exists()
    assert bench("import", folder, "--out", tmp_path / "other", "--version", "2.0.0")[0] == 0


def test_bad_input_is_a_usage_error(bench, folder, tmp_path):
    tifffile.imwrite(folder / "masks" / "a.tif", np.zeros((40, 48), np.float32))
    code, out, err = bench("import", folder, "--out", tmp_path / "made")
    assert (code, out) == (2, "")
    assert "labels are whole numbers" in err
    assert "a.tif" in err
    assert not (tmp_path / "made").exists()


def test_export_writes_the_layout_and_says_what_stays_behind(bench, make_dataset, tmp_path):
    dataset = make_dataset()
    code, out, err = bench("export", dataset.path, "--out", tmp_path / "x", "--layout", "cellpose")
    assert (code, out) == (0, f"{tmp_path / 'x'}\n")
    assert "4 spots" in err
    assert (tmp_path / "x" / "test" / "s2_masks.tif").is_file()
    options = ("--out", tmp_path / "y", "--layout", "format1", "--json")
    code, out, err = bench("export", dataset.path, *options)
    assert json.loads(out)["left_behind"] == []
    assert (code, err) == (0, "")
