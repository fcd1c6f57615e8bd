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
    adapter, model = find("u2net")
    assert (model.name, model.track) == ("cellgen", "same-data")
    tensors = header(adapter.folder / model.file)
    learned = [name for name in tensors if not name.endswith(("_mean", "_var", "_tracked"))]
    assert sum(math.prod(tensors[name]["shape"]) for name in learned) == 1_133_510


def test_the_authors_models_are_offered_as_published():
    for name in ("u2net", "u2netp"):
        _, model = find(f"u2net:{name}")
        assert (model.track, model.licence, model.file) == ("as-published", "Apache-2.0", None)


def test_every_requirement_is_pinned():
    for line in find("u2net")[0].requirements.read_text().splitlines():
        assert "==" in line
        assert "+" not in line  # a build for one kind of machine


def test_the_model_card_tells_how_to_make_the_weights_again():
    card = (find("u2net")[0].folder / "weights" / "README.md").read_text()
    for part in ("bench generate train", "bench train u2net", "sha256", "BSD-3-Clause"):
        assert part in card
