"""A fitted recipe as a TOML file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def toml(document: Mapping[str, Any], comment: str = "") -> str:
    """Return a recipe's document as TOML: keys, then a table for each section.

    The comment is one line; what cannot be printed in it, such as a line's end, becomes `?`.

    Examples
    --------
    >>> print(toml({"name": "a", "optics": {"snr": {"min": 1.0, "max": 2.0}}}, "Fitted"), end="")
    # Fitted
    name = "a"
    <BLANKLINE>
    [optics]
    snr = { min = 1.0, max = 2.0 }
    """
    printed = "".join(c if c.isprintable() else "?" for c in comment)
    lines = [f"# {printed}"] if printed else []
    lines += [f"{key} = {_value(v)}" for key, v in document.items() if not isinstance(v, dict)]
    for section, table in document.items():
        if isinstance(table, dict):
            lines += ["", f"[{section}]", *(f"{key} = {_value(v)}" for key, v in table.items())]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(v)}" for key, v in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    # Strings and numbers of JSON are those of TOML.
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
