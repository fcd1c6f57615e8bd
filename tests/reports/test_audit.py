from __future__ import annotations

import copy
import json
import re
import shutil
import subprocess

import pytest
from PIL import Image

from benchmark.errors import RunError
from reports.audit import write_page
from reports.audit_verdicts import verdicts

COLUMNS = ("synthetic", "baseline", "real")
QUANTILES = dict.fromkeys(("p01", "p05", "p25", "p50", "p75", "p95", "p99"), 2.5)


def parts():
    """Figures such as an audit finds, from its own modules' names."""
    from benchmark.audit.faithfulness import BINS
    from benchmark.audit.measures import CELL, IMAGE

    measures = (*CELL, *(f"image:{name}" for name in IMAGE))
    edges = {
        "n": 5000, "considered": 6000, "share": 0.83, "signed": 0.04, "images": [-0.1, 0.2],
        "absolute": 0.2, "absolute_95": 0.7, "spread": 0.19, "spread_95": 0.61,
        "histogram": [k % 7 for k in range(len(BINS) - 1)],
    }  # fmt: skip
    none = dict.fromkeys(edges) | {"n": 0, "considered": 0}
    faithful = {"n_images": 3, "n_points": 9000, "width": 1.3, "isolated": edges, "whole": edges}
    described = {
        "n_images": 3, "n_cells": 90, "n_tiles": 4, "touching_fraction": 0.2,
        "measures": {m: {"n": 90, "mean": 1.0, "sd": 0.1, **QUANTILES} for m in measures},
        "power": [1.0] * 9,
    }  # fmt: skip
    far = {m: {"ks": 0.1, "w1": 0.2, "ratio": 1.5} for m in measures}
    judged = described | {"apart": far, "power_ratio": [0.5, *[1.1] * 7, None]}
    auc = {"auc": 0.91, "interval": [0.9, 0.93], "n": [40, 40]}
    alike = {"median": 0.9, "p99": 0.97, "share": 0.02, "same": 0.003}
    ap = {
        "mean": 0.8, "interval": [0.75, 0.84], "seeds": [0.79, 0.81], "ratio": 0.98,
        "difference": [-0.05, 0.02],
    }  # fmt: skip
    return {
        "faithfulness": {"columns": dict.fromkeys(COLUMNS, faithful | {"touching": none})},
        "statistics": {"columns": {"reference": described, **dict.fromkeys(COLUMNS, judged)}},
        "classifier": {
            "budget": {"images": 6, "patches": 96, "side": 64, "steps": 300, "seed": 0},
            "network": None,
            "columns": {
                name: {v: {"linear": auc, "network": auc} for v in ("raw", "blurred", "high-pass")}
                for name in COLUMNS
            },
            "pictures": ["synthetic-raw-made-0.png", "synthetic-raw-real-0.png"],
        },
        "copies": {
            "n_reference": 900,
            "columns": {
                name: {"n": 60}
                | {f"{a}_{b}": alike for a in ("shape", "texture") for b in ("twins", "copies")}
                for name in COLUMNS
            },
        },
        "transfer": {
            "images": 40, "test": 50, "scorer": "1", "algorithm": "u2net", "epochs": 100,
            "seeds": [0, 1], "device": "cpu", "threads": 1,
            "columns": {
                name: {"objects": 900, "megapixels": 2.5, "ap50": ap, "ap75": ap}
                for name in COLUMNS
            },
        },
    }  # fmt: skip


def source(name):
    return {
        "name": name, "version": "1.0.0", "digest": "ab" * 32, "n": 40, "ids": "a to b",
        "splits": ["train"], "target": "nuclei", "channel": "dna", "licence": "CC0-1.0",
    }  # fmt: skip


@pytest.fixture
def record():
    return {
        "format": 1,
        "version": 1,
        "command": "bench dataset audit x",
        "sources": {name: source(f"set-{name}") for name in (*COLUMNS, "reference")},
        "stats": None,
        "parts": copy.deepcopy(parts()),
        "finished": True,
    }


@pytest.fixture
def write(tmp_path):
    """Write a record and its pictures as an audit does, and then its page."""

    def make(record):
        (tmp_path / "pictures").mkdir(exist_ok=True)
        for name in record["parts"].get("classifier", {}).get("pictures", ()):
            if name.endswith("0.png"):
                Image.new("L", (64, 64), 90).save(tmp_path / "pictures" / name)
        (tmp_path / "audit.json").write_text(json.dumps(record))
        return write_page(tmp_path)

    return make


def test_all_parts_are_shown_with_all_columns(write, record, reader):
    page = reader(write(record).read_text())
    for text in (
        "How far set-synthetic 1.0.0 can be trusted",
        "Edges lie 0.04 px outside their labels in the median",
        "isolated edges: signed median, px",
        "Power spectrum over that of the reference",
        "AUC of the network, high-pass patches",
        "0.910 0.900 to 0.930",
        "shape, in the reference: share nearer than real",
        "AP75 less real, paired",
        "-0.050 to 0.020",
        "set-baseline 1.0.0",
        "bench dataset audit x",
        "n = 5,000",
    ):
        assert text in page.text, text
    assert "Not measured" not in page.text
    heads = [a for a in page.all("th") if a.get("class", "").startswith("number column")]
    assert len(heads) >= 3 * 5
    assert len([a for a in page.all("svg") if a["class"] == "drawing"]) == 2  # nothing touches
    assert [a["src"][:22] for a in page.all("img")] == ["data:image/png;base64,"] * 2


def test_parts_that_are_missing_are_named_and_a_baseline_is_not_needed(write, record, reader):
    record["parts"] = {"faithfulness": record["parts"]["faithfulness"]}
    del record["parts"]["faithfulness"]["columns"]["baseline"], record["sources"]["baseline"]
    page = reader(write(record).read_text())
    assert "Not measured: statistics, classifier, copies, transfer." in page.text
    assert "Baseline" not in page.text
    assert page.all("img") == []


def test_problems_are_said(write, record, reader):
    record["parts"]["classifier"] = {
        "budget": {}, "network": "needs torch", "columns": {}, "problem": "3 images are too few",
    }  # fmt: skip
    record["parts"]["copies"] = {"problem": "fewer than two", "columns": {}}
    page = reader(write(record).read_text())
    assert "3 images are too few" in page.text
    assert "fewer than two" in page.text


def test_without_the_network_there_is_the_linear_model_and_the_cure(write, record, reader):
    found = record["parts"]["classifier"]
    found["network"] = 'pip install "cellgen-bench[networks]"'
    for views in found["columns"].values():
        for models in views.values():
            del models["network"]
    page = reader(write(record).read_text())
    assert 'pip install "cellgen-bench[networks]"' in page.text
    assert "A linear model tells patches from real ones" in page.text


def test_figures_that_are_missing_are_dashes(write, record, reader):
    for column in record["parts"]["transfer"]["columns"].values():
        for key in ("ap50", "ap75"):
            column[key] = {
                "mean": None, "interval": [None, None], "seeds": [None], "ratio": None,
                "difference": [None, None],
            }  # fmt: skip
    page = reader(write(record).read_text())
    assert "None" not in page.text
    assert "nan" not in page.text


def test_loads_nothing_and_runs_nothing(write, record, reader):
    source = write(record).read_text()
    page = reader(source)
    assert page.all("script") == []
    for _, attributes in page.elements:
        for name in ("src", "href", "xlink:href", "action", "data"):
            target = attributes.get(name)
            assert target is None or target.startswith("data:image/") or target == "audit.json"
    assert page.all("meta")[1]["content"].startswith("default-src 'none'; img-src data:; style-src")
    assert "@import" not in source
    assert "url(" not in source
    assert "prefers-color-scheme: dark" in source


def test_the_same_audit_gives_the_same_bytes(write, record):
    first = write(record).read_bytes()
    assert write(record).read_bytes() == first
    assert len(first) < 300_000


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "</style><img src=x onerror=alert(1)>",
        "\"' onmouseover=alert(1) x='",
        "{{ 7 * 7 }} {% endif %}",
    ],
)
def test_text_from_strangers_stays_text(write, record, text, reader):
    for one in record["sources"].values():
        one.update(dict.fromkeys(("name", "licence", "ids", "channel", "target"), text))
    record["command"] = record["stats"] = text
    record["parts"]["classifier"]["network"] = text
    record["parts"]["classifier"]["pictures"].append(f"../{text}.png")
    page = reader(write(record).read_text())
    assert page.all("script") == []
    assert len(page.all("style")) == 1
    assert len(page.all("img")) == 2
    assert not any(name.startswith("on") for _, a in page.elements for name in a)
    assert page.text.count(re.sub(r"\s+", " ", text)) > 10


def test_pictures_that_are_none_are_passed_over(write, record, tmp_path, reader):
    write(record)
    (tmp_path / "pictures" / "synthetic-raw-made-0.png").write_bytes(b"x" * 200_000)
    (tmp_path / "pictures" / "synthetic-raw-real-0.png").unlink()
    assert reader(write_page(tmp_path).read_text()).all("img") == []


def test_an_audit_that_is_none_is_refused(write, record, tmp_path):
    with pytest.raises(RunError, match="no audit"):
        write_page(tmp_path)
    with pytest.raises(RunError, match="not finished"):
        write({**record, "finished": False})
    del record["sources"]["real"]["splits"]
    with pytest.raises(RunError, match="not as it was written"):
        write(record)


def test_verdicts_follow_the_figures(record):
    found = " ".join(verdicts(record))
    for text in (
        "in the real images +0.04 px and 0.61 px",
        "1.50 times as much",
        "AUC of 0.910; those of the baseline 0.910; real from real 0.910",
        "AP50 on real images is 0.800, on the baseline 0.800, on real images 0.800",
        "2.0 % of shapes and 2.0 % of textures",
    ):
        assert text in found
    record["parts"]["transfer"]["columns"]["real"]["ap50"]["mean"] = 0.17
    assert "on real images 0.170: too short a training to compare." in " ".join(verdicts(record))
    edges = record["parts"]["faithfulness"]["columns"]["synthetic"]["isolated"]
    edges["signed"] = -0.2
    assert "0.20 px inside their labels" in verdicts(record)[0]
    edges["signed"] = None
    assert verdicts(record)[0].startswith("No edge was clear enough")


@pytest.mark.browser
def test_a_browser_shows_it_in_light_and_in_dark(write, record, tmp_path):
    names = ("chromium", "chromium-browser", "google-chrome")
    browser = next(filter(None, map(shutil.which, names)), None)
    if browser is None:
        pytest.skip(f"no browser on PATH: {', '.join(names)}")
    page = write(record)
    shades = {}
    for theme in ("light", "dark"):
        picture = tmp_path / f"{theme}.png"
        dark = ["--force-dark-mode", "--blink-settings=preferredColorScheme=0"]
        done = subprocess.run(
            [
                browser,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--disable-background-networking",
                f"--user-data-dir={tmp_path / 'profile'}",
                *(dark if theme == "dark" else []),
                "--window-size=1000,1600",
                f"--screenshot={picture}",
                page.as_uri(),
            ],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        with Image.open(picture) as shown:
            grey = shown.convert("L")
            shades[theme] = grey.getpixel((5, 5))
            assert len(set(grey.tobytes())) > 20  # letters and drawings, no blank page
    assert shades["light"] > 200
    assert shades["dark"] < 80
