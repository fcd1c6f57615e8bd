from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import replace

import pandas as pd
import pyarrow.parquet as pq
import pytest

from benchmark.dataset.builtin import builtin_path


@pytest.fixture
def dataset(make_dataset, make_sample):
    sample = make_sample("a")
    label = int(sample.labels["nuclei"].max())
    outline = {"target": ["nuclei"], "label": [label], "outline": [[1.0, 2.0, 3.0, 4.0]]}
    sample = replace(sample, objects=pd.DataFrame(outline), factors={"crowded": True})
    return make_dataset(samples=[sample], citation="A. Uthor, 2024", source="https://example.org/x")


def described(dataset):
    return json.loads((dataset.path / "croissant.json").read_text())


def test_it_says_what_the_manifest_says(dataset):
    found = described(dataset)
    assert found["@type"] == "sc:Dataset"
    assert found["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    assert (found["name"], found["version"]) == ("small", "1.0.0")
    assert found["identifier"] == f"sha256:{dataset.digest}"
    assert found["citeAs"] == "A. Uthor, 2024"
    assert found["url"] == "https://example.org/x"


def test_each_table_is_there_with_its_checksum_and_all_its_columns(dataset):
    found = described(dataset)
    files = {file["@id"]: file for file in found["distribution"]}
    assert set(files) == {"samples.parquet", "objects.parquet", "spots.parquet"}
    for name, file in files.items():
        content = (dataset.path / file["contentUrl"]).read_bytes()
        assert file["sha256"] == hashlib.sha256(content).hexdigest(), name
    for records in found["recordSet"]:
        table = pq.read_table(dataset.path / f"{records['name']}.parquet")
        assert [field["source"]["extract"]["column"] for field in records["field"]] == (
            table.column_names
        )
        for field in records["field"]:
            assert field["source"]["fileObject"]["@id"] in files


def test_types_follow_the_columns(dataset):
    types = {
        field["@id"]: (field["dataType"], field.get("repeated", False))
        for records in described(dataset)["recordSet"]
        for field in records["field"]
    }
    assert types["samples/id"] == ("sc:Text", False)
    assert types["samples/height"] == ("sc:Integer", False)
    assert types["samples/crowded"] == ("sc:Boolean", False)
    assert types["objects/snr"] == ("sc:Float", False)
    assert types["objects/outline"] == ("sc:Float", True)


def test_every_word_it_uses_is_in_its_context(dataset):
    found = described(dataset)
    context = found.pop("@context")
    own = {"name", "description", "version", "identifier", "license", "distribution", "url"}
    own |= {"contentUrl", "encodingFormat", "sha256"}  # of schema.org, the context's vocabulary

    def words(value):
        if isinstance(value, dict):
            yield from (key for key in value if not key.startswith("@"))
            for inner in value.values():
                yield from words(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from words(inner)

    assert set(words(found)) <= own | set(context)


READ = """
import sys, mlcroissant
for path in sys.argv[1:]:
    described = mlcroissant.Dataset(jsonld=path)
    assert not described.metadata.issues.errors
    print(next(iter(described.records("samples")))["samples/id"].decode())
"""


@pytest.mark.slow
def test_its_own_validator_takes_it_and_reads_the_tables(dataset, tmp_path):
    """In a process of its own: its libraries warn of each other."""
    paths = [dataset.path / "croissant.json", builtin_path() / "croissant.json"]

    def read(*these):
        return subprocess.run(
            [sys.executable, "-W", "ignore", "-c", READ, *these], capture_output=True, text=True
        )

    done = read(*paths)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["a", "test-0000"]
    broken = shutil.copytree(dataset.path, tmp_path / "broken") / "croissant.json"
    broken.write_text(broken.read_text().replace('"sc:Dataset"', '"sc:Thing"'))
    assert read(broken).returncode != 0
