from __future__ import annotations

import pytest

from benchmark.errors import BenchError
from generators.commands import extra


def test_what_is_missing_is_named_with_the_way_to_get_it(monkeypatch):
    monkeypatch.setattr(extra, "find_spec", lambda name: None if name == "torch" else object())
    with pytest.raises(BenchError, match="need torch, which") as caught:
        extra.require_networks()
    assert "cellgen-bench[networks]" in caught.value.mend


def test_a_whole_installation_passes(monkeypatch):
    monkeypatch.setattr(extra, "find_spec", lambda _name: object())
    extra.require_networks()
