"""Augmentation that the discriminator sees and the generator does not learn.

Karras et al., "Training Generative Adversarial Networks with Limited Data", arXiv 2006.06676,
section 2 and appendix B. Each transformation is done with probability p, to fakes and real
pictures alike. As long as pictures without it are common enough, what the discriminator learns is
still about the pictures, and the augmentations do not leak into what is generated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch

from generators.stylegan import distortions
from generators.stylegan.warping import moved_exactly, moved_smoothly

Pipe = Literal["blit", "geom", "color", "filter", "noise", "cutout", "bg", "bgc", "bgcfnc"]

_PIPES: dict[str, frozenset[str]] = {
    "bg": frozenset({"blit", "geom"}),
    "bgc": frozenset({"blit", "geom", "color"}),
    "bgcfnc": frozenset({"blit", "geom", "color", "filter", "noise", "cutout"}),
}
_SHIFT = 0.125  # of the picture's width, of translations


@dataclass(frozen=True)
class AugmentationSettings:
    """What is done to pictures before they are judged, and how often.

    Parameters
    ----------
    pipe
        `blit` (flips, quarter turns, whole pixels), `geom` (scale, rotation, stretch, fractions of
        pixels), `color` (brightness and contrast; with three channels also luma flip, hue and
        saturation), `filter`, `noise`, `cutout`, or `bg`, `bgc`, `bgcfnc` for several.
    p
        With `target` None the fixed probability, else the one to start from.
    target
        What the overfitting measure r is held to by raising and lowering p: the mean sign of the
        discriminator's logits of real pictures. None: p is fixed.
    kimg
        Thousands of pictures in which p can go from 0 to 1.
    every
        Steps between adaptations of p.
    """

    pipe: Pipe = "bgc"
    p: float = 0.0
    target: float | None = 0.6
    kimg: float = 500.0
    every: int = 4

    def __post_init__(self) -> None:
        if self.pipe not in get_args(Pipe):
            raise ValueError(f"pipe {self.pipe!r} is none of {', '.join(get_args(Pipe))}")
        if not 0 <= self.p <= 1:
            raise ValueError(f"p = {self.p!r} is not between 0 and 1")

    @property
    def kinds(self) -> frozenset[str]:
        """The groups of transformations in use."""
        return _PIPES.get(self.pipe, frozenset({self.pipe}))

    def adapted(self, p: float, overfitting: float, pictures: int) -> float:
        """Return the next p.

        Parameters
        ----------
        p
            The probability until now.
        overfitting
            Mean sign of the logits of real pictures since the last adaptation, in [-1, 1].
        pictures
            How many were learned from since then.

        Examples
        --------
        >>> settings = AugmentationSettings(target=0.6, kimg=100.0)
        >>> settings.adapted(0.25, overfitting=0.9, pictures=1000)
        0.26
        >>> settings.adapted(0.0, overfitting=0.1, pictures=1000)
        0.0
        """
        if self.target is None or overfitting == self.target:
            return p
        change = pictures / (self.kimg * 1000)
        return min(max(p + (change if overfitting > self.target else -change), 0.0), 1.0)


@dataclass(frozen=True)
class Augmentations:
    """What happens to each of N pictures.

    Parameters
    ----------
    blits
        (N, 3, 3), moves of pixels onto pixels: where a point of the picture goes, in picture widths
        from the centre, x to the right, y down.
    moves
        (N, 3, 3), all other moves, done after; the identity for most pictures where p is small.
    colours
        (N, C, C + 1), a matrix on the channels and what is added.
    bands
        (N, 4), what four octaves of frequencies, the lowest first, are multiplied by.
    noise
        (N, C, S, S), added; None: nowhere.
    holes
        (N, 3): x, y of the centre in [0, 1] and side of a square that becomes 0; side 0: none.
    """

    blits: torch.Tensor
    moves: torch.Tensor
    colours: torch.Tensor
    bands: torch.Tensor
    noise: torch.Tensor | None
    holes: torch.Tensor

    def part(self, which: slice) -> Augmentations:
        """Return those of some of the pictures."""
        return Augmentations(
            self.blits[which],
            self.moves[which],
            self.colours[which],
            self.bands[which],
            None if self.noise is None else self.noise[which],
            self.holes[which],
        )

    def applied_to(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return pictures (N, C, S, S) augmented; differentiable any number of times."""
        pictures = self._moved(pictures)
        pictures = distortions.recoloured(pictures, self.colours)
        pictures = distortions.equalised(pictures, self.bands)
        if self.noise is not None:
            pictures = pictures + self.noise.to(pictures)
        return distortions.cut_out(pictures, self.holes)

    def _moved(self, pictures: torch.Tensor) -> torch.Tensor:
        """Move pictures, each by the cheapest way that is right for it."""
        still = torch.eye(3)
        off_lattice = (self.moves != still).flatten(1).any(1)
        on_lattice = ~off_lattice & (self.blits != still).flatten(1).any(1)
        moved = pictures
        for which, move in ((on_lattice, moved_exactly), (off_lattice, moved_smoothly)):
            chosen = which.nonzero().flatten()
            if len(chosen):
                transforms = self.moves[chosen] @ self.blits[chosen]
                at = chosen.to(pictures.device)
                moved = moved.index_copy(0, at, move(pictures[at], transforms))
        return moved


def drawn_augmentations(
    settings: AugmentationSettings,
    n: int,
    p: float,
    shape: tuple[int, int],
    rng: torch.Generator,
) -> Augmentations:
    """Draw what happens to n pictures.

    Parameters
    ----------
    settings
        Which transformations there are.
    n
        Number of pictures.
    p
        Probability of each transformation.
    shape
        Channels and size of the pictures.
    rng
        What everything is drawn from, the same amount whatever `settings` and `p` are.

    Notes
    -----
    arXiv 2006.06676, appendix B, figure 18: order and distributions of the transformations.
    """
    draw = _Draw(n, p, rng)
    channels, size = shape
    blits, moves = _drawn_blits(draw, size), _drawn_moves(draw)
    colours = _drawn_colours(draw, channels)
    bands = _drawn_bands(draw)
    sigma = draw.where(draw.normal().abs() * 0.1, 0.0)
    holes = torch.stack([*draw.uniform(2), draw.where(torch.full((n,), 0.5), 0.0)], 1)
    kinds, still = settings.kinds, torch.eye(3).repeat(n, 1, 1)
    noise = None
    if "noise" in kinds and sigma.any():
        noise = torch.randn(n, channels, size, size, generator=rng) * sigma[:, None, None, None]
    return Augmentations(
        blits if "blit" in kinds else still,
        moves if "geom" in kinds else still,
        colours if "color" in kinds else torch.eye(channels, channels + 1).repeat(n, 1, 1),
        bands if "filter" in kinds else torch.ones(n, 4),
        noise,
        holes if "cutout" in kinds else torch.zeros(n, 3),
    )


class _Draw:
    """Draws for n pictures, each transformation with its probability."""

    def __init__(self, n: int, p: float, rng: torch.Generator) -> None:
        self.n, self.p, self.rng = n, p, rng

    def uniform(self, count: int = 1) -> torch.Tensor:
        return torch.rand(count, self.n, generator=self.rng).squeeze(0)

    def normal(self, count: int = 1) -> torch.Tensor:
        return torch.randn(count, self.n, generator=self.rng).squeeze(0)

    def where(self, drawn: torch.Tensor, nothing: float, p: float | None = None) -> torch.Tensor:
        """Return what was drawn (..., N) where the transformation is done, else `nothing`."""
        done = self.uniform() < (self.p if p is None else p)
        return torch.where(done, drawn, torch.tensor(nothing))


def _drawn_blits(draw: _Draw, size: int) -> torch.Tensor:
    """Return flips, quarter turns and whole-pixel translations, (N, 3, 3)."""
    flip = draw.where((draw.uniform() * 2).floor(), 0.0) * -2 + 1
    quarters = draw.where((draw.uniform() * 4).floor(), 0.0)
    x, y = draw.where((draw.uniform(2) * 2 - 1) * _SHIFT, 0.0)
    turn = _turn(quarters * (torch.pi / 2)).round()
    one = torch.ones(draw.n)
    return _shift((x * size).round() / size, (y * size).round() / size) @ turn @ _scale(flip, one)


def _drawn_moves(draw: _Draw) -> torch.Tensor:
    """Return scale, rotation, stretch, rotation and translation, (N, 3, 3).

    Both rotations together are done with probability p, so each with 1 - √(1 - p).
    """
    each = 1 - (1 - draw.p) ** 0.5
    scale = draw.where(torch.exp2(0.2 * draw.normal()), 1.0)
    first = draw.where((draw.uniform() * 2 - 1) * torch.pi, 0.0, each)
    stretch = draw.where(torch.exp2(0.2 * draw.normal()), 1.0)
    second = draw.where((draw.uniform() * 2 - 1) * torch.pi, 0.0, each)
    x, y = draw.where(draw.normal(2) * _SHIFT, 0.0)
    moves = _turn(first) @ _scale(scale, scale)
    return _shift(x, y) @ _turn(second) @ _scale(stretch, 1 / stretch) @ moves


def _drawn_colours(draw: _Draw, channels: int) -> torch.Tensor:
    """Return matrices on the channels, and what is added to them, (N, C, C + 1)."""
    brightness = draw.where(0.2 * draw.normal(), 0.0)
    contrast = draw.where(torch.exp2(0.5 * draw.normal()), 1.0)
    flip = draw.where((draw.uniform() * 2).floor(), 0.0)
    hue = draw.where((draw.uniform() * 2 - 1) * torch.pi, 0.0)
    saturation = draw.where(torch.exp2(draw.normal()), 1.0)
    colours = torch.eye(channels).repeat(draw.n, 1, 1) * contrast[:, None, None]
    if channels == 3:
        colours = distortions.about_luma(flip, hue, saturation) @ colours
    added = colours.sum(2, keepdim=True) * brightness[:, None, None]
    return torch.cat([colours, added], 2)


def _drawn_bands(draw: _Draw) -> torch.Tensor:
    """Return what four octaves are multiplied by, (N, 4), so that natural power stays.

    Natural pictures have powers of 10, 1, 1, 1 there (in parts of 13).
    """
    power = torch.tensor([10.0, 1.0, 1.0, 1.0]) / 13
    gains = torch.ones(draw.n, 4)
    for band in range(4):
        changed = torch.ones(draw.n, 4)
        changed[:, band] = draw.where(torch.exp2(draw.normal()), 1.0)
        gains = gains * changed / (changed.square() @ power).sqrt()[:, None]
    return gains


def _turn(angle: torch.Tensor) -> torch.Tensor:
    """Return rotations (N, 3, 3) by angles (N,), from x towards y."""
    zero, one = torch.zeros_like(angle), torch.ones_like(angle)
    rows = [angle.cos(), -angle.sin(), zero, angle.sin(), angle.cos(), zero, zero, zero, one]
    return torch.stack(rows, 1).reshape(-1, 3, 3)


def _scale(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return matrices (N, 3, 3) that scale the axes."""
    return torch.diag_embed(torch.stack([x, y, torch.ones_like(x)], 1))


def _shift(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return translations (N, 3, 3)."""
    move = torch.eye(3).repeat(len(x), 1, 1)
    move[:, 0, 2], move[:, 1, 2] = x, y
    return move
