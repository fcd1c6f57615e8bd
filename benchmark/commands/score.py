"""`bench score`: predicted label files against true ones, or a folder of each."""

from __future__ import annotations

import io
import os
from csv import DictWriter
from fractions import Fraction
from functools import partial
from pathlib import Path  # noqa: TC003 - cyclopts reads the signature
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter
from cyclopts.validators import Number

from adapters import console
from benchmark.errors import BenchError, DatasetError, LabelError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from benchmark.commands.score_output import Scored
    from benchmark.label_pairs import LabelPair, Pairing
    from benchmark.scoring import Score

app = App(name="score", help="Score predicted labels, or spots, against the truth.")
app.command(
    "benchmark.commands.score_spots:spots",
    name="spots",
    help="Score tables of predicted points against tables of true ones.",
)

Flag = Annotated[bool, Parameter(negative="")]


@app.default
def score(
    truth: Path,
    prediction: Path,
    *,
    profile: str = "default",
    thresholds: str | None = None,
    strict: bool | None = None,
    legacy: Flag = False,
    spacing: str | None = None,
    tolerance: float | None = None,
    binary: bool | None = None,
    binary_truth: Flag = False,
    binary_prediction: Flag = False,
    missing: Literal["empty", "error"] = "empty",
    json: Flag = False,
    csv: Flag = False,
    objects: Path | None = None,
    workers: Annotated[int | None, Parameter(validator=Number(gt=0))] = None,
) -> None:
    """Score a predicted label image against the true one, or a folder against another.

    Label images are TIFF (also stacks), PNG, NPY or NPZ: 0 is background, every other number one
    object. Files of two folders are paired by name; endings such as _masks may differ. What the
    figures mean is in docs/scoring.md. Points are scored by `bench score spots`.

    Exit code: 0, or 2 for wrong usage and for files that cannot be scored.

    Parameters
    ----------
    truth
        The true labels: a file, or a folder of them.
    prediction
        The predicted labels: a file, or a folder of them.
    profile
        The convention: default, cellpose, stardist, dsb2018, caicedo, neurips, ctc, tissuenet, pq.
    thresholds
        IoU at which objects match, such as 0.5,0.75; by default those of the profile.
    strict
        Whether objects exactly at a threshold do not match; by default as the profile has it.
    legacy
        With the profile tissuenet, count each catastrophe as a correct detection, as deepcell does.
    spacing
        Size of a pixel, such as 0.5, or of each axis, such as 2,0.5,0.5 for Z,Y,X. Distances are
        then in this unit, and in pixels otherwise.
    tolerance
        Distance within which boundary F1 counts outlines as found; by default two pixels.
    binary
        Take connected regions of binary masks as objects. `--no-binary` takes every value as a
        label; by default what looks like a binary mask is refused.
    binary_truth
        As `--binary`, for the truth alone.
    binary_prediction
        As `--binary`, for the prediction alone.
    missing
        What an image without a prediction is: empty, as if nothing was found in it, or an error.
    json
        Print everything as JSON instead of a table.
    csv
        Print a row per image as comma-separated values instead of a table.
    objects
        Write a row per object, true and predicted, to this .csv or .parquet file.
    workers
        Threads, by default one a processor. They do not change the result.
    """
    options = {
        "profile": profile,
        "thresholds": None if thresholds is None else _fractions(thresholds),
        "strict": strict,
        "legacy": legacy,
        "spacing": None if spacing is None else lengths(spacing),
        "tolerance": tolerance,
    }
    require_one(json=json, csv=csv)
    if objects is not None and objects.suffix not in {".csv", ".parquet"}:
        raise BenchError(
            f"objects cannot be written as {objects.suffix or 'a file without a suffix'}",
            where=objects,
            mend="call the file .csv or .parquet",
        )
    # NumPy and numba are slow to import, and `--help` does without them.
    from benchmark.commands import score_output, score_tables  # noqa: PLC0415

    pairing = _pairing(truth, prediction, missing)
    read = _reader(binary_truth or binary, binary_prediction or binary)
    keep = partial(
        score_output.scored, tables=objects is not None, objects=json and not truth.is_dir()
    )
    scored = _score_all(pairing, read, keep, options, workers)
    report = score_output.Report(truth, prediction, pairing, tuple(scored), profile)
    for warning in report.warnings():
        console.err.print(f"warning: {warning}", soft_wrap=True)
    if objects is not None:
        score_output.write_objects(report, objects)
    if json:
        console.print_json(report.to_dict())
    elif csv:
        print_rows(report.rows())
    else:
        score_tables.show(report, in_pixels=spacing is None)


def lengths(text: str) -> float | list[float]:
    """Return one number, or one per axis of several separated by commas.

    Raises
    ------
    BenchError
        If one is no number.

    Examples
    --------
    >>> lengths("0.5"), lengths("2,0.5,0.5")
    (0.5, [2.0, 0.5, 0.5])
    """
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        raise BenchError(
            f"--spacing takes numbers, not {text!r}", mend="for example 0.5, or 2,0.5,0.5 for Z,Y,X"
        ) from None
    return numbers[0] if len(numbers) == 1 else numbers


def require_one(*, json: bool, csv: bool) -> None:
    """Refuse to print two things, before anything is computed.

    Raises
    ------
    BenchError
        If both are wanted.
    """
    if json and csv:
        raise BenchError("JSON and CSV cannot both be printed", mend="leave out --json or --csv")


def print_rows(rows: Sequence[dict[str, Any]]) -> None:
    """Print rows of the same columns as comma-separated values."""
    text = io.StringIO(newline="")
    writer = DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    console.print_verbatim(text.getvalue())


def _fractions(text: str) -> list[Fraction]:
    """Return thresholds as exact numbers: 0.55 is 11/20."""
    try:
        return [Fraction(part.strip()) for part in text.split(",")]
    except (ValueError, ZeroDivisionError):
        raise BenchError(
            f"--thresholds takes numbers, not {text!r}", mend="for example 0.5,0.75"
        ) from None


def _pairing(truth: Path, prediction: Path, missing: Literal["empty", "error"]) -> Pairing:
    """Return what to score: two files, or what two folders hold."""
    from benchmark.label_pairs import LabelPair, Pairing, pair_folders, printable  # noqa: PLC0415

    for path in (truth, prediction):
        if not path.exists():
            raise DatasetError(
                "there is no such file or folder",
                where=path,
                mend="check the name; relative names start from the folder that you are in",
            )
    if truth.is_dir() != prediction.is_dir():
        kinds = ("a folder, the prediction a file", "a file, the prediction a folder")
        raise DatasetError(
            f"the truth is {kinds[prediction.is_dir()]}",
            where=f"{truth} and {prediction}",
            mend="name two files, or two folders",
        )
    if not truth.is_dir():
        return Pairing((LabelPair(printable(prediction.stem), truth, prediction),))
    pairing = pair_folders(truth, prediction)
    if missing == "error" and pairing.missing:
        raise DatasetError(
            f"{len(pairing.missing)} of {len(pairing.pairs)} images have no prediction: "
            f"{', '.join(pairing.missing[:5])}{' …' if len(pairing.missing) > 5 else ''}",
            where=prediction,
            mend="add the predictions, or count them as empty with --missing empty",
        )
    return pairing


def _reader(
    binary_truth: bool | None, binary_prediction: bool | None
) -> Callable[[LabelPair], tuple[NDArray[Any], NDArray[Any]]]:
    """Return the function that reads both label images of a pair."""
    import numpy as np  # noqa: PLC0415

    from benchmark.label_files import read_labels  # noqa: PLC0415

    def read(pair: LabelPair) -> tuple[NDArray[Any], NDArray[Any]]:
        truth = read_labels(pair.truth, binary=binary_truth)
        if pair.prediction is None:
            return truth, np.zeros_like(truth)
        prediction = read_labels(pair.prediction, binary=binary_prediction)
        if truth.shape != prediction.shape:
            raise LabelError(
                f"the truth has the shape {truth.shape}, the prediction {prediction.shape}",
                where=f"{pair.truth} and {pair.prediction}",
                mend="score a prediction against the truth of the same image, at the same size",
            )
        return truth, prediction

    return read


def _score_all(
    pairing: Pairing,
    read: Callable[[LabelPair], tuple[NDArray[Any], NDArray[Any]]],
    keep: Callable[[Score], Scored],
    options: dict[str, Any],
    workers: int | None,
) -> list[Scored]:
    """Score all pairs, in their order, and tell how far it is."""
    from benchmark.scoring.many import score_many  # noqa: PLC0415

    pairs = pairing.pairs
    results = []
    with console.counting("scoring") as tell:
        for result in score_many(
            pairs,
            read,
            keep,
            workers=min(workers or os.cpu_count() or 1, len(pairs)),
            **options,
        ):
            results.append(result)
            tell(len(results), len(pairs))
    return results
