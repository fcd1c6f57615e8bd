"""What an audit comes to, in sentences that follow from its figures alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LEARNED = 0.5
"""Below this AP50 of training on real images, training was too short to compare anything."""


def verdicts(record: Mapping[str, Any]) -> list[str]:
    """Return one sentence for each part that was done.

    Examples
    --------
    >>> edges = {"signed": 0.04, "spread": 0.15, "spread_95": 0.5}
    >>> parts = {"faithfulness": {"columns": {"synthetic": {"isolated": edges}}}}
    >>> verdicts({"parts": parts})
    ['Edges lie 0.04 px outside their labels in the median, 95 % of them within 0.50 px of that.']
    """
    tellers = {
        "faithfulness": _faithfulness,
        "statistics": _statistics,
        "classifier": _classifier,
        "transfer": _transfer,
        "copies": _copies,
    }
    return [
        sentence
        for part, teller in tellers.items()
        if "synthetic" in record["parts"].get(part, {}).get("columns", {})
        for sentence in teller(record["parts"][part]["columns"])
    ]


def _faithfulness(columns: Mapping[str, Any]) -> Iterator[str]:
    made = columns["synthetic"]["isolated"]
    if made["signed"] is None:
        yield "No edge was clear enough to be compared with its label."
        return
    side = "outside" if made["signed"] >= 0 else "inside"
    text = (
        f"Edges lie {abs(made['signed']):.2f} px {side} their labels in the median, "
        f"95 % of them within {made['spread_95']:.2f} px of that"
    )
    real = columns.get("real", {}).get("isolated")
    if real and real["signed"] is not None:
        text += f"; in the real images {real['signed']:+.2f} px and {real['spread_95']:.2f} px"
    yield text + "."


def _statistics(columns: Mapping[str, Any]) -> Iterator[str]:
    ratio = columns["synthetic"]["apart"]["within_cell_cv"]["ratio"]
    if ratio is not None:
        yield f"Light varies inside cells {ratio:.2f} times as much as in real ones."


def _classifier(columns: Mapping[str, Any]) -> Iterator[str]:
    found = columns["synthetic"].get("raw", {})
    model = next((name for name in ("network", "linear") if name in found), None)
    if model is None:
        return
    what = "A small network" if model == "network" else "A linear model"
    text = f"{what} tells patches from real ones with an AUC of {found[model]['auc']:.3f}"
    others = [
        f"{title} {columns[name]['raw'][model]['auc']:.3f}"
        for name, title in (("baseline", "those of the baseline"), ("real", "real from real"))
        if name in columns
    ]
    yield "; ".join([text, *others]) + "."


def _transfer(columns: Mapping[str, Any]) -> Iterator[str]:
    made, real = columns["synthetic"]["ap50"], columns["real"]["ap50"]
    if made["mean"] is None or real["mean"] is None:
        return
    text = f"Trained on it, AP50 on real images is {made['mean']:.3f}"
    if "baseline" in columns:
        text += f", on the baseline {columns['baseline']['ap50']['mean']:.3f}"
    text += f", on real images {real['mean']:.3f}"
    if real["mean"] < LEARNED:
        text += ": too short a training to compare"
    yield text + "."


def _copies(columns: Mapping[str, Any]) -> Iterator[str]:
    made = columns["synthetic"]
    yield (
        f"{100 * made['shape_copies']['share']:.1f} % of shapes and "
        f"{100 * made['texture_copies']['share']:.1f} % of textures are as near to a real one "
        "learned from as the nearest 1 % of real ones are."
    )
