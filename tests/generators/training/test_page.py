from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest

pytest.importorskip("torch")

from generators.training import grids
from generators.training.page import PAGE, Story, rendered, write


def line(pictures, left=100.0):
    return {
        "tick": 1,
        "pictures": pictures,
        "figures": {"loss": 1 / pictures},
        "metrics": {"eqt_int": 60.0},
        "timing": {"seconds": 10.0, "pictures_per_second": 37.0, "seconds_left": left},
    }


def story(**changes):
    given = {
        "title": "Learning masks",
        "settings": {"gamma": 0.1, "data": "<b>nuclei</b>", "cond": None},
        "about": {"versions": {"torch": "2.6"}},
        "lines": [line(4000), line(8000)],
    }
    return Story(**(given | changes))


@pytest.fixture
def folder(tmp_path):
    for name in ("reals", *(f"fakes{k:06d}" for k in range(0, 40, 4))):
        grids.write(tmp_path / f"{name}.png", np.zeros((4, 1, 8, 8), np.float32))
    return tmp_path


def test_the_page_shows_where_it_stands(folder):
    page = rendered(folder, story())
    assert "8 kimg in 0:00:10, 37 pictures/s, 0:01:40 left" in page
    assert "finished" in rendered(folder, story(lines=[line(8000, left=0.0)]))


def test_the_latest_grids_and_the_first_are_there(folder):
    found = re.findall(r"<figcaption>(fakes\d+)", rendered(folder, story()))
    assert found == [
        "fakes000036",
        "fakes000032",
        "fakes000028",
        "fakes000024",
        "fakes000020",
        "fakes000000",
    ]


def test_a_folder_without_pictures_has_a_page(tmp_path):
    assert "eqt int" in rendered(tmp_path, story())


def test_names_are_escaped_and_what_is_not_set_is_left_out(folder):
    page = rendered(folder, story())
    assert "<b>nuclei</b>" not in page
    assert "&lt;b&gt;nuclei" in page
    assert "cond" not in page
    assert "versions torch" in page


def test_nothing_is_fetched_and_nothing_runs(folder):
    write(folder, story())
    text = (folder / PAGE).read_text(encoding="utf-8")
    assert "http:" not in text
    assert "https:" not in text
    found = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag, attrs):
            found.append((tag, dict(attrs)))

    Parser().feed(text)
    assert {"script", "link", "iframe", "object"}.isdisjoint(tag for tag, _ in found)
    sources = [attrs["src"] for _, attrs in found if "src" in attrs]
    assert len(sources) == 7
    assert all(source.startswith("data:image/png;base64,") for source in sources)


@pytest.mark.browser
def test_the_page_opens_without_a_word_of_complaint(folder):
    import shutil
    import subprocess

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium here")
    write(folder, story())
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom"]
    done = subprocess.run(
        [chromium, *flags, (folder / PAGE).as_uri()], capture_output=True, text=True, timeout=120
    )
    assert "polyline" in done.stdout
    assert "CONSOLE" not in done.stderr
