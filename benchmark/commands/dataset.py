"""`bench dataset`: inspect, verify, import and export data sets."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path  # noqa: TC003 - cyclopts reads the annotations
from typing import Annotated, Any

from cyclopts import App, Parameter
from rich.table import Table
from rich.text import Text

from adapters import console
from benchmark.dataset import (
    Dataset,
    Finding,
    compare_versions,
    export,
    import_folder,
    seen,
    verify,
)
from benchmark.dataset.builtin import located
from benchmark.dataset.importing import name_of
from benchmark.errors import DatasetError

app = App(name="dataset", help="Inspect, verify, import, export and audit data sets.")
app.command(
    "benchmark.commands.dataset_audit:audit",
    name="audit",
    help="Audit a generated data set against real images: labels, looks, use, variety.",
)
app.command(
    "benchmark.commands.dataset_card:write_card",
    name="card",
    help="Write the data card of a data set, with the figures of its audit.",
)
app.command(
    "benchmark.commands.dataset_released:released",
    name="released",
    help="List the data sets that were released, and their digests.",
)

Flag = Annotated[bool, Parameter(negative="")]


@app.command
def info(dataset: str, *, json: Flag = False) -> None:
    """Show what a data set holds.

    Parameters
    ----------
    dataset
        The folder of a data set, or the name of one that is shipped, such as `builtin`.
    json
        Print JSON instead of a table.
    """
    opened = Dataset.open(dataset)
    facts = _facts(opened)
    if json:
        console.print_json(facts)
        return
    table = Table(show_header=False, box=None)
    for name, value in facts.items():
        if value not in (None, "", {}, []):
            table.add_row(Text(name.replace("_", " ")), Text(_readable(value)))
    console.out.print(table)


@app.command(name="verify")
def verify_(dataset: str, *, against: str | None = None, json: Flag = False) -> None:
    """Compare every image, label, table and the manifest with its digest.

    Exit code: 0 intact, 1 not, 2 wrong usage.

    Parameters
    ----------
    dataset
        The folder of a data set, or the name of one that is shipped, such as `builtin`.
    against
        An earlier version of it: does the number of the version say how much changed?
    json
        Print JSON instead of lines.
    """
    path = located(dataset)
    if not path.is_dir():
        raise DatasetError(
            "there is no such folder", where=path, mend="name the folder of a data set"
        )
    with console.counting("verifying") as tell:
        findings = verify(path, progress=tell)
    opened = None
    if not findings:
        opened = Dataset.open(path)
        findings += _version_findings(opened, against)
    if json:
        rows = [asdict(finding) for finding in findings]
        digest = opened.digest if opened else None
        console.print_json({"intact": not findings, "digest": digest, "findings": rows})
    elif findings:
        for finding in findings:
            console.out.print(f"{finding.where}: {finding.what}")
        console.err.print(f"not intact: {len(findings)} findings", soft_wrap=True)
    elif opened:
        console.out.print(f"intact: {opened.name} {opened.version}, digest {opened.digest}")
    sys.exit(1 if findings else 0)


@app.command(name="import")
def import_(
    folder: Path,
    *,
    out: Path,
    name: str | None = None,
    version: str = "1.0.0",
    layout: str | None = None,
    target: str = "nuclei",
    binary: bool | None = None,
    channels: str | None = None,
    licence: str = "",
    citation: str = "",
    source: str = "",
    pixel_size: float | None = None,
    workers: int | None = None,
    json: Flag = False,
) -> None:
    """Make a data set of a folder of images with labels.

    Parameters
    ----------
    folder
        The folder, as it is.
    out
        The data set to make. It must not exist; it appears when it is complete.
    name
        What to call it; by default the name of the folder.
    version
        MAJOR.MINOR.PATCH; another content under the same name needs another version.
    layout
        folders, stardist, cellpose, ctc or format1; by default recognised.
    target
        What the labels are of: nuclei or cells.
    binary
        Take connected regions of binary masks as objects. `--no-binary` takes every value as a
        label; by default what looks like a binary mask is refused.
    channels
        Names of the channels, separated by commas.
    licence
        Under which terms the images may be used, such as CC0-1.0.
    citation
        Whom to cite.
    source
        Where the images come from, such as an address.
    pixel_size
        Micrometres per pixel.
    workers
        Threads, by default one a processor. They do not change the result.
    json
        Print JSON instead of lines.
    """
    given = {
        "licence": licence,
        "citation": citation,
        "source": source,
        "pixel_size_um": pixel_size,
    }
    with console.counting(f"importing {folder.name}") as tell:
        made = import_folder(
            folder,
            out,
            name=name or name_of(folder),
            version=version,
            layout=layout,
            target=target,
            binary=binary,
            channels=tuple(channels.split(",")) if channels else None,
            workers=workers,
            progress=tell,
            remember=True,
            **{field: value for field, value in given.items() if value},
        )
    if json:
        console.print_json({"path": str(made.path), **_facts(made)})
        return
    counts = ", ".join(f"{count} {split}" for split, count in made.manifest.splits.items())
    console.out.print(f"{made.name} {made.version}: {counts}")
    console.out.print(f"digest {made.digest}")
    console.out.print(f"in {made.path}")


@app.command(name="export")
def export_(
    dataset: str, *, out: Path, layout: str, target: str | None = None, json: Flag = False
) -> None:
    """Write a data set in the layout of another tool.

    Parameters
    ----------
    dataset
        The folder of a data set, or the name of one that is shipped, such as `builtin`.
    out
        The folder to make. It must not exist; it appears when it is complete.
    layout
        folders, stardist, cellpose, ctc or format1.
    target
        Which labels, where there are those of several targets.
    json
        Print JSON instead of lines.
    """
    left = export(Dataset.open(dataset), out, layout, target=target)
    if json:
        console.print_json({"path": str(out), "layout": layout, "left_behind": left})
        return
    console.out.print(str(out))
    if left:
        console.err.print(f"this layout has no place for {', '.join(left)}", soft_wrap=True)


def _version_findings(dataset: Dataset, against: str | None) -> list[Finding]:
    findings = [] if against is None else compare_versions(dataset, Dataset.open(against))
    try:
        seen.remember(dataset.manifest)
    except DatasetError as error:
        findings.append(Finding("version", "dataset.json", error.what))
    except OSError as error:  # a home that cannot be written says nothing about the data set
        console.err.print(
            "warning: cannot compare with the data sets seen before, nor remember this one: "
            f"{error}",
            soft_wrap=True,
        )
    return findings


def _facts(dataset: Dataset) -> dict[str, Any]:
    manifest = dataset.manifest
    samples = dataset.samples
    counts = {target: int(samples[f"n_{target}"].sum()) for target in manifest.targets}
    own = ("id", "split", "scene", "seed", "image", "height", "width")
    return {
        "name": manifest.name,
        "version": manifest.version,
        "digest": manifest.digest,
        "licence": manifest.licence,
        "citation": manifest.citation,
        "source": manifest.source,
        "samples": len(dataset),
        "splits": manifest.splits,
        "objects": counts,
        "spots": len(dataset.spots),
        "channels": list(manifest.channels),
        "pixel_size_um": manifest.pixel_size_um,
        "heights": [int(samples["height"].min()), int(samples["height"].max())],
        "widths": [int(samples["width"].min()), int(samples["width"].max())],
        "factors": [
            column
            for column in samples.columns
            if column not in own and not column.startswith(("digest_", "n_"))
        ],
        "recipe": manifest.recipe.digest if manifest.recipe else None,
        "networks": manifest.networks,
        "labels_note": manifest.labels_note,
    }


def _readable(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{count} {name}" for name, count in value.items())
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    return str(value)
