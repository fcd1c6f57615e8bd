from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "agreement.md"


def test_the_page_speaks_of_the_pinned_versions():
    pins = {}
    for file in HERE.glob("*/requirements.txt"):
        for line in file.read_text(encoding="utf-8").splitlines():
            name, _, version = line.partition("==")
            pins[name.lower(), version] = file
    told = re.findall(
        r"^\| ([a-z-]+) (\d+(?:\.\d+)+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert len(set(told)) == 8
    assert set(told) <= pins.keys()
