"""The light of a scene's spots, from their positions, photons and widths."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from benchmark.errors import nearest
from generators.painting.errors import PainterError
from generators.spots import LEARNED, SpotList
from generators.spottexture.lattice import NARROW, balanced, places, widths

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from generators.polygons import Floats
    from generators.seeds import Seed
    from generators.spottexture.files import StoredSpots

HOME = Path(__file__).with_name("models")
SUFFIX = ".safetensors"
REACH = 9.0
"""Widths beyond which a spot has no light."""
GRID = 2.0**-20
"""Steps of a spot's light: what the last bits of another processor's sums come to is rounded."""
_AT_ONCE = 64
"""Spots that are painted at once, always as many: sums then do not depend on how many there are."""


class SpotPainter:
    """Paints spots with the light of those that it learned from.

    The centroid of what it paints is the position asked for, its sum the photons asked for: both
    follow from how a spot is made, not from what was learned.

    Parameters
    ----------
    stored
        What a file of `bench train spots` holds.
    """

    def __init__(self, stored: StoredSpots) -> None:
        self._stored = stored

    @property
    def kinds(self) -> tuple[str, ...]:
        """Names of the images that it learned from, each with a kind of spots."""
        return tuple(kind.name for kind in self._stored.kinds)

    def share(self, kind: int) -> float:
        """Return the share of a spot's light that a Gaussian fitted to it has."""
        return self._stored.kinds[kind].share

    def paint(
        self, spots: SpotList, shape: tuple[int, int], seed: Seed, *, kind: int | None = None
    ) -> Floats:
        """Paint spots.

        Parameters
        ----------
        spots
            Where they are, their photons and widths.
        shape
            Height and width in px.
        seed
            The stream of this scene's spots. A spot looks alike when others are added behind it.
        kind
            Number of the real image whose spots they are like. By default one is drawn for all,
            each as often as it has spots.

        Returns
        -------
        (Y, X) float64
            Expected photons in each pixel.
        """
        image = np.zeros(shape)
        if not len(spots.photons):
            return image
        if kind is None:
            counts = np.cumsum([len(one.stretch) for one in self._stored.kinds])
            drawn = seed.at("kind").generator().random() * counts[-1]
            kind = int(np.searchsorted(counts, drawn, side="right"))
        every = self.weights(len(spots.photons), kind, seed)
        scales = spots.sigmas / (widths(every) * self._stored.kinds[kind].width)
        for weights, position, light, sigma in zip(
            every, spots.positions, spots.photons, scales, strict=True
        ):
            _add(image, weights, position, light, sigma)
        return image

    def weights(self, count: int, kind: int, seed: Seed) -> Floats:
        """Return (N, SIDE, SIDE) float64 weights of spots' Gaussians, whose sum is 1 in each."""
        one = self._stored.kinds[kind]
        pick = seed.at("stretch").generator().random(count) * len(one.stretch)
        stretch = one.stretch[pick.astype(np.intp)].astype(np.float32)
        rng = seed.at("noise").generator()
        full = -count % _AT_ONCE
        noise = rng.standard_normal((count, self._stored.network.settings.drawn), np.float32)
        noise = np.pad(noise, ((0, full), (0, 0)))
        stretch = np.pad(stretch, ((0, full), (0, 0)))
        parts = [
            self._forward(kind, stretch[k : k + _AT_ONCE], noise[k : k + _AT_ONCE])
            for k in range(0, count, _AT_ONCE)
        ]
        made = np.concatenate(parts)[:count].astype(np.float64)
        made = balanced(made)
        made = np.rint(made / made.sum(axis=(1, 2), keepdims=True) / GRID) * GRID
        shares: Floats = made / made.sum(axis=(1, 2), keepdims=True)
        return shares

    def _forward(
        self, kind: int, stretch: NDArray[np.float32], noise: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Run the network, on one thread: so sums have one order."""
        import torch  # noqa: PLC0415 - an optional library of seconds to import

        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            with torch.inference_mode():
                kinds = torch.full((len(stretch),), kind)
                made: NDArray[np.float32] = self._stored.network(
                    kinds, torch.tensor(stretch), torch.tensor(noise)
                ).numpy()
        finally:
            torch.set_num_threads(before)
        return made


def _add(image: Floats, weights: Floats, position: Floats, light: float, sigma: float) -> None:
    """Add a spot to an image: its Gaussians integrated over each pixel, centroid at position."""
    at = places()
    boxes, shares = [], []
    for axis, other in enumerate((1, 0)):
        centre, reach = float(position[axis]), REACH * sigma + 0.5
        low = max(int(np.floor(centre - reach)), 0)
        high = min(int(np.ceil(centre + reach)) + 1, image.shape[axis])
        if low >= high:
            return
        own = centre + sigma * (at - weights.sum(axis=other) @ at)
        edges = np.arange(low, high + 1) - 0.5
        away = (edges[:, None] - own) / (NARROW * sigma * np.sqrt(2.0))
        boxes.append(slice(low, high))
        shares.append(np.diff(special.erf(away), axis=0) / 2)
    image[tuple(boxes)] += light * (shares[0] @ weights @ shares[1].T)


@cache
def named(name: str) -> SpotPainter:
    """Return a painter of spots by its name or its file.

    Raises
    ------
    PainterError
        There is none, or this installation lacks the extra `networks`.
    """
    if name in LEARNED:
        return opened(HOME / f"{name}{SUFFIX}")
    if not name.endswith(SUFFIX):
        raise PainterError(f"there is no painter of spots {name!r}", mend=nearest(name, LEARNED))
    return opened(Path(name))


def opened(path: Path) -> SpotPainter:
    """Read a painter of spots.

    Raises
    ------
    PainterError
        The file is missing or holds something else, or this installation cannot read it.
    """
    missing = [name for name in ("torch", "safetensors") if find_spec(name) is None]
    if missing:
        raise PainterError(
            f"painters need {' and '.join(missing)}, which this installation lacks",
            mend="install the extra: pip install 'cellgen-bench[networks]'",
        )
    from generators.spottexture.files import load  # noqa: PLC0415 - imports torch

    return SpotPainter(load(path))
