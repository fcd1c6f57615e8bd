"""The light of a scene, from its labels: what recipes call `painter`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import ndimage

from benchmark.errors import nearest
from generators.painting.conditioning import CODES, Geometry, assembled
from generators.painting.errors import PainterError
from generators.painting.scale import CONTRAST
from generators.texture import LEARNED, smooth_noise

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from generators.painting.files import Stored
    from generators.polygons import Floats
    from generators.seeds import Seed

HOME = Path(__file__).with_name("models")
SUFFIX = ".safetensors"
MARGIN = 16
"""Px about what is wanted that are painted with it, so that its border is like its middle."""
TILE = 512
"""Px that are painted at once; more would make no difference but to memory."""
REACH = 128
"""Px beyond which nothing makes a difference to a pixel."""
GRID = 2.0**-12
"""Steps of light: what the last bits of another processor's sums come to is rounded away."""
_USUAL = 0.75  # quantile of the images' unevenness of ground that is not gone beyond
_WIDE = 5.0  # of 8 px: standard deviation of the Gaussian that smooths the ground


class Light(NamedTuple):
    """Light of a scene, (Y, X) float64; 1 is that of a median nucleus above the background."""

    signal: Floats
    background: Floats


@dataclass(frozen=True)
class Mood:
    """What the objects of a scene are like, as in one real image.

    Attributes
    ----------
    image
        Its number in the painter's bank.
    typical
        (K,) codes of its median object.
    ground, unevenness
        What is seen of its ground, and how unevenly.
    """

    image: int
    typical: Floats
    ground: float
    unevenness: float


class Painter:
    """Paints scenes with the light of the images that it learned from.

    Parameters
    ----------
    path
        A file that `bench train painter` wrote. It is read when it is first needed, and that needs
        the extra `networks`.

    Raises
    ------
    PainterError
        There is no such file.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise PainterError(
                "there is no painter here",
                where=self.path,
                mend=f"name a {SUFFIX} file of `bench train painter`, or {' or '.join(LEARNED)}",
            )

    @property
    def black(self) -> float:
        """Grey level of no light in the images that it learned from."""
        return self._stored.noise.black

    def mood(self, cover: float, seed: Seed, *, area: float | None = None) -> Mood:
        """Draw a real image like a scene.

        Parameters
        ----------
        cover
            Share of it that objects cover.
        seed
            Its stream.
        area
            Of its median object, px²; None where it has none.
        """
        bank = self._stored.bank
        image = bank.image(cover, area, seed.at("image").generator())
        typical = np.median(bank.of_image(image), axis=0)
        # A few images have a blot of light out of focus, and that is no matter of the ground.
        most = float(np.quantile(bank.unevenness, _USUAL))
        uneven = min(float(bank.unevenness[image]), most)
        return Mood(image, typical, float(bank.ground[image]), uneven)

    def code(
        self,
        mood: Mood,
        area: float,
        seed: Seed,
        *,
        variation: float = 1.0,
        texture: float = 1.0,
        brightness: float = 1.0,
    ) -> Floats:
        """Draw the codes of one object.

        Parameters
        ----------
        mood
            Of its scene.
        area
            Of the object, px².
        seed
            Its stream.
        variation, texture, brightness
            What differences in the logarithm of brightness, the unevenness of the light inside, and
            the light are multiplied by.

        Returns
        -------
        (K,) float64
            See `generators.painting.codes`.
        """
        code = self._stored.bank.like(mood.image, area, seed.generator())
        uneven = np.full(CODES - 1, np.log(max(texture, 1e-3)))
        if self._stored.sharpness:
            uneven[-1] = 0.0
        factors = np.array([variation, *[1.0] * (CODES - 1)])
        drawn: Floats = mood.typical + factors * (code - mood.typical)
        drawn += np.array([np.log(brightness) / CONTRAST, *uneven])
        return drawn

    def paint(
        self,
        labels: NDArray[Any],
        seed: Seed,
        *,
        codes: Floats | None = None,
        mood: Mood | None = None,
    ) -> Light:
        """Paint a scene.

        Parameters
        ----------
        labels
            (Y, X) integers, 0 is the ground.
        seed
            Its stream.
        codes
            (N + 1, K) by label; row 0 is not used. By default drawn.
        mood
            That the codes were drawn in.
        """
        areas = np.bincount(labels.ravel(), minlength=1)
        if mood is None:
            area = float(np.median(areas[1:][areas[1:] > 0])) if labels.any() else None
            mood = self.mood(float((labels > 0).mean()), seed, area=area)
        if codes is None:
            drawn = [
                self.code(mood, float(areas[k]), seed.at("object", k)) for k in range(1, areas.size)
            ]
            codes = np.array([np.zeros(CODES), *drawn])
        codes = self._within(codes)
        ground = self._ground(labels.shape, mood, seed.at("ground"))
        geometry, mended = Geometry.of(labels), self._stored.calibration
        maps = assembled(mended.closed(geometry), codes, ground, mended.inset)
        seen = self._painted(maps, seed) + mended.correction(geometry)
        return self._light(seen, ground, mood)

    def _within(self, codes: Floats) -> Floats:
        """Return codes no further out than what was learned from."""
        return np.clip(codes, *self._limits)

    @cached_property
    def _limits(self) -> Floats:
        limits: Floats = np.quantile(self._stored.bank.codes, [0.001, 0.999], axis=0)
        return limits

    def _ground(self, shape: tuple[int, ...], mood: Mood, seed: Seed) -> Floats:
        coarse = (shape[0] // 8 + 2, shape[1] // 8 + 2)
        field = smooth_noise(coarse, _WIDE, seed.generator())
        wide = ndimage.zoom(field, 8, order=1, mode="nearest", grid_mode=True)
        ground: Floats = mood.ground + mood.unevenness * wide[: shape[0], : shape[1]]
        return ground

    def _light(self, seen: Floats, ground: Floats, mood: Mood) -> Light:
        """Return what is seen as light: above the camera's black, in the median object's."""
        scale, black = self._stored.scale, self._stored.noise.black
        dark = np.maximum(scale.grey(ground) - black, 0)
        unit = float(scale.grey(mood.typical[0]) - scale.grey(mood.ground))
        background = np.rint(dark / unit / GRID) * GRID
        total = np.rint(np.maximum(scale.grey(seen) - black, 0) / unit / GRID) * GRID
        return Light(total - background, background)

    def _painted(self, seen: NDArray[np.float32], seed: Seed) -> Floats:
        """Return what the network makes of maps (C, Y, X), tile by tile."""
        _, height, width = seen.shape
        step = self._stored.network.settings.step
        pad = [(0, 0), *((0, -n % step) for n in (height, width))]
        whole = np.pad(seen, pad, mode="edge")
        noise = self._noise(whole.shape[1:], seed.at("noise"))
        out = np.empty(whole.shape[1:], np.float64)
        for part, around in _tiles(whole.shape[1], whole.shape[2]):
            sizes = [2**k for k in reversed(range(len(noise)))]
            levels = [
                level[:, _divided(around[0], s), _divided(around[1], s)]
                for level, s in zip(noise, sizes, strict=True)
            ]
            done = self._forward(whole[:, around[0], around[1]], levels)
            inner = tuple(
                slice(p.start - a.start, p.stop - a.start)
                for p, a in zip(part, around, strict=True)
            )
            out[part] = done[inner]
        return out[:height, :width]

    def _noise(self, shape: tuple[int, ...], seed: Seed) -> list[NDArray[np.float32]]:
        settings = self._stored.network.settings
        return [
            seed.at(size)
            .generator()
            .standard_normal((settings.noise, shape[0] // size, shape[1] // size), np.float32)
            for size in (2**k for k in reversed(range(settings.downs + 1)))
        ]

    def _forward(
        self, seen: NDArray[np.float32], noise: Sequence[NDArray[np.float32]]
    ) -> NDArray[np.float32]:
        """Run the network on one tile, on one thread: so sums have one order."""
        import torch  # noqa: PLC0415 - an optional library of seconds to import

        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            with torch.inference_mode():
                first, *levels = [
                    # The layout that convolutions are fastest in.
                    torch.tensor(part)[None].contiguous(memory_format=torch.channels_last)
                    for part in (seen, *noise)
                ]
                done: NDArray[np.float32] = self._stored.network(first, levels)[0, 0].numpy()
        finally:
            torch.set_num_threads(before)
        return done

    @cached_property
    def _stored(self) -> Stored:
        missing = [name for name in ("torch", "safetensors") if find_spec(name) is None]
        if missing:
            raise PainterError(
                f"painters need {' and '.join(missing)}, which this installation lacks",
                mend="install the extra: pip install 'cellgen-bench[networks]'",
            )
        from generators.painting.files import load  # noqa: PLC0415 - imports torch

        return load(self.path)


def _tiles(height: int, width: int) -> Iterator[tuple[tuple[slice, slice], tuple[slice, slice]]]:
    """Yield the parts of a picture, and each with what can make a difference to it."""
    for y in range(0, height, TILE):
        for x in range(0, width, TILE):
            part = slice(y, min(y + TILE, height)), slice(x, min(x + TILE, width))
            limits = (height, width)
            around = tuple(
                slice(max(p.start - REACH, 0), min(p.stop + REACH, n))
                for p, n in zip(part, limits, strict=True)
            )
            yield part, (around[0], around[1])


def _divided(part: slice, size: int) -> slice:
    return slice(part.start // size, part.stop // size)


@cache
def named(name: str) -> Painter:
    """Return a painter by its name or its file.

    Raises
    ------
    PainterError
        There is none.
    """
    if name in LEARNED:
        return Painter(HOME / f"{name}{SUFFIX}")
    if not name.endswith(SUFFIX):
        raise PainterError(f"there is no painter {name!r}", mend=nearest(name, LEARNED))
    return Painter(name)
