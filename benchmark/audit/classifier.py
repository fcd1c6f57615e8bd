"""Can real patches be told from made ones? The area under the ROC curve says how well."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.audit import linear
from benchmark.audit.patches import SIDE, VIEWS, Patches, drawn, view

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from benchmark.audit.sources import Sources

    Floats = NDArray[np.float64]

TEST_SHARE = 3
"""Every third image is scored and not learned from."""
SHOWN = 6
"""Patches of either kind that are shown, those told with the most confidence."""
DRAWS = 500
NEEDS_TORCH = 'the network needs torch, which is not here: pip install "cellgen-bench[networks]"'


@dataclass(frozen=True)
class Budget:
    """What each comparison may use; the same for all of them.

    Attributes
    ----------
    images, each
        At most so many images of a set, and patches of an image.
    steps
        Batches that the network sees.
    seed
        Of the draw of patches and of the network.
    """

    images: int = 48
    each: int = 16
    steps: int = 300
    seed: int = 0


def has_network() -> bool:
    """Say whether the extra `networks` is installed."""
    return find_spec("torch") is not None


def classifier(
    sources: Sources, budget: Budget, tell: Callable[[str], None]
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Tell the patches of every column from those of the reference.

    The column `real` is held-back real images, told from the reference: .5, but for chance and for
    what differs between the splits.

    Parameters
    ----------
    sources
        What is compared.
    budget
        Cut to what the smallest set has, so that all comparisons have the same.
    tell
        Given a line before each comparison.

    Returns
    -------
    figures
        By column, view and kind of model (`linear`, `network`) `auc`, its 95 % `interval` over
        images, and `n`; `budget`, what was used of each set; `network`, why there is none.
    pictures
        By name the patches that were told with the most confidence.
    """
    every = {"reference": sources.reference, **sources.columns}
    sets = {
        name: drawn(one, budget.images, budget.each, budget.seed) for name, one in every.items()
    }
    images = min(len(one.samples) for one in sets.values())
    network = has_network()
    used = {"images": images, "patches": images * budget.each, "side": SIDE}
    figures: dict[str, Any] = {
        "budget": used | {"steps": budget.steps, "seed": budget.seed},
        "network": None if network else NEEDS_TORCH,
        "columns": {},
    }
    pictures: dict[str, NDArray[Any]] = {}
    if images < 2 * TEST_SHARE:
        figures["problem"] = (
            f"{images} images have objects and {SIDE} px a side; {2 * TEST_SHARE} are needed"
        )
        return figures, pictures
    sets = {name: _first(one, images) for name, one in sets.items()}
    for name in sources.columns:
        figures["columns"][name] = {}
        for kind in VIEWS:
            tell(f"telling {name} from real, {kind} patches")
            made, real = sets[name], sets["reference"]
            result, told = _compared(made, real, kind, budget, network=network)
            figures["columns"][name][kind] = result
            if name != "real":
                pictures |= _most_telling(f"{name}-{kind}", told, made, real)
    return figures, pictures


def _first(patches: Patches, images: int) -> Patches:
    """Return the patches of so many images, spread evenly."""
    chosen = np.linspace(0, len(patches.samples) - 1, images).round().astype(int)
    keep = np.isin(patches.image, chosen)
    order = np.searchsorted(chosen, patches.image[keep])
    names = tuple(patches.samples[i] for i in chosen)
    return Patches(patches.values[keep], order, names, patches.corners[keep])


def _compared(
    made: Patches, real: Patches, kind: str, budget: Budget, *, network: bool
) -> tuple[dict[str, Any], tuple[Floats, NDArray[np.intp], NDArray[np.bool_]]]:
    """Return the figures of one view, and score, row and origin of each patch that was scored."""
    values = np.concatenate([view(made.values, kind), view(real.values, kind)])
    is_made = np.repeat([True, False], [len(made), len(real)])
    image = np.concatenate([made.image, real.image + len(made.samples)])
    held = np.concatenate([made.image, real.image]) % TEST_SHARE == 0
    rows = np.flatnonzero(held)
    found = {}
    table = linear.features(values)
    found["linear"] = linear.scores(table[~held], is_made[~held], table[held])
    if network:
        from benchmark.audit import network as networks  # noqa: PLC0415 - torch is an extra

        found["network"] = networks.scores(
            values[~held], is_made[~held], values[held], seed=budget.seed, steps=budget.steps
        )
    figures = {
        model: {
            "auc": round(linear.area_under_curve(s[is_made[held]], s[~is_made[held]]), 4),
            "interval": _interval(s, is_made[held], image[held]),
            "n": [int(is_made[held].sum()), int((~is_made[held]).sum())],
        }
        for model, s in found.items()
    }
    best = found.get("network", found["linear"])
    return figures, (best, rows, is_made[held])


def _interval(
    scores: Floats, made: NDArray[np.bool_], image: NDArray[np.int64]
) -> tuple[float, float]:
    """Return the 95 % interval of the AUC over images drawn anew, with the classifier as it is."""
    rng = np.random.default_rng(0)
    of_image: Mapping[bool, list[Floats]] = {
        kind: [scores[image == one] for one in np.unique(image[made == kind])]
        for kind in (True, False)
    }
    values = []
    for _ in range(DRAWS):
        sides = []
        for groups in of_image.values():
            drawn_groups = rng.integers(len(groups), size=len(groups))
            sides.append(np.concatenate([groups[i] for i in drawn_groups]))
        values.append(linear.area_under_curve(*sides))
    low, high = np.quantile(values, [0.025, 0.975])
    return round(float(low), 4), round(float(high), 4)


def _most_telling(
    name: str,
    told: tuple[Floats, NDArray[np.intp], NDArray[np.bool_]],
    made: Patches,
    real: Patches,
) -> dict[str, NDArray[Any]]:
    """Return the patches that gave themselves away, made and real, one of an image at most."""
    scores, rows, is_made = told
    pictures = {}
    for kind, patches, sign, offset in (("made", made, -1, 0), ("real", real, 1, len(made))):
        mine = is_made == (kind == "made")
        order = rows[mine][np.argsort(sign * scores[mine], kind="stable")] - offset
        images: set[int] = set()
        for row in order:
            if len(images) == SHOWN:
                break
            if int(patches.image[row]) not in images:
                pictures[f"{name}-{kind}-{len(images)}"] = patches.values[row]
                images.add(int(patches.image[row]))
    return pictures
