"""What a cached prediction depends on, and what it does not."""

from __future__ import annotations

import pytest

from adapters.adapter import Adapter
from adapters.identity import identify
from adapters.registry import find

TOML = """
name = "mine"
default_model = "a"
[models.a]
track = "same-data"
file = "weights/a.bin"
[models.b]
track = "as-published"
[parameters.d]
type = "float"
default = 1.0
"""


@pytest.fixture
def folder(make_adapter):
    folder = make_adapter(adapter__toml=TOML, segmenter__py="class Segmenter: ...\n")
    (folder / "weights").mkdir()
    (folder / "weights" / "a.bin").write_bytes(b"1")
    return folder


def key(folder, model=None, parameters=None, device="cpu"):
    adapter = Adapter.load(folder)
    return identify(adapter, adapter.model(model), parameters or {}, device)["key"]


def test_the_same_is_the_same(folder):
    assert key(folder) == key(folder)
    assert key(folder) == key(folder, "a", {"d": 1})
    assert key(folder, device="cuda:0") == key(folder, device="cuda:1")


def test_what_changes_it(folder):
    keys = {key(folder), key(folder, "b"), key(folder, None, {"d": 2}), key(folder, device="cuda")}
    (folder / "weights" / "a.bin").write_bytes(b"2")
    keys.add(key(folder))
    (folder / "segmenter.py").write_text("class Segmenter: 1\n")
    keys.add(key(folder))
    (folder / "segmenter.py").rename(folder / "helper.py")
    (folder / "segmenter.py").write_text("class Segmenter: 1\n")
    keys.add(key(folder))
    (folder / "requirements.txt").write_text("six==1.16.0\n")
    keys.add(key(folder))
    assert len(keys) == 8


@pytest.mark.parametrize("name", ["weights/b.bin", "weights/deep/b.bin", "lib/golden/table.txt"])
def test_weights_that_no_model_declares_change_it(folder, name):
    path = folder / name
    path.parent.mkdir(exist_ok=True, parents=True)
    keys = set()
    for text in ("1", "2"):
        path.write_text(text)
        keys |= {key(folder, "a"), key(folder, "b")}
    assert len(keys) == 4


def test_weights_of_one_model_are_no_matter_to_another(folder):
    before = key(folder, "b")
    (folder / "weights" / "a.bin").write_bytes(b"2")
    assert key(folder, "b") == before


def test_what_does_not(folder):
    before = key(folder)
    for name in ("__pycache__/x.pyc", ".git/config", "golden/image.tif", ".DS_Store"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("x")
    assert key(folder) == before
    assert key(folder.rename(folder.with_name("moved"))) == before


def test_weights_may_be_a_folder(folder, tmp_path):
    weights = tmp_path / "w"
    (weights / "deep").mkdir(parents=True)
    (weights / "deep" / "a").write_text("1")
    digests = []
    for text in ("1", "2"):
        (weights / "deep" / "a").write_text(text)
        adapter, model = find(f"{folder}:{weights}")
        digests.append(identify(adapter, model, {}, "cpu")["weights"])
    assert None not in digests
    assert digests[0] != digests[1]


def test_weights_fetched_by_the_algorithm_have_no_digest(folder):
    adapter = Adapter.load(folder)
    assert identify(adapter, adapter.model("b"), {}, "cpu")["weights"] is None
