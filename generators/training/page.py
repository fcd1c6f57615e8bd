"""How a training goes, as one HTML file that needs nothing else: `index.html` in its folder."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from benchmark.files import write_bytes
from generators.training.charts import Chart
from generators.training.display import duration
from generators.training.statistics import series

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from generators.training.statistics import Line

PAGE = "index.html"
_GRIDS = 6  # the latest, and the first
_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class Story:
    """What the page tells.

    Parameters
    ----------
    title
        Of the page.
    settings
        By name of the option.
    about
        What else is known, by name.
    lines
        Of the statistics; at least one.
    """

    title: str
    settings: Mapping[str, Any]
    about: Mapping[str, Any]
    lines: Sequence[Line]


@dataclass(frozen=True)
class Picture:
    """A picture inside of the page."""

    name: str
    source: str

    @classmethod
    def of(cls, path: Path) -> Picture:
        """Read a PNG file."""
        data = base64.b64encode(path.read_bytes()).decode()
        return cls(path.stem, f"data:image/png;base64,{data}")


def write(folder: Path, story: Story) -> None:
    """Write the page of a training's folder, with the grids that lie there.

    Raises
    ------
    RunError
        The disk is full.
    """
    write_bytes(folder / PAGE, rendered(folder, story).encode())


def rendered(folder: Path, story: Story) -> str:
    """Return the page as HTML."""
    last = story.lines[-1]
    left = last["timing"]["seconds_left"]
    fakes = sorted(folder.glob("fakes*.png"))
    shown = fakes[-_GRIDS:] if len(fakes) <= _GRIDS else [fakes[0], *fakes[1 - _GRIDS :]]
    reals = folder / "reals.png"
    return _TEMPLATES.get_template("progress.html.j2").render(
        title=story.title,
        folder=folder.name,
        kimg=f"{last['pictures'] / 1000:g}",
        spent=duration(last["timing"]["seconds"]),
        left=duration(left) if left else None,
        rate=f"{last['timing']['pictures_per_second']:.3g}",
        groups=[
            (heading, [Chart(name, points) for name, points in series(story.lines, group).items()])
            for heading, group in (("Metrics", "metrics"), ("Figures", "figures"))
        ],
        reals=Picture.of(reals) if reals.exists() else None,
        fakes=[Picture.of(path) for path in reversed(shown)],
        settings=story.settings,
        about=_flat(story.about),
    )


def _flat(about: Mapping[str, Any]) -> dict[str, Any]:
    """Return values by name, of mappings in mappings too.

    Examples
    --------
    >>> _flat({"versions": {"torch": "2.6"}, "data": "x"})
    {'versions torch': '2.6', 'data': 'x'}
    """
    flat: dict[str, Any] = {}
    for name, value in about.items():
        if isinstance(value, dict):
            flat |= {f"{name} {key}": part for key, part in value.items()}
        else:
            flat[name] = value
    return flat
