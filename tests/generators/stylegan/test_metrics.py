from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from benchmark.errors import RunError  # noqa: E402
from generators.seeds import Seed  # noqa: E402
from generators.stylegan import fidelity, metrics  # noqa: E402
from generators.stylegan.metrics import Equivariance, metrics_of, pictures_of  # noqa: E402


@dataclass(frozen=True)
class Grey:
    images: np.ndarray
    classes: np.ndarray | None = None
    content: str = '{"kind": "pictures"}'
    digest: str = ""


GREY = Grey(np.zeros((6, 1, 32, 32), np.float32))


def names(text, **given):
    made = metrics_of(text, GREY, **({"rotated": False} | given))
    return [metric.name for metric in made]


def test_what_is_cheap_is_measured_by_default():
    assert names("auto") == ["eqt_int", "eqt_frac"]
    assert names("auto", rotated=True) == ["eqt_int", "eqt_frac", "eqr"]
    assert names("none") == []
    assert names("eqr, eqt_int") == ["eqt_int", "eqr"]


def test_unknown_names_get_the_nearest():
    with pytest.raises(RunError, match="no metric 'eqt_in'") as caught:
        names("eqt_in")
    assert "eqt_int" in caught.value.mend


def test_shapes_need_objects():
    with pytest.raises(RunError, match="single objects alone"):
        names("shapes")


def test_fidelity_is_refused_before_the_training(monkeypatch):
    def missing(_names):
        raise RunError("no weights")

    monkeypatch.setattr(fidelity, "require_weights", missing)
    with pytest.raises(RunError, match="no weights"):
        names("eqt_int,fid")


def test_fidelity_compares_as_many_as_there_are(monkeypatch, make):
    seen = {}

    def compared(made, real, asked, device):
        seen.update(made=made, real=real, asked=asked, device=device)
        return {"fid": 1.0}

    monkeypatch.setattr(fidelity, "require_weights", lambda _names: None)
    monkeypatch.setattr(fidelity, "fidelity", compared)
    (metric,) = metrics_of("fid,pr", GREY, rotated=False)
    assert metric(make()) == {"fid": 1.0}
    assert seen["made"].shape == seen["real"].shape == (6, 1, 32, 32)
    assert seen["asked"] == ("fid", "pr")
    assert seen["device"] == torch.device("cpu")


def test_pictures_do_not_depend_on_how_many_are_made_at_once(make, monkeypatch):
    generator = make()
    whole = pictures_of(generator, 5, Seed.root(0))
    monkeypatch.setattr(metrics, "_AT_ONCE", 2)
    assert np.allclose(pictures_of(generator, 5, Seed.root(0)), whole, atol=1e-5)


def test_classes_go_with_the_pictures(make):
    generator = make(c_dim=2)
    examples = replace(GREY, classes=np.eye(2, dtype=np.float32)[[0, 1, 0, 1, 0, 1]])
    numbers = np.array([1, 0])
    classes = metrics.classes_of(generator, examples, numbers)
    assert classes.tolist() == [[0, 1], [1, 0]]
    assert metrics.classes_of(make(), examples, numbers) is None
    one = pictures_of(generator, 2, Seed.root(0), classes)
    assert not np.allclose(one, pictures_of(generator, 2, Seed.root(0), classes[::-1].copy()))


@pytest.mark.slow
@pytest.mark.parametrize("c_dim", [0, 2])
def test_alias_free_networks_are_told_from_others(make, c_dim):
    metric = Equivariance("eqt_int", "integer", seed=0)
    free, old = (metric(make(cfg, c_dim=c_dim))["eqt_int"] for cfg in ("stylegan3-t", "stylegan2"))
    assert free > old + 15
