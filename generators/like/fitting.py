"""From figures to dials: a first guess by formulas, corrected on scenes that are made and measured.

What is measured without labels is biased: touching nuclei are taken for one, a dome looks like
blur. Scenes are measured by the same code, so a dial is right when both measure alike, whatever
the bias. Each round turns every dial by what its own figure is off.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from generators.errors import RecipeError
from generators.generate import make, plan
from generators.like.measuring import FIGURES, Measured, measured
from generators.recipe import Recipe, parse
from generators.sections import dials_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROUNDS = 4
PILOT = 10
"""Scenes that are made and measured in a round."""
LOW, HIGH = 0.1, 0.9
"""Shares of the images between whose values a dial that varies from image to image is drawn."""

DIALS = {
    "density": ("layout", "density"),
    "diameter": ("nuclei", "diameter"),
    "size_variation": ("nuclei", "size_variation"),
    "elongation": ("nuclei", "elongation"),
    "brightness_variation": ("shading", "brightness_variation"),
    "unevenness": ("optics", "background_variation"),
    "snr": ("optics", "snr"),
    "blur": ("optics", "blur"),
}
"""The dial that each figure is fitted by, where it is one dial. Background, contrast and noise in
grey levels follow from the camera and the light together: see `sensor`."""
VARYING = ("density", "diameter", "snr")
SHAPED = ("size_variation", "elongation")
"""Figures that only parametric outlines obey."""


@dataclass(frozen=True)
class Sensor:
    """A camera under a light: what it takes to have the grey levels and the noise of an image.

    Attributes
    ----------
    gain
        Grey levels an electron.
    offset
        Grey level of no light.
    read_noise
        Electrons.
    background
        Light of the background, in units of the median object's.
    """

    gain: float
    offset: float
    read_noise: float
    background: float


def sensor(contrast: float, background: float, noise: float, snr: float) -> Sensor:
    """Return the sensor and background that have these figures.

    With S and B electrons of an object and of the background, g the gain and r the read noise:
    SNR = S / √(S + B + r²), contrast = g S, background = offset + g B, noise² = g² (B + r²) + 1/12,
    the last for whole grey levels. That leaves B and r² apart undetermined: r is 2 electrons, or
    less where the noise is, or more where B would put the offset below zero.

    Parameters
    ----------
    contrast, background, noise
        Grey levels.
    snr
        Contrast over the noise in an object.

    Examples
    --------
    >>> made = sensor(contrast=500, background=160, noise=4.7, snr=31)
    >>> round(made.gain, 3), round(made.offset), round(made.background, 3)
    (0.476, 116, 0.089)
    """
    rounding = 1 / 12
    dark = max(noise**2 - rounding, 1e-4 * noise**2, 1e-8)
    lit = max((contrast / snr) ** 2 - rounding, 1.02 * dark)
    gain = (lit - dark) / contrast
    both = dark / gain**2  # B + r²
    read = min(2.0, math.sqrt(both / 2))
    if (both - read**2) * gain > background:
        read = math.sqrt(max(both - background / gain, 0.0))
    light = both - read**2
    return Sensor(gain, max(background - gain * light, 0.0), read, light * gain / contrast)


@dataclass(frozen=True)
class Fit:
    """A recipe fitted to images.

    Attributes
    ----------
    document
        The recipe as it is written to a file.
    recipe
        The same, checked.
    rounds
        How many rounds of making and measuring it took.
    """

    document: dict[str, Any]
    recipe: Recipe
    rounds: int


def fit(
    real: Measured,
    base: Recipe,
    name: str,
    *,
    rounds: int = ROUNDS,
    tell: Callable[[int, int], None] = lambda _done, _all: None,
) -> Fit:
    """Fit a recipe to what was measured of images.

    Parameters
    ----------
    real
        The figures of the images.
    base
        Where size, splits and all dials that are not fitted come from; variants, sweeps, cells and
        spots are left out.
    name
        What the recipe is called.
    rounds
        How often to make scenes, measure them and correct; 0 is the first guess.
    tell
        Called after each round with their number so far and in all.

    Raises
    ------
    RecipeError
        If there is no object in the images to fit anything to.
    """
    if not math.isfinite(real.quantile("contrast")) or not math.isfinite(real.quantile("snr")):
        raise RecipeError(
            "no bright objects stand out in these images, so there is nothing to fit",
            mend="look at the channel (--channel), and at images that show nuclei on dark ground",
        )
    parametric = base.nuclei.get("shapes", "parametric") == "parametric"
    wanted = {
        figure: real.quantile(figure)
        for figure in FIGURES
        if math.isfinite(real.quantile(figure)) and (parametric or figure not in SHAPED)
    }
    aims = dict(wanted)
    document = _document(aims, real, base, name)
    for done in range(1, rounds + 1):
        made = _pilot(document)
        tell(done, rounds)
        off = {
            figure: _turn(figure, value, made.quantile(figure)) for figure, value in wanted.items()
        }
        if all(abs(math.log(factor)) < math.log(1.03) for factor in off.values()):
            return Fit(document, parse(document), done)
        aims = {figure: value * off[figure] for figure, value in aims.items()}
        document = _document(aims, real, base, name)
    return Fit(document, parse(document), rounds)


def _turn(figure: str, wanted: float, made: float) -> float:
    """Return the factor by which a dial is turned, within a half and two."""
    least = 0.02 if FIGURES[figure][0] == "1" else 1e-3
    if not math.isfinite(made):
        return 1.0
    # Blur measured includes that of the dome and of pixels: what is off is off in its square.
    if figure == "blur":
        return float(min(max(1 + 1.5 * (wanted - made) / max(wanted, 0.3), 0.5), 1.6))
    return float(min(max(max(wanted, least) / max(made, least), 0.5), 2.0))


def _pilot(document: Mapping[str, Any]) -> Measured:
    """Make some scenes of a recipe and measure them."""
    recipe = parse({**document, "splits": {"pilot": PILOT}})
    return measured([make(recipe, task).image[0] for task in plan(recipe, 0)])


def _document(aims: Mapping[str, float], real: Measured, base: Recipe, name: str) -> dict[str, Any]:
    """Return the recipe whose dials have these aims, and the spread of the images about them."""
    kept = base.model_dump(
        mode="json",
        exclude_defaults=True,
        include={"size", "splits", "pixel_size_um", "layout", "nuclei", "shading", "optics"}
        | {"distractors"},
    )
    found = sensor(aims["contrast"], aims["background"], aims["noise"], aims["snr"])
    sections: dict[str, dict[str, Any]] = {
        section: dict(kept.get(section, {}))
        for section in ("layout", "nuclei", "shading", "optics")
    }
    for figure, (section, dial) in DIALS.items():
        if figure in aims:
            sections[section][dial] = _setting(figure, aims[figure], real, dials_of(section)[dial])
    sections["layout"].pop("count", None)
    sections["shading"].pop("painter", None)  # its light has no dials to fit
    sections["optics"]["background"] = _held(found.background, dials_of("optics")["background"])
    known = dials_of("camera")
    camera = {
        "gain": _held(found.gain, known["gain"]),
        "offset": _held(min(found.offset, 2.0**real.bits - 2), known["offset"]),
        "read_noise": _held(found.read_noise, known["read_noise"]),
        "bit_depth": real.bits,
    }
    return {
        "name": name,
        "version": "1.0.0",
        "summary": "Fitted to images",
        **kept,
        **sections,
        "camera": camera,
    }


def _setting(figure: str, aim: float, real: Measured, dial: Mapping[str, Any]) -> Any:
    """Return a setting: a number, or a range as wide as the images are apart."""
    middle = real.quantile(figure)
    if figure not in VARYING or middle <= 0:
        return _held(aim, dial)
    low, high = (_held(aim * real.quantile(figure, s) / middle, dial) for s in (LOW, HIGH))
    scale = {"scale": "log"} if 0 < 3 * low < high else {}
    return low if low == high else {"min": low, "max": high, **scale}


def _held(value: float, dial: Mapping[str, Any]) -> float:
    """Return a value within a dial's limits, to four digits."""
    return float(f"{min(max(value, dial['low']), dial['high']):.4g}")
