"""`bench score spots`: predicted points against true ones."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - cyclopts reads the signature
from typing import Annotated

from cyclopts import Parameter

from adapters import console
from benchmark.commands.score import lengths, print_rows, require_one

Flag = Annotated[bool, Parameter(negative="")]


def spots(
    truth: Path,
    prediction: Path,
    *,
    radius: float,
    spacing: str | None = None,
    image_column: str | None = None,
    json: Flag = False,
    csv: Flag = False,
) -> None:
    """Score tables of predicted points against tables of true ones.

    A table is CSV or Parquet with the columns y and x, perhaps z and photons, and a row a spot. Of
    several images it has a column image or sample, or there is a folder with a table each. An image
    that is in one of both only has no spot in the other.

    Parameters
    ----------
    truth
        The true spots: a table, or a folder of them.
    prediction
        The predicted spots: a table, or a folder of them.
    radius
        Largest distance at which a prediction is a true spot's, in pixels, or in the unit of the
        spacing.
    spacing
        Size of a pixel, such as 0.1, or of each axis, such as 0.3,0.1,0.1 for Z,Y,X.
    image_column
        The column that tells images apart, or several separated by commas: sample,channel.
    json
        Print everything as JSON instead of a table.
    csv
        Print a row per image as comma-separated values instead of a table.
    """
    require_one(json=json, csv=csv)
    steps = None if spacing is None else lengths(spacing)
    # NumPy and pandas are slow to import, and `--help` does without them.
    from benchmark.commands import score_spots_output as output  # noqa: PLC0415
    from benchmark.spot_files import read_spots  # noqa: PLC0415

    columns = image_column.split(",") if image_column else ()
    true, pred = (read_spots(path, images=columns) for path in (truth, prediction))
    output.require_pairs(true, pred, where=f"{truth} and {prediction}")
    for warning in output.warnings(true, pred):
        console.err.print(f"warning: {warning}", soft_wrap=True)
    scores = output.score_images(true, pred, radius=radius, spacing=steps)
    report = output.Report(str(truth), str(prediction), scores)
    if json:
        console.print_json(report.to_dict())
    elif csv:
        print_rows(report.rows())
    else:
        output.show(report, in_pixels=spacing is None)
