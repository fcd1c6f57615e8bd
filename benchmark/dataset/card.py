"""`DATACARD.md`: what a data set is, how it was made, what it is not, for those who read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmark.dataset.released import release_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from benchmark.dataset.manifest import Manifest

FILE_NAME = "DATACARD.md"

_NO_FACTORS = ("id", "split", "scene", "seed", "image", "height", "width")

_LIMITS = """\
- Labels are exact for what was drawn; that is no proof that real cells look like this.
  `bench dataset audit` says how far they do.
- A ranking of segmenters on these images holds for these images: they show one kind of specimen,
  without most of what goes wrong in a laboratory.
- Objects that lie wholly under others, or outside the frame, have no pixels in the labels."""


def write(
    folder: Path,
    manifest: Manifest,
    samples: pd.DataFrame,
    figures: Sequence[tuple[str, str]] = (),
) -> Path:
    """Write the card of a generated data set into its folder.

    Like croissant.json it is derived, and no part of the digest.

    Parameters
    ----------
    folder
        Of the data set.
    manifest, samples
        What the data set says of itself.
    figures
        Names and values of what an audit found, if there was one.
    """
    path = folder / FILE_NAME
    path.write_text(text(manifest, samples, figures), encoding="utf-8")
    return path


def text(manifest: Manifest, samples: pd.DataFrame, figures: Sequence[tuple[str, str]] = ()) -> str:
    """Return the card as Markdown."""
    recipe = manifest.recipe.content if manifest.recipe else {}
    blocks = [
        f"# {_plain(manifest.name)} {manifest.version}",
        _plain(manifest.source) or "Microscopy images with instance labels.",
        _table(_facts(manifest, samples)),
        "## How it was made",
        *_origin(manifest, recipe),
        "## What varies",
        _table(_factors(samples)) if _factors(samples) else "Nothing is recorded as varying.",
        "## What an audit found",
        _table(figures) if figures else "Not audited: `bench dataset audit` measures it.",
        "## Limits",
        _LIMITS,
        "## Licence",
        f"{_plain(manifest.licence)}."
        + (f" Cite: {_plain(manifest.citation)}" if manifest.citation else ""),
    ]
    return "\n\n".join(blocks) + "\n"


def _facts(manifest: Manifest, samples: pd.DataFrame) -> list[tuple[str, str]]:
    splits = ", ".join(f"{count} {split}" for split, count in manifest.splits.items())
    objects = ", ".join(
        f"{int(samples[f'n_{target}'].sum()):,} {target}" for target in manifest.targets
    )
    sizes = sorted(
        {f"{int(h)} x {int(w)}" for h, w in zip(samples["height"], samples["width"], strict=True)}
    )
    micrometres = manifest.pixel_size_um
    return [
        ("samples", splits),
        ("objects", objects),
        ("channels", ", ".join(manifest.channels)),
        ("size, px", ", ".join(sizes[:4]) + (" and others" if len(sizes) > 4 else "")),
        ("pixel size", "not stated" if micrometres is None else f"{micrometres:g} µm"),
        ("labels", manifest.labels_note),
        ("digest", f"`{manifest.digest}`"),
    ]


def _origin(manifest: Manifest, recipe: Mapping[str, Any]) -> list[str]:
    if not recipe:
        return ["Imported: the images were not made by this package."]
    seed = recipe.get("seed", 0)
    name = _plain(str(recipe.get("name")))
    lines = [
        f"Generated from the recipe `{name}` in `dataset.json`, seed {seed}.",
        "The same recipe, seed and versions give the same digest.",
    ]
    release = release_of(manifest)
    if release is not None:
        part = set(manifest.splits) != set(release.splits)
        again = release.command + (f" --only {release.shipped[0]}" if part else "")
        lines.append(f"This is a release. Made again by `{again} --out FOLDER`.")
        if part:
            lines.append(f"This is a part of it; all of it: `{release.command} --out FOLDER`.")
    if manifest.networks:
        named = ", ".join(f"{name} (`{d[:12]}`)" for name, d in manifest.networks.items())
        lines.append(f"Networks used: {named}.")
    return lines


def _factors(samples: pd.DataFrame) -> list[tuple[str, str]]:
    """Return what differs between samples, numbers as ranges."""
    found = []
    for column in samples.columns:
        if column in _NO_FACTORS or column.startswith(("digest_", "n_")):
            continue
        known = samples[column].dropna()
        if known.nunique() < 2:
            continue
        if known.dtype.kind in "fiu":
            found.append((column, f"{known.min():.4g} to {known.max():.4g}"))
        else:
            values = sorted(map(str, known.unique()))
            found.append((column, ", ".join(map(_plain, values[:12]))))
    return found


def _table(rows: Sequence[tuple[str, str]]) -> str:
    lines = ["| | |", "|---|---|"]
    return "\n".join([*lines, *(f"| {_cell(name)} | {_cell(value)} |" for name, value in rows)])


def _cell(value: str) -> str:
    return _plain(value).replace("|", "\\|")


def _plain(value: str) -> str:
    """Return one line without what Markdown or HTML would make more of than text."""
    return " ".join(value.replace("<", "&lt;").replace("[", "\\[").split())
