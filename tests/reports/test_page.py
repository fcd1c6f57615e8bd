from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess

import pandas as pd
import pytest

from adapters.errors import BenchError
from reports.commands import report
from reports.page import write_report

FILES = {
    "leaderboard.csv",
    "leaderboard.json",
    "results.parquet",
    "scores.parquet",
    "run.json",
}


@pytest.fixture(scope="module")
def read(reader):
    """Return a function that writes a run's page and reads it."""
    return lambda run: reader(write_report(run).read_text())


@pytest.fixture(scope="module")
def page(finished_run, read):
    """The page about the run that no test changes."""
    return read(finished_run)


def test_says_what_was_compared_and_who_leads(page, finished_run):
    plan = json.loads((finished_run / "run.json").read_text())
    for text in (
        "Trained on the same data, cellpose:cellgen ranks first of 2",
        "discs 1.2.3",
        plan["dataset"]["digest"],
        "CC0-1.0",
        "skipped on 6 of 6: the weights <cyto3> are not here",
        "diameter = 30.0",
        "00" * 32,
        "AP against the IoU threshold",
    ):
        assert text in page.text, text


def test_shows_every_row_of_the_leaderboard_by_track(page, finished_run):
    source = (finished_run / "report.html").read_text()
    board = json.loads((finished_run / "leaderboard.json").read_text())
    table = source[source.index('<table class="board">') : source.index("</table>")]
    bodies = table.split("<tbody")[1:]
    assert len(bodies) == 4
    assert 'class="controls"' in bodies[-1]
    for row in board["rows"]:
        [line] = re.findall(
            rf'<th scope="row" data-value="{row["algorithm"]}(?::{row["model"]})?">.*?</tr>',
            table,
            flags=re.DOTALL,
        )
        values = re.findall(r'<td[^>]* data-value="([^"]*)"', line)
        expected = [row[name] for name in ("mean_ap", "ap50", "ap75", "f1_50")]
        assert [float(v) if v else None for v in values[1:5]] == expected
    for text in ("Trained on the same data", "As published", "Classical methods", "Controls"):
        assert text in table


def test_columns_have_buttons_and_rows_have_headers(page):
    assert [a["type"] for a in page.all("button")] == ["button"] * 11
    assert len([a for a in page.all("th") if a.get("scope") == "col"]) >= 11


def test_three_examples_for_each_that_has_results(page):
    overlays = [a for a in page.all("svg") if a.get("class") == "overlay"]
    assert len(overlays) == 5 * 3  # all but cellpose:cyto3
    for attributes in overlays:
        assert re.search(
            r"disc\d\d segmented by \S+: \d+ objects predicted", attributes["aria-label"]
        )
    for attributes in page.all("image"):
        assert attributes["href"].startswith("data:image/webp;base64,")


def test_loads_nothing_and_allows_one_script(page, finished_run):
    for _, attributes in page.elements:
        for name in ("src", "href", "xlink:href", "action", "data"):
            target = attributes.get(name)
            inside = target is None or target.startswith(("data:image/", "#"))
            assert inside or target in FILES
    policy = page.all("meta")[1]["content"]
    assert policy.startswith("default-src 'none'; img-src data:;")
    source = (finished_run / "report.html").read_text()
    [script] = re.findall(r"<script>(.*?)</script>", source, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "@import" not in source
    assert "url(" not in source.replace("url(#", "")


def test_the_same_run_gives_the_same_bytes(run):
    first = write_report(run).read_bytes()
    assert write_report(run).read_bytes() == first
    assert [path.name for path in run.iterdir() if path.name.startswith(".")] == []
    assert len(first) < 400_000


HOSTILE = (
    "<script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    "\"' onmouseover=alert(1) x='",
    "{{ 7 * 7 }} {% endif %}",
    r"$\frac{@1@",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_text_from_strangers_stays_text(run, text, read):
    def change(value):
        if isinstance(value, dict):
            return {
                key: text if key in {"title", "reason", "name", "model"} else change(entry)
                for key, entry in value.items()
            }
        return [change(entry) for entry in value] if isinstance(value, list) else value

    plan = json.loads((run / "run.json").read_text())
    for entry in plan["algorithms"]:
        entry["algorithm"] = f"{entry['algorithm']}-{entry['model']}"
        entry["identity"] = {text: {text: text}}
    board = json.loads((run / "leaderboard.json").read_text())
    for row in board["rows"]:
        row["algorithm"] = f"{row['algorithm']}-{row['model']}"
    (run / "run.json").write_text(json.dumps(change(plan)))
    (run / "leaderboard.json").write_text(json.dumps(change(board)))
    for name in ("results.parquet", "scores.parquet"):
        table = pd.read_parquet(run / name)
        table["algorithm"] = table["algorithm"] + "-" + table["model"]
        table["model"] = text
        if "message" in table:
            table["message"] = text
            table.loc[table["status"] != "ok", "sample"] = text
        table.to_parquet(run / name)
    page = read(run)
    assert len(page.all("script")) == 1
    assert len(page.all("style")) == 1
    assert page.all("img") == []
    assert not any(name.startswith("on") for _, a in page.elements for name in a)
    assert page.text.count(re.sub(r"\s+", " ", text)) > 20


def test_without_its_data_set_the_page_says_so(run, read):
    plan = json.loads((run / "run.json").read_text())
    plan["dataset"]["path"] = "/long/gone"
    (run / "run.json").write_text(json.dumps(plan))
    page = read(run)
    assert "The data set is no longer where this run read it" in page.text
    assert page.all("image") == []
    assert "Trained on the same data, cellpose:cellgen ranks first" in page.text
    assert "/long/gone" not in page.text


def test_nothing_worked(make_run, read):
    page = read(make_run({"a:b": ("same-data", "A", None)}))
    assert "No segmenter produced a result." in page.text
    assert "AP against the IoU threshold" not in page.text
    assert "6 images without a result" in page.text


def test_many_failures_are_counted(make_run, read):
    page = read(make_run({"a:b": ("same-data", "A", None)}, n=23, side=20, count=1))
    assert "23 images without a result" in page.text
    assert "and 3 more" in page.text


def test_images_without_objects_are_counted(make_run, read):
    page = read(make_run(count=0))
    assert "6 (6 without any object)" in page.text


def test_the_machine_is_shown_where_the_run_recorded_it(run, read):
    plan = json.loads((run / "run.json").read_text())
    plan["machine"] = {"python": "3.12.1", "system": "Linux"}
    (run / "run.json").write_text(json.dumps(plan))
    page = read(run)
    assert re.search(r"Python\s*3\.12\.1", page.text)


def test_a_failure_leaves_the_old_page(run):
    before = write_report(run).read_bytes()
    (run / "scores.parquet").unlink()
    with pytest.raises(BenchError):
        write_report(run)
    assert (run / "report.html").read_bytes() == before


def test_command_prints_the_page(run, capsys):
    report(run)
    assert capsys.readouterr().out.strip() == str(run / "report.html")
    report(run, json=True)
    assert json.loads(capsys.readouterr().out) == {"report": str(run / "report.html")}


BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture
def dump(tmp_path):
    """Return what a browser makes of a page, as HTML."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"no browser on PATH: {', '.join(BROWSERS)}")

    def run_browser(page):
        profile = f"--user-data-dir={tmp_path / 'profile'}"
        done = subprocess.run(
            [browser, *FLAGS, profile, "--dump-dom", page.as_uri()],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run_browser


@pytest.mark.browser
def test_the_script_runs_under_the_pages_own_policy(run, dump):
    assert '<html lang="en" class="scripted">' in dump(write_report(run))


CLICKS = """
const state = () => ({
  sorts: [...document.querySelectorAll(".board [aria-sort]")].map((head) => head.ariaSort),
  bodies: [...document.querySelectorAll(".board tbody")].map((body) =>
    [...body.rows].map((row) => row.cells[0].dataset.value ?? "track")),
});
const states = [0, 0, 1, 3, 3, 3].map((column) => {
  document.querySelectorAll(".board button")[column].click();
  return state();
});
const note = document.createElement("pre");
note.textContent = "states " + JSON.stringify(states) + " end";
document.body.append(note);
"""


@pytest.mark.browser
def test_sorting_stays_inside_tracks_and_keeps_gaps_last(make_run, segmenters, dump):
    run = make_run(segmenters | {"aaa:gone": ("same-data", "Gone", None)}, n=8)
    source = write_report(run).read_text()
    # The page forbids any other script, so the copy that is clicked on has no policy.
    source = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", source)
    copy = run / "clicked.html"
    copy.write_text(source.replace("</body>", f"<script>{CLICKS}</script></body>"))
    [written] = re.findall(r"<pre>states (.*) end</pre>", dump(copy))
    states = json.loads(written)
    assert [state["sorts"] for state in states] == [
        ["ascending"],  # names from A
        ["descending"],
        ["ascending"],  # the first rank first
        ["descending"],  # the largest AP50 first
        ["ascending"],
        ["descending"],
    ]
    gone, cellpose, u2net = "aaa:gone", "cellpose:cellgen", "u2net:cellgen"
    assert [state["bodies"][0] for state in states] == [
        ["track", gone, cellpose, u2net],
        ["track", u2net, cellpose, gone],
        ["track", cellpose, u2net, gone],
        ["track", cellpose, u2net, gone],
        ["track", u2net, cellpose, gone],
        ["track", cellpose, u2net, gone],
    ]
    for state in states:
        assert [sorted(body) for body in state["bodies"][1:]] == [
            ["cellpose:cyto3", "track"],
            ["otsu-watershed", "track"],
            ["empty:none", "oracle:truth", "track"],
        ]
