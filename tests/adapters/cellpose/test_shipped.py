"""The shipped weights, as far as they can be read without torch."""

from __future__ import annotations

import json
import math
import struct

from adapters.registry import find


def header(path):
    """Return names, shapes and types from a safetensors file."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        tensors = json.loads(file.read(length))
    tensors.pop("__metadata__", None)
    return tensors


def test_the_default_model_is_shipped_whole():
    adapter, model = find("cellpose")
    assert (model.name, model.track) == ("cellgen", "same-data")
    tensors = header(adapter.folder / model.file)
    statistics = {n for n in tensors if n.endswith(("_mean", "_var", "_tracked"))} - {"diam_mean"}
    learned = set(tensors) - statistics
    assert sum(math.prod(tensors[name]["shape"]) for name in learned) == 6_600_845


def test_the_published_models_say_what_their_weights_may_be_used_for():
    adapter, _ = find("cellpose")
    for name in ("cyto3", "nuclei"):
        assert adapter.model(name).track == "as-published"
        assert "CC-BY-NC" in adapter.model(name).licence


def test_every_requirement_is_pinned():
    for line in find("cellpose")[0].requirements.read_text().splitlines():
        assert "==" in line
        assert "+" not in line  # a build for one kind of machine


def test_the_model_card_tells_how_to_make_the_weights_again():
    card = (find("cellpose")[0].folder / "weights" / "README.md").read_text()
    for part in ("bench generate train", "bench train cellpose", "sha256", "BSD-3-Clause"):
        assert part in card
