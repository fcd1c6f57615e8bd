"""Edges between objects that touch: two blurred steps, fitted together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from benchmark.audit.profiles import AT, SPACING

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]

PLACES = np.round(np.arange(-3, 3.01, 0.1), 1)
"""Where the edge of the object may be, from the label's boundary; px."""
GAPS = np.round(np.arange(0, 3.01, 0.2), 1)
"""How far from it that of the neighbour begins; px."""
MISFIT = 0.1
"""What the two steps may leave unexplained, in the light of the dimmer object."""
_ROWS = 2048


def fitted(
    values: Floats, own: Floats, other: Floats, *, background: float, noise: float, width: float
) -> tuple[Floats, Floats]:
    """Return where objects end, and how sure that is.

    A profile across a border is the light of one object up to its edge, that of the other from its
    edge on, background between, all blurred. Half way between the two levels is not the edge: a gap
    of g px that blur has filled moves it by g times the dimmer light over the difference of both.
    So both edges are found at once, with the levels of both sides and the blur known.

    Parameters
    ----------
    values
        (P, T) profiles at places `AT`.
    own, other
        (P,) the levels of the object and of its neighbour.
    background
        Level of what is between objects.
    noise
        Standard deviation of a sample.
    width
        Standard deviation of the blur; px.

    Returns
    -------
    place
        (P,) the object's edge, in px from the label's boundary; NaN where two steps do not explain
        the profile.
    uncertainty
        (P,) its standard deviation, from the noise or from what the fit leaves over, whichever is
        larger; px.

    Examples
    --------
    Objects of light 10 and 6, the first ending at .4, the second beginning at 1.4.

    >>> profile = 10 * special.ndtr((0.4 - AT) / 1.2) + 6 * special.ndtr((AT - 1.4) / 1.2)
    >>> ten, six = np.array([10.0]), np.array([6.0])
    >>> place, _ = fitted(profile[None], ten, six, background=0, noise=0.1, width=1.2)
    >>> round(float(place[0]), 2)
    0.4
    """
    near = np.abs(AT) <= 3.0 + 2 * width
    light = values[:, near] - background
    mine, theirs = own - background, other - background
    place, uncertainty = np.full(len(values), np.nan), np.full(len(values), np.inf)
    usable = ~np.isnan(light).any(axis=1) & (mine > 0) & (theirs > 0)
    rows = np.flatnonzero(usable)
    for start in range(0, rows.size, _ROWS):
        some = rows[start : start + _ROWS]
        cost = _costs(light[some], mine[some], theirs[some], AT[near], width)
        place[some], uncertainty[some] = _best(
            cost, np.minimum(mine, theirs)[some], noise, int(np.count_nonzero(near))
        )
    return place, uncertainty


def _costs(light: Floats, mine: Floats, theirs: Floats, at: Floats, width: float) -> Floats:
    """Return the least squared misfit at each of `PLACES`, over all `GAPS`: (P, places)."""
    begins = np.unique(np.round(PLACES[:, None] + GAPS[None], 1))
    ends = special.ndtr((PLACES[:, None] - at) / width)  # (places, T)
    starts = special.ndtr((at - begins[:, None]) / width)  # (begins, T)
    cross = ends @ starts.T
    alone = (
        np.square(light).sum(axis=1)[:, None]
        - 2 * mine[:, None] * (light @ ends.T)
        + np.square(mine)[:, None] * np.square(ends).sum(axis=1)
    )
    both = -2 * theirs[:, None] * (light @ starts.T) + np.square(theirs)[:, None] * np.square(
        starts
    ).sum(axis=1)
    least = np.full(alone.shape, np.inf)
    for gap in GAPS:
        index = np.searchsorted(begins, np.round(PLACES + gap, 1))
        pairs = 2 * (mine * theirs)[:, None] * cross[np.arange(PLACES.size), index]
        np.minimum(least, alone + both[:, index] + pairs, out=least)
    return least


def _best(cost: Floats, dimmer: Floats, noise: float, samples: int) -> tuple[Floats, Floats]:
    """Return the place of least misfit, to a fraction of a step, and its standard deviation."""
    rows = np.arange(len(cost))
    index = cost.argmin(axis=1)
    inside = (index > 0) & (index < PLACES.size - 1)
    middle = np.clip(index, 1, PLACES.size - 2)
    before, least, after = (cost[rows, middle + step] for step in (-1, 0, 1))
    bend = np.maximum(before - 2 * least + after, 1e-12)
    step = PLACES[1] - PLACES[0]
    place = PLACES[middle] + step * np.clip((before - after) / (2 * bend), -0.5, 0.5)
    unexplained = np.sqrt(np.maximum(least, 0) / samples)
    # Samples are closer than pixels: 1 / SPACING of them say as much as one.
    deviation = np.maximum(noise, unexplained)
    uncertainty = deviation * np.sqrt(2 / SPACING) * step / np.sqrt(bend)
    kept = inside & (unexplained <= MISFIT * dimmer)
    return np.where(kept, place, np.nan), np.where(kept, uncertainty, np.inf)
