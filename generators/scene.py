"""Where the nuclei lie: number, clustering, gaps, overlaps, and who is on top.

A scene is laid out on a canvas wider than the frame, so that nuclei cut by the frame, and the light
of those just outside, are as they would be in a larger picture.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from generators import fields
from generators.dials import dial, word
from generators.outlines import Shape, random_outline
from generators.polygons import (
    Floats,
    Window,
    contains,
    distance,
    edge_distance,
    snapped,
    window_of,
)
from generators.shapes.source import source_named

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from generators.seeds import Seed

SMALLEST = 12
"""A nucleus with fewer visible pixels than this in the frame is drawn anew."""
PLACES = 6
"""Places tried for a nucleus before another one is drawn."""
TRIES = 15
"""Nuclei in a row that find no place after which a scene counts as full."""

SLACK = 1.2
"""Mean, in px, of what the gap between clustered nuclei exceeds the smallest gap by."""


@dataclass(frozen=True)
class Layout:
    """How the nuclei of a scene are arranged."""

    fields: str = word(
        fields.NONE,
        options=(fields.NONE, fields.NETWORK),
        files=(".safetensors", fields.FOLDER),
        says="whole fields in place of placed nuclei; no other dial here does anything then",
    )
    density: float = dial(
        0.2, low=0, high=0.9, unit="1", says="share of the frame that nuclei cover; 0 is empty"
    )
    count: float | None = dial(
        None, low=0, high=5000, unit="1", says="number of nuclei in the frame, instead of density"
    )
    clustering: float = dial(
        0.35, low=0, high=1, unit="1", says="share of nuclei placed beside one already there"
    )
    gap: float = dial(
        0.5, low=0, high=100, unit="px", says="smallest gap between outlines that do not overlap"
    )
    overlap: float = dial(
        0.1, low=0, high=1, unit="1", says="share of nuclei placed so that they overlap another"
    )
    max_hidden: float = dial(
        0.35, low=0, high=0.9, unit="1", says="largest share of a nucleus that others may hide"
    )
    condensed: float = dial(
        0.04, low=0, high=1, unit="1", says="share of nuclei that are small, rough and bright"
    )
    micronuclei: float = dial(
        0,
        low=0,
        high=1,
        unit="1",
        says="share of nuclei 0.15 to 0.6 times as wide as others",
        quiet=True,
    )


@dataclass(frozen=True)
class Nucleus:
    """One nucleus of a scene.

    Attributes
    ----------
    index
        Number in the order of placement: the address of its random streams.
    outline
        (V, 2) vertices (y, x) of the whole outline in px of the frame, hidden parts included.
    height
        Who is on top: where two nuclei overlap, the one of larger height is seen.
    condensed
        Whether it is small, rough and bright, as in mitosis or apoptosis.
    """

    index: int
    outline: Floats
    height: float
    condensed: bool


@dataclass
class Canvas:
    """The nuclei placed so far and what is visible of them; grows while a scene is laid out.

    Parameters
    ----------
    shape
        Height and width of the frame in px.
    pad
        Width in px of the border round the frame.
    """

    shape: tuple[int, int]
    pad: int
    nuclei: list[Nucleus] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.height, self.width = (n + 2 * self.pad for n in self.shape)
        self.top = np.zeros((self.height, self.width), np.int32)  # position in `nuclei`, plus one
        self.centres: Floats = np.zeros((0, 2))
        self.radii: Floats = np.zeros(0)
        self.heights: Floats = np.array([-np.inf])  # by the number on `top`; the ground is lowest

        self.framed = np.zeros((self.height, self.width), dtype=bool)
        self.framed[self.frame] = True

    @property
    def frame(self) -> tuple[slice, slice]:
        """Index of the frame in an array of the canvas's shape."""
        return Window(self.pad, self.pad, *self.shape).slices

    def _window(self, outline: Floats) -> Window:
        return window_of(outline + self.pad).clipped(self.height, self.width)

    def neighbours(self, outline: Floats, reach: float) -> NDArray[np.intp]:
        """Return positions of the nuclei that may lie within `reach` px of an outline."""
        centre = outline.mean(axis=0)
        radius = np.sqrt(np.max(np.sum((outline - centre) ** 2, axis=1)))
        apart = np.sqrt(np.sum((self.centres - centre) ** 2, axis=1))
        return np.nonzero(apart < self.radii + radius + reach)[0]

    def is_clear(self, outline: Floats, gap: float) -> bool:
        """Tell whether an outline keeps a gap in px from every nucleus."""
        # Most places that are taken show it at a few points well inside the outline.
        centre = outline.mean(axis=0)
        core = np.concatenate([centre[None], centre + 0.8 * (outline[::4] - centre)])
        y, x = (np.rint(core) + self.pad).astype(int).T
        on_canvas = (y >= 0) & (y < self.height) & (x >= 0) & (x < self.width)
        if not on_canvas[0] or self.top[y[on_canvas], x[on_canvas]].any():
            return False
        near = self.neighbours(outline, gap)
        return all(distance(outline, self.nuclei[k].outline) >= gap for k in near)

    def place(self, nucleus: Nucleus, max_hidden: float) -> bool:
        """Add a nucleus unless it, or one that it overlaps, would be hidden too far or torn."""
        window, number = self._window(nucleus.outline), len(self.nuclei) + 1
        before = self.top[window.slices].copy()
        mask = contains(nucleus.outline + self.pad, window)
        wins = mask & (nucleus.height > self.heights[before])
        self.top[window.slices][wins] = number
        affected = {int(k): self.nuclei[k - 1].outline for k in np.unique(before[wins]) if k}
        for k, outline in {number: nucleus.outline, **affected}.items():
            where = self._window(outline)
            whole = contains(outline + self.pad, where)
            visible = self.top[where.slices] == k
            if not _may_stay(whole, visible, self.framed[where.slices], max_hidden):
                self.top[window.slices] = before
                return False
        self.add(nucleus)
        return True

    def add(self, nucleus: Nucleus) -> None:
        """Enter a nucleus that is drawn on `top` already, under the number that follows."""
        self.nuclei.append(nucleus)
        centre = nucleus.outline.mean(axis=0)
        radius = np.sqrt(np.max(np.sum((nucleus.outline - centre) ** 2, axis=1)))
        self.centres = np.vstack([self.centres, centre])
        self.radii = np.append(self.radii, radius)
        self.heights = np.append(self.heights, nucleus.height)


def _may_stay(
    whole: NDArray[np.bool_],
    visible: NDArray[np.bool_],
    framed: NDArray[np.bool_],
    max_hidden: float,
) -> bool:
    """Tell whether enough of a nucleus is seen, on the canvas and in the frame, in one piece."""
    if not whole.any() or visible.sum() < (1 - max_hidden) * whole.sum():
        return False
    whole, visible = whole & framed, visible & framed
    if not whole.any():
        return True
    if visible.sum() < max(SMALLEST, (1 - max_hidden) * whole.sum()):
        return False
    # Connected through edges, so that no reader of labels, however strict, finds two pieces.
    return int(ndimage.label(visible)[1]) == 1


def _anywhere(canvas: Canvas, outline: Floats, rng: Generator) -> Floats:
    """Return an outline moved to a uniform place on the canvas."""
    corner = np.array([canvas.height, canvas.width]) * rng.random(2)
    return outline + corner - canvas.pad


def _beside(canvas: Canvas, outline: Floats, gap: float, rng: Generator) -> tuple[Floats, Floats]:
    """Return an outline moved to `gap` px from a random nucleus, and the direction away from it."""
    k = int(rng.integers(len(canvas.nuclei)))
    turn = rng.uniform(0, 2 * np.pi)
    away = np.array([np.sin(turn), np.cos(turn)])
    other = canvas.nuclei[k].outline
    reach = canvas.radii[k] + np.sqrt(np.max(np.sum(outline * outline, axis=1))) + gap + 1
    moved = outline + canvas.centres[k] + away * reach
    # Stepping in by no more than the free distance can never step over the gap.
    for _ in range(8):
        free = edge_distance(moved, other) - gap
        if free < 0.05:
            break
        moved = moved - away * free
    return moved, away


def lay_out(
    shape: tuple[int, int], layout: Layout, nuclei: Shape, seed: Seed, *, pad: int | None = None
) -> Canvas:
    """Lay out a scene.

    Parameters
    ----------
    shape
        Height and width of the frame in px.
    layout, nuclei
        How the nuclei are arranged, and what they are shaped like.
    seed
        The stream of this scene.
    pad
        Width in px of the border laid out round the frame; by default 1.5 diameters.

    Returns
    -------
    Canvas
        With the number or the density asked for in the frame, or with as many nuclei as found room.
    """
    if layout.fields != fields.NONE:
        return _whole_field(shape, layout.fields, seed)
    pad = int(np.ceil(1.5 * nuclei.diameter)) if pad is None else pad
    canvas = Canvas(shape, pad)
    failed = index = 0
    while failed < TRIES and not _full(canvas, layout):
        rng = seed.at("nucleus", index).generator()
        if _add(canvas, layout, nuclei, index, rng):
            failed = 0
        else:
            failed += 1
        index += 1
    return canvas


def _whole_field(shape: tuple[int, int], source: str, seed: Seed) -> Canvas:
    """Return a canvas that a field fills; it has no border, for nothing is known beyond it."""
    rng = seed.at("field").generator()
    canvas = Canvas(shape, pad=0)
    canvas.top, outlines = fields.field(source, shape, rng)
    heights = rng.random(len(outlines))
    for index, (outline, height) in enumerate(zip(outlines, heights, strict=True)):
        canvas.add(Nucleus(index, outline, float(height), condensed=False))
    return canvas


def _full(canvas: Canvas, layout: Layout) -> bool:
    visible = canvas.top[canvas.frame]
    if layout.count is not None:
        return bool(np.unique(visible[visible > 0]).size >= layout.count)
    return bool(np.count_nonzero(visible) >= layout.density * visible.size)


def _outline(nuclei: Shape, rng: Generator, size: float, rough: float) -> Floats:
    """Draw the outline of one nucleus in px, centred at the origin."""
    if nuclei.shapes == "parametric":
        return random_outline(nuclei, rng, size=size, rough=rough)
    outline = source_named(nuclei.shapes).sample(1, rng)[0]
    return outline * (size * nuclei.diameter)


def _add(canvas: Canvas, layout: Layout, nuclei: Shape, index: int, rng: Generator) -> bool:
    """Try to find a place for one nucleus; everything about it comes from its own stream."""
    condensed = rng.random() < layout.condensed
    clustered, overlapping = rng.random() < layout.clustering, rng.random() < layout.overlap
    slack, height = rng.exponential(SLACK), rng.random()
    size, rough = (0.7, 2.5) if condensed else (1.0, 1.0)
    if layout.micronuclei > 0 and rng.random() < layout.micronuclei:
        size = size * rng.uniform(0.15, 0.6)
    shape = _outline(nuclei, rng, size, rough)
    first = not canvas.nuclei
    for _ in range(PLACES):
        if overlapping and not first:
            outline, away = _beside(canvas, shape, 0.0, rng)
            outline = outline - away * rng.uniform(0.08, 0.4) * nuclei.diameter
        elif clustered and not first:
            outline, _ = _beside(canvas, shape, layout.gap + slack, rng)
        else:
            outline = _anywhere(canvas, shape, rng)
        outline = snapped(outline)
        if not (overlapping and not first) and not canvas.is_clear(outline, layout.gap):
            continue
        nucleus = Nucleus(index, outline, float(height), condensed)
        if canvas.place(nucleus, layout.max_hidden if overlapping else 0.0):
            return True
    return False
