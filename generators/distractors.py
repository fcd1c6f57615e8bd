"""What is in a picture of cells and none of those to be found: on request, and never labelled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import ndimage, stats

from generators.dials import dial
from generators.outlines import Shape, random_outline
from generators.polygons import Window, contains, coverage, window_of
from generators.texture import smooth_noise

if TYPE_CHECKING:
    from numpy.random import Generator

    from generators.polygons import Floats
    from generators.scene import Canvas
    from generators.seeds import Seed

PLACES = 12
"""Places tried for what must lie on free ground, before it is left out."""


@dataclass(frozen=True)
class Distractors:
    """How much there is of what a segmenter shall leave out."""

    out_of_focus: float = dial(
        0, low=0, high=5000, unit="1/Mpx", says="nuclei above or below the plane of focus"
    )
    out_of_focus_blur: float = dial(
        0.3, low=0.05, high=3, unit="diameter", says="median standard deviation of their blur"
    )
    out_of_focus_level: float = dial(
        0.8, low=0, high=20, unit="signal", says="their median light, were they in focus"
    )
    dead: float = dial(
        0, low=0, high=5000, unit="1/Mpx", says="dead cells: shrunken, bright, often in fragments"
    )
    dead_level: float = dial(2.5, low=0, high=50, unit="signal", says="median light of dead cells")
    clumps: float = dial(
        0, low=0, high=5000, unit="1/Mpx", says="ragged pieces of debris, up to half a nucleus wide"
    )
    clump_level: float = dial(0.6, low=0, high=50, unit="signal", says="median light of the pieces")
    stray_light: float = dial(
        0, low=0, high=20, unit="signal", says="light from beyond the frame, where it comes in"
    )


class Unlabelled(NamedTuple):
    """Light (Y, X) of the canvas, 1 being that of a median nucleus.

    Attributes
    ----------
    sharp
        What lies in the plane of focus, before the PSF.
    soft
        What does not, as it arrives.
    """

    sharp: Floats
    soft: Floats


def light(canvas: Canvas, nuclei: Shape, distractors: Distractors, seed: Seed) -> Unlabelled:
    """Return the light of all distractors of a scene.

    Dead cells and debris lie on ground that no nucleus takes, with a pixel between. Each thing has
    a stream of its own, so more of a kind leaves those there where they are.

    Parameters
    ----------
    canvas
        Where the nuclei lie.
    nuclei
        What they are shaped like: of nuclei out of focus, and for the sizes of all else.
    distractors
        How much there is of each.
    seed
        The stream of this scene's distractors.
    """
    sharp, soft = (np.zeros((canvas.height, canvas.width)) for _ in range(2))
    taken = ndimage.binary_dilation(canvas.top > 0, np.ones((3, 3), dtype=bool))
    megapixels = taken.size / 1e6
    for kind, per_megapixel, parts_of in (
        ("dead", distractors.dead, _dead),
        ("clump", distractors.clumps, _clump),
    ):
        for k in range(_number(per_megapixel * megapixels, seed.at(kind))):
            rng = seed.at(kind, k).generator()
            level = distractors.dead_level if kind == "dead" else distractors.clump_level
            parts = parts_of(nuclei.diameter, rng)
            level = level * float(np.exp(0.3 * rng.standard_normal()))
            _add_on_free_ground(sharp, taken, parts, level, rng)
    for k in range(_number(distractors.out_of_focus * megapixels, seed.at("out of focus"))):
        _add_blurred(soft, nuclei, distractors, seed.at("out of focus", k).generator())
    if distractors.stray_light > 0:
        soft += distractors.stray_light * _from_a_side(soft.shape, canvas.pad, seed.at("stray"))
    return Unlabelled(sharp, soft)


def _number(mean: float, seed: Seed) -> int:
    """Return a Poisson number that grows with its mean."""
    return int(stats.poisson.ppf(seed.generator().random(), mean)) if mean > 0 else 0


def _dead(diameter: float, rng: Generator) -> list[Floats]:
    """Return the outlines of a dead cell: one shrunken body, or a cluster of fragments."""
    if rng.random() < 0.4:
        return [_body(rng.uniform(0.35, 0.55) * diameter, 0.05, rng)]
    return [
        _body(rng.uniform(0.12, 0.32) * diameter, 0.05, rng)
        + rng.standard_normal(2) * 0.28 * diameter
        for _ in range(2 + rng.poisson(2))
    ]


def _clump(diameter: float, rng: Generator) -> list[Floats]:
    return [_body(rng.uniform(0.12, 0.5) * diameter, 0.22, rng)]


def _body(diameter: float, irregularity: float, rng: Generator) -> Floats:
    shape = Shape(
        diameter=max(diameter, 4.0),
        size_variation=0,
        elongation=1.25,
        irregularity=irregularity,
        smoothness=1.0,
        dents=0,
    )
    outline = random_outline(shape, rng)
    return outline * min(diameter / 4.0, 1.0)


def _add_on_free_ground(
    sharp: Floats, taken: np.ndarray, parts: list[Floats], level: float, rng: Generator
) -> None:
    """Add what is made of parts where none of them meets a nucleus, if such a place is found."""
    for _ in range(PLACES):
        at = rng.random(2) * sharp.shape
        placed = [part + at for part in parts]
        windows = [window_of(part, margin=1).clipped(*sharp.shape) for part in placed]
        if any(
            (contains(part, window) & taken[window.slices]).any()
            for part, window in zip(placed, windows, strict=True)
        ):
            continue
        for part, window in zip(placed, windows, strict=True):
            if window.height and window.width:
                own = coverage(part, window) * level * rng.uniform(0.8, 1.2)
                grain = smooth_noise((window.height, window.width), 1.0, rng)
                sharp[window.slices] += own * np.exp(0.15 * grain)
        return


def _add_blurred(soft: Floats, nuclei: Shape, distractors: Distractors, rng: Generator) -> None:
    """Add a nucleus out of focus, anywhere."""
    outline = random_outline(nuclei, rng)
    at, spread = rng.random(2) * soft.shape, rng.standard_normal(2)
    sigma = distractors.out_of_focus_blur * nuclei.diameter * float(np.exp(0.3 * spread[0]))
    level = distractors.out_of_focus_level * float(np.exp(0.3 * spread[1]))
    # Blurred on a window of its own, whole, wherever on the canvas that lies.
    own = window_of(outline, margin=int(np.ceil(3 * sigma)) + 1)
    image = ndimage.gaussian_filter(level * coverage(outline, own), sigma, truncate=3.0)
    y, x = round(float(at[0])) + own.y, round(float(at[1])) + own.x
    there = Window(y, x, own.height, own.width).clipped(*soft.shape)
    inside = Window(there.y - y, there.x - x, there.height, there.width)
    soft[there.slices] += image[inside.slices]


def _from_a_side(shape: tuple[int, ...], pad: int, seed: Seed) -> Floats:
    """Return light that comes into the frame from a side and falls by e for each third of it."""
    turn = seed.generator().uniform(0, 2 * np.pi)
    y, x = ((np.arange(n) - pad + 0.5) / max(n - 2 * pad, 1) for n in shape)
    along = np.sin(turn) * y[:, None] + np.cos(turn) * x[None, :]
    low = min(0.0, float(np.sin(turn))) + min(0.0, float(np.cos(turn)))
    fall: Floats = np.exp(-3 * np.maximum(along - low, 0.0))
    return fall
