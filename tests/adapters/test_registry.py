"""Names of segmenters, and what they lead to."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from adapters import registry
from adapters.errors import AdapterError, UnknownAlgorithmError, UnknownModelError
from adapters.registry import find, folders

SEGMENTER = "class Segmenter: ...\n"


@pytest.mark.parametrize("name", ["oracle", "empty", "random", "otsu-watershed"])
def test_shipped_adapters_are_named_as_their_folders(name):
    adapter, model = find(name)
    assert adapter.name == name
    assert adapter.folder.name == name.replace("-", "_")
    assert model.track == ("classical" if name == "otsu-watershed" else "control")


def test_every_shipped_folder_loads_under_its_own_name():
    for name, folder in folders().items():
        adapter, _ = find(name)
        assert (adapter.name, adapter.folder) == (name, folder)
        assert adapter.summary
        assert adapter.licence.code != "unstated"


@pytest.mark.parametrize("text", ["{folder}", "{folder}/", "./mine", "mine", "~/mine"])
def test_a_folder_may_stand_for_a_name(make_adapter, monkeypatch, text):
    folder = make_adapter(segmenter__py=SEGMENTER)
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("HOME", str(folder.parent))
    adapter, model = find(text.format(folder=folder))
    assert (adapter.folder, model.name) == (folder, "default")


def test_a_shipped_name_wins_over_a_folder(make_adapter, monkeypatch):
    folder = make_adapter(name="oracle", segmenter__py=SEGMENTER)
    monkeypatch.chdir(folder.parent)
    assert find("oracle")[0].folder != folder


@pytest.mark.parametrize("name", ["oracle", "Oracle", "otsu_watershed"])
@pytest.mark.parametrize("weights", ["", ":./w"])
def test_an_own_folder_cannot_pass_for_a_shipped_adapter(make_adapter, monkeypatch, name, weights):
    folder = make_adapter(name=name, files={"../w": "1"}, segmenter__py=SEGMENTER)
    monkeypatch.chdir(folder.parent)
    with pytest.raises(AdapterError, match=r"(?s)name of a shipped adapter.*rename the folder"):
        find(f"./{name}{weights}")
    toml = 'name = "mine"\n[models.m]\ntrack = "own"\n'
    (folder / "adapter.toml").write_text(toml)
    assert find(f"./{name}{weights}")[0].name == "mine"


def test_a_shipped_adapter_may_be_named_by_its_folder():
    for name, folder in folders().items():
        assert find(str(folder))[0].name == name


def test_a_folder_s_name_need_not_be_an_adapter_s(make_adapter):
    for name, made in (("my algo (2)", "my-algo-2"), ("_x", "x"), ("細胞", "own")):
        assert find(str(make_adapter(name=name, segmenter__py=SEGMENTER)))[0].name == made


def test_own_weights_cannot_pass_for_a_declared_model(make_adapter, monkeypatch, tmp_path):
    (tmp_path / "cyto3").touch()
    monkeypatch.chdir(tmp_path)
    assert find("cellpose:cyto3")[1].path is None
    _, own = find("cellpose:./cyto3")
    assert (own.name, own.track, own.path) == ("own-cyto3", "own", tmp_path / "cyto3")


def test_weights_may_stand_for_a_model(make_adapter, monkeypatch, tmp_path):
    folder = make_adapter(segmenter__py=SEGMENTER)
    weights = tmp_path / "w" / "net.bin"
    weights.parent.mkdir()
    weights.write_bytes(b"1")
    monkeypatch.chdir(tmp_path)
    for text in (f"{folder}:{weights}", "./mine:./w/net.bin", "mine:w/net.bin"):
        _, model = find(text)
        assert (model.name, model.argument) == ("net.bin", str(weights))
        assert model.track == "own"


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("orcale", UnknownAlgorithmError, "no algorithm 'orcale'.*did you mean 'oracle'"),
        ("./nowhere", UnknownAlgorithmError, "there is no folder ./nowhere"),
        ("oracle:best", UnknownModelError, "no model 'best'.*default"),
        ("oracle:./best", UnknownModelError, "there are no weights at ./best"),
        ("./bare", AdapterError, "the folder is no adapter"),
    ],
)
def test_a_wrong_name_is_explained(tmp_path, monkeypatch, text, error, message):
    (tmp_path / "bare").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match="(?s)" + message):
        find(text)


def test_an_installed_package_offers_an_adapter(make_adapter, monkeypatch):
    source = "raise RuntimeError('finding it must not import it')\n"
    toml = 'name = "theirs"\n[models.m]\ntrack = "as-published"\n'
    texts = {"__init__.py": source, "adapter.toml": toml, "segmenter.py": SEGMENTER}
    folder = make_adapter(name="theirs_x", files=texts)
    monkeypatch.setattr(sys, "path", [*sys.path, str(folder.parent)])
    inner = make_adapter(
        name="theirs_x/inner",
        files={"adapter.toml": toml.replace("theirs", "inner"), "segmenter.py": SEGMENTER},
    )
    points = [
        EntryPoint("theirs", "theirs_x", registry.ENTRY_POINTS),
        EntryPoint("inner", "theirs_x.inner", registry.ENTRY_POINTS),
        EntryPoint("no-part", "theirs_x.gone", registry.ENTRY_POINTS),
        EntryPoint("oracle", "theirs_x", registry.ENTRY_POINTS),
        EntryPoint("others", "theirs_x", registry.ENTRY_POINTS),
        EntryPoint("gone", "no_such_package", registry.ENTRY_POINTS),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    assert find("theirs")[0].folder == folder
    assert find("inner")[0].folder == inner
    assert "theirs_x" not in sys.modules
    assert Path(folders()["oracle"]).name == "oracle"
    assert not {"gone", "no-part"} & set(folders())
    with pytest.raises(AdapterError, match="'others' calls itself 'theirs'"):
        find("others")


def test_a_package_that_breaks_the_import_system_hides_no_other(monkeypatch):
    class Broken:
        def find_spec(self, name, path=None, target=None):
            if name == "broken_x":
                raise RuntimeError("no licence found")

    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    points = [EntryPoint("broken", "broken_x", registry.ENTRY_POINTS)]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    assert "broken" not in folders()
    assert "oracle" in folders()
