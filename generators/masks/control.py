"""Styles on a dial: a measurement is asked for, and steps in W give it.

A *score* reads a measurement's logarithm off w, linearly; a *direction* is the step that raises one
score by one, leaves the others as they are, and is the least unusual such step among the network's
own w. A *curve* says which score gives which measurement. So a request becomes a step: from the
score that the latent has to the score on the curve. What is left is solved for on the latent
itself: the picture is made and measured, and the step corrected by bisection, until the measurement
is within `TOLERANCE` of what was asked for.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy.interpolate import PchipInterpolator

from benchmark.errors import BenchError, nearest
from generators.masks.making import made
from generators.masks.measuring import NAMES
from generators.shapes.styles import STYLES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from generators.masks.making import Latent, Making
    from generators.masks.networks import MaskNetwork

OF_FRAME = ("size", "elongation")
"""Styles that an object with a frame is given, exactly."""
TOLERANCE = 0.01
"""Relative difference between asked and measured at which solving ends."""
TRIES = 16
"""Pictures that solving makes at most for a style of a latent."""
ROUNDS = 2
"""Times that styles are solved for in turn, where several are asked for."""
FURTHEST = 3.0
"""Step after which solving gives up: twenty times the measurement, if the score told all."""
LEAST = 1e-3
"""What measurements count as at least: the logarithm of 0 is nowhere."""


@dataclass(frozen=True)
class Dial:
    """A style that can be set.

    Attributes
    ----------
    name
        Of `generators.shapes.styles.STYLES`.
    percentiles
        (101,) of the measurement among the network's own pictures, from 0 to 100 %.
    reader, direction
        (w_dim,) the score is `reader @ w`; adding `direction` raises it by 1. Empty where the
        style is of the frame and needs no step in W.
    scores, values
        (K,) the curve: measurements, rising, and the scores that give them.
    error, slope
        Without solving, on latents that the curve never saw: median |measured - asked|, and the
        slope of measured on asked. 0 and 1 for a style of the frame.
    solved_error, solved_slope
        The same after solving.
    """

    name: str
    percentiles: list[float]
    reader: list[float]
    direction: list[float]
    scores: list[float]
    values: list[float]
    error: float = 0.0
    slope: float = 1.0
    solved_error: float = 0.0
    solved_slope: float = 1.0

    @property
    def reach(self) -> tuple[float, float]:
        """The lowest and the highest measurement that can be asked for."""
        return self.values[0], self.values[-1]

    def score(self, value: float) -> float:
        """Return the score that gives a measurement."""
        return float(PchipInterpolator(self.values, self.scores)(value))

    def to_dict(self) -> dict[str, Any]:
        """Return what the dial reaches and how well, in figures."""
        low, high = self.reach
        return {
            "low": low,
            "high": high,
            "median": self.percentiles[50],
            "error": self.error,
            "slope": self.slope,
            "solved_error": self.solved_error,
            "solved_slope": self.solved_slope,
            "exact": not self.direction,
        }


def dials_of(network: MaskNetwork) -> dict[str, Dial]:
    """Return the dials that a network's file holds, by name; none of a network without.

    Raises
    ------
    BenchError
        If they cannot be read.
    """
    try:
        stored = json.loads(network.notes.get("styles", "{}"))
        dials = {name: Dial(**fields) for name, fields in stored.items()}
        width = network.generator.settings.w_dim
        whole = all(
            len(d.percentiles) == 101
            and len(d.direction) == len(d.reader)
            and len(d.direction) in {0, width}
            and len(d.scores) == len(d.values) >= 2
            for d in dials.values()
        )
    except (ValueError, TypeError, AttributeError) as error:
        raise _unread(network, str(error)) from error
    if not whole or not set(dials) <= set(NAMES):
        raise _unread(network, "lengths or names do not fit")
    return dials


def to_json(dials: Mapping[str, Dial]) -> str:
    """Return dials as the note `styles` of a network's file."""
    return json.dumps({name: asdict(dial) for name, dial in dials.items()})


def _unread(network: MaskNetwork, why: str) -> BenchError:
    return BenchError(
        f"the network's styles cannot be read: {why}",
        where=network.path,
        mend="calibrate it again: bench weights calibrate FILE",
    )


def wanted(settings: Sequence[str], dials: Mapping[str, Dial]) -> dict[str, float]:
    """Return styles asked for in words, as measurements by name.

    Parameters
    ----------
    settings
        NAME=VALUE each, in the unit of the measurement, or NAME=N% for a percentile of the
        network's own pictures.
    dials
        What the network has.

    Raises
    ------
    BenchError
        If there is no such dial, or the value is out of its reach.

    Examples
    --------
    >>> ramp = [1 + k / 100 for k in range(101)]
    >>> dial = Dial("elongation", ramp, [], [], [0.0, 1.0], [1.0, 2.0])
    >>> wanted(["elongation=80%"], {"elongation": dial})
    {'elongation': 1.8}
    """
    found = {}
    for setting in settings:
        name, _, text = setting.partition("=")
        if name not in dials:
            mend = nearest(name, dials) if dials else "calibrate it: bench weights calibrate FILE"
            raise BenchError(f"the network has no style {name!r}", mend=mend)
        dial = dials[name]
        low, high = dial.reach
        try:
            number = float(text.removesuffix("%"))
        except ValueError:
            raise BenchError(
                f"{setting!r} gives no number", mend=f"for example {name}={(low + high) / 2:.3g}"
            ) from None
        share = text.endswith("%")
        if share and 0 <= number <= 100:
            number = float(np.interp(number, np.arange(101), dial.percentiles))
            number = min(max(number, low), high)
        elif share or not low <= number <= high:
            raise BenchError(
                f"{setting} is out of the network's reach",
                mend=f"take {low:.4g} to {high:.4g} ({STYLES[name][2]}), or 0% to 100%",
            )
        found[name] = number
    return found


def stepped(latent: Latent, dial: Dial, step: float) -> Latent:
    """Return a latent moved along a dial's direction, in every layer."""
    along = torch.tensor(dial.direction, dtype=latent.styles.dtype)
    return replace(latent, styles=latent.styles + step * along)


def scored(latent: Latent, dial: Dial) -> float:
    """Return the score that a latent has on a dial."""
    w = latent.styles.double().numpy().mean(axis=0)
    return float(np.dot(dial.reader, w))


@dataclass(frozen=True)
class Setting:
    """Which styles pictures shall have.

    Attributes
    ----------
    styles
        Measurements by name, within the reach of the dials.
    dials
        Of the network.
    solve
        Whether to correct the steps on each latent; otherwise it takes those of the curve.
    """

    styles: Mapping[str, float]
    dials: Mapping[str, Dial]
    solve: bool = True


def restyled(network: MaskNetwork, latent: Latent, setting: Setting, making: Making) -> Latent:
    """Return a latent whose picture, made by a network in this way, has the styles asked for."""
    along = []
    for name, value in setting.styles.items():
        dial = setting.dials[name]
        if not dial.direction:
            latent = _framed(latent, name, value)
            continue
        along.append(dial)
        latent = stepped(latent, dial, dial.score(value) - scored(latent, dial))
    if setting.solve:
        for _ in range(ROUNDS if len(along) > 1 else 1):
            for dial in along:
                latent = _solved(network, latent, dial, setting.styles[dial.name], making)
    return latent


def _framed(latent: Latent, name: str, value: float) -> Latent:
    assert latent.frame is not None
    frame = latent.frame.copy()
    frame[OF_FRAME.index(name)] = value
    return replace(latent, frame=frame)


def _solved(
    network: MaskNetwork, latent: Latent, dial: Dial, value: float, making: Making
) -> Latent:
    """Return the latent moved along the direction to where it measures a value, or nearly so."""

    def missing(step: float) -> float:
        result = made(network, stepped(latent, dial, step), making)
        found = result.measured[dial.name]
        return float(np.log(max(found, LEAST) / max(value, LEAST)))  # NaN stays NaN

    return stepped(latent, dial, root(missing, np.log1p(TOLERANCE)))


def root(difference: Callable[[float], float], tolerance: float) -> float:
    """Return where a function that rises by about 1 a step is 0, or the nearest that was tried.

    Steps of the function's own value, and ever longer ones, until the sign changes; from then on
    halving.

    Parameters
    ----------
    difference
        May be noisy, level out, or be NaN where there is nothing to measure.
    tolerance
        |difference| at which it ends.

    Examples
    --------
    >>> round(root(lambda t: 2 * t - 1, 1e-3), 3)
    0.5
    """
    step, move, low, high = 0.0, 0.0, -np.inf, np.inf
    best, least = 0.0, np.inf
    for _ in range(TRIES):
        found = difference(step)
        if abs(found) < least:
            best, least = step, abs(found)
        if least <= tolerance:
            break
        if np.isnan(found):
            high, low = (step, low) if step > best else (high, step)
        elif found > 0:
            high = min(high, step)
        else:
            low = max(low, step)
        if np.isfinite(low) and np.isfinite(high):
            step = (low + high) / 2
        elif np.isnan(found):
            break
        else:
            move = max(abs(found), 2 * move)
            before = step
            step = float(np.clip(step - np.copysign(move, found), -FURTHEST, FURTHEST))
            if step == before:
                break
    return best
