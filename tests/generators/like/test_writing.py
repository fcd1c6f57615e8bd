"""A fitted recipe is read back as it was."""

from __future__ import annotations

import tomllib

import pytest

from generators.like.writing import toml


def test_a_document_is_read_back_as_it_was():
    document = {
        "name": 'a "b" \\ é',
        "size": [192, 256],
        "splits": {"train": 3, "test": 0},
        "optics": {"snr": {"min": 0.5, "max": 20.0, "scale": "log"}, "blur": {"choices": [1, 2]}},
        "camera": {"gain": 1e-05, "offset": 0.0, "bit_depth": 12},
    }
    assert tomllib.loads(toml(document, "two words")) == document


@pytest.mark.parametrize("name", ["a\nname = 1", "a\rb", "bell\x07", "\udcff", "a\u2028b"])
def test_no_name_of_a_folder_breaks_the_comment(name):
    text = toml({"name": "x"}, f"Fitted to {name}.")
    assert tomllib.loads(text.encode().decode()) == {"name": "x"}
    assert text.splitlines()[0].startswith("# Fitted to ")
    assert len(text.splitlines()) == 2
