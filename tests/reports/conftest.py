"""A finished run on disk, made with the parts that make real ones."""

from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage

from benchmark.dataset import Dataset, DatasetWriter, SampleInput
from benchmark.leaderboard import leaderboard, to_csv, to_json
from benchmark.run.predictions import write_prediction
from benchmark.run.results import RESULTS_TYPES, SCORES_TYPES, figures_of, write_table
from benchmark.scoring import SCORER_VERSION, score

VOID = {"meta", "br", "img", "input", "link", "hr"}


class Reader(HTMLParser):
    """Collect a page's elements and texts, and check that what is opened is closed."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.texts, self.open = [], [], []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", "".join(self.texts))

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="session")
def reader():
    """What a page is read with."""
    return Reader


def cells(seed, *, side=96, count=9):
    """Return an image (1, Y, X) of blurred discs and its labels (Y, X)."""
    generator = np.random.default_rng(seed)
    labels = np.zeros((side, side), np.uint16)
    y, x = np.ogrid[:side, :side]
    for label in range(1, count + 1):
        cy, cx = generator.uniform(0, side, 2)
        labels[(y - cy) ** 2 + (x - cx) ** 2 < generator.uniform(5, 9) ** 2] = label
    light = ndimage.gaussian_filter((labels > 0) * generator.uniform(300, 900), 1.2)
    return generator.poisson(light + 80)[None].astype(np.uint16), labels


def eroded(pixels):
    """Return a segmenter that finds each object with so many pixels missing all round."""

    def segment(truth):
        inner = ndimage.binary_erosion(truth > 0, iterations=pixels) if pixels else truth > 0
        return truth * inner

    return segment


SEGMENTERS = {
    "cellpose:cellgen": ("same-data", "Cellpose 3", eroded(1)),
    "u2net:cellgen": ("same-data", "U2-Net", eroded(2)),
    "cellpose:cyto3": ("as-published", "Cellpose 3", None),
    "otsu-watershed:default": (
        "classical",
        "Otsu and watershed",
        lambda truth: ndimage.label(truth)[0],
    ),
    "oracle:truth": ("control", "Oracle", eroded(0)),
    "empty:none": ("control", "Empty", np.zeros_like),
}


def entry_of(name, title, track, number):
    algorithm, _, model = name.partition(":")
    return {
        "algorithm": algorithm,
        "model": model,
        "title": title,
        "track": track,
        "key": f"{number:016x}",
        "identity": {
            "environment": f"{number}" * 64,
            "weights": None,
            "parameters": {"diameter": 30.0},
            "device": "cpu",
        },
    }


def result_of(entry, dataset, sample, found, key):
    """Return the row of results and the rows of scores of one image; None has failed."""
    truth = dataset.read_labels(sample, "nuclei")
    scored = score(truth, np.zeros_like(truth) if found is None else found).to_dict()
    names = {"algorithm": entry["algorithm"], "model": entry["model"], "sample": sample}
    ok = found is not None
    result = {
        **names,
        "track": entry["track"],
        "scene": dataset.row(sample)["scene"],
        "split": "test",
        "status": "ok" if ok else "skipped",
        "message": None if ok else "the weights <cyto3> are not here",
        "seconds": 0.25 if ok else None,
        "peak_mb": 512.0 if ok else None,
        "prediction": f"predictions/{key}/{sample}.tif" if ok else None,
        **figures_of(scored),
    }
    per_threshold = [
        {**names, "threshold": threshold}
        | {name: scored[name][i] for name in ("tp", "fp", "fn", "ap", "f1", "precision", "recall")}
        for i, threshold in enumerate(scored["thresholds"])
    ]
    return result, per_threshold


def write_run(folder, dataset, segmenters):
    """Write the folder of a run of `segmenters` on the test split."""
    folder.mkdir()
    results, scores, entries = [], [], []
    for number, (name, (track, title, segment)) in enumerate(segmenters.items()):
        entry = entry_of(name, title, track, number)
        entries.append(entry)
        for sample in dataset.ids(split="test"):
            truth = dataset.read_labels(sample, "nuclei")
            found = None if segment is None else np.asarray(segment(truth)).astype(np.uint16)
            if found is not None:
                write_prediction(folder / "predictions" / entry["key"] / f"{sample}.tif", found)
            result, rows = result_of(entry, dataset, sample, found, entry["key"])
            results.append(result)
            scores += rows
    described = {
        "name": dataset.name,
        "version": dataset.version,
        "digest": dataset.digest,
        "split": "test",
        "target": "nuclei",
        "n": len(dataset.ids(split="test")),
    }
    results = pd.DataFrame(results, columns=list(RESULTS_TYPES)).astype(RESULTS_TYPES)
    scores = pd.DataFrame(scores, columns=list(SCORES_TYPES)).astype(SCORES_TYPES)
    board = leaderboard(described, results, scores)
    plan = {
        "format": 1,
        "dataset": {**described, "path": str(dataset.path)},
        "device": "cpu",
        "scorer": SCORER_VERSION,
        "algorithms": entries,
    }
    (folder / "run.json").write_text(json.dumps(plan))
    (folder / "leaderboard.json").write_bytes(to_json(board))
    (folder / "leaderboard.csv").write_bytes(to_csv(board["rows"]))
    write_table(results, folder / "results.parquet")
    write_table(scores, folder / "scores.parquet")
    return folder


def build(folder, segmenters, n=6, **options):
    """Write a data set and a run on it into `folder`; return the run's folder."""
    path = folder / "discs"
    with DatasetWriter(path, name="discs", version="1.2.3", licence="CC0-1.0") as writer:
        for seed in range(n):
            image, labels = cells(seed, **options)
            writer.add(SampleInput(id=f"disc{seed:02}", image=image, labels={"nuclei": labels}))
    return write_run(folder / "run", Dataset.open(path), segmenters)


@pytest.fixture
def segmenters():
    return SEGMENTERS


@pytest.fixture
def make_run(tmp_path):
    """Write a run; `segmenters` maps a name to a track, a title and a function of the truth."""

    def make(segmenters=SEGMENTERS, **options):
        return build(tmp_path, segmenters, **options)

    return make


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory):
    return build(tmp_path_factory.mktemp("reports"), SEGMENTERS)


@pytest.fixture
def run(finished_run, tmp_path):
    """A run's folder to change at will; its data set is everyone's."""
    return shutil.copytree(finished_run, tmp_path / "run")
