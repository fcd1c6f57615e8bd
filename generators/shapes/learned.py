"""Outlines that a trained generator network draws."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from generators.errors import ShapeError
from generators.polygons import area, is_simple
from generators.shapes.geometry import turned
from generators.shapes.maps import VERTICES, Frames, MapSettings, outlines_of
from generators.shapes.styles import restyled, styled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.random import Generator
    from numpy.typing import ArrayLike, NDArray

    from generators.polygons import Floats

SHIPPED = Path(__file__).with_name("models") / "stylegan3-t-nuclei.safetensors"
BATCH = 32
"""Maps that are drawn at once, at most."""
ROUNDS = 50
"""Times that maps without a shape are drawn anew before that is an error."""
_MEND = "use a file that `bench train masks --content objects` wrote"


@dataclass(frozen=True)
class _Model:
    """A network and what its maps mean."""

    network: Any
    map: MapSettings
    frames: Frames


class LearnedSource:
    """Outlines from a network that `bench train masks --content objects` trained.

    Of residual maps, sizes and elongations are drawn from the distribution that goes with the
    network; distance maps show their own. The network is read when it is first drawn from, and
    that needs the extra `networks`.

    Parameters
    ----------
    path
        Its file; default: the shipped network.

    Attributes
    ----------
    drawn, invalid
        How many maps were drawn so far, and how many of them gave no simple outline and were drawn
        anew.

    Raises
    ------
    ShapeError
        If there is no such file.
    """

    name = "stylegan3"
    styles: tuple[str, ...] = ("size", "elongation", "irregularity")

    def __init__(self, path: str | Path = SHIPPED) -> None:
        self.path = Path(path)
        self.drawn = self.invalid = 0
        if not self.path.is_file():
            raise ShapeError("there is no network of shapes here", where=self.path, mend=_MEND)

    def sample(self, n: int, rng: Generator, **style: ArrayLike) -> list[Floats]:
        """Draw outlines; see `ShapeSource.sample`.

        Of residual maps, a size or an elongation that is not given is drawn to go with the other.

        Raises
        ------
        ShapeError
            If torch is not installed, the file holds something else, or its maps show no shapes.
        """
        given = styled(n, style, self.styles)
        frames = None
        if self._model.map.kind == "residual":
            frames = self._model.frames.sample(n, rng, given.get("size"), given.get("elongation"))
        angles = rng.uniform(0, 2 * np.pi, n)
        stack = np.empty((n, VERTICES, 2))
        missing = np.arange(n)
        for _ in range(ROUNDS):
            if not missing.size:
                return list(turned(stack, angles))
            outlines = self._outlines(
                missing.size,
                rng,
                None if frames is None else frames[missing],
                {name: values[missing] for name, values in given.items()},
            )
            for k, outline in zip(missing, outlines, strict=True):
                if outline is not None:
                    stack[k] = outline
            missing = missing[[outline is None for outline in outlines]]
            self.drawn += len(outlines)
            self.invalid += missing.size
        raise ShapeError(
            f"maps of this network and style showed no shape in {ROUNDS} tries",
            where=self.path,
            mend="ask for less irregularity, or use an earlier snapshot of the training",
        )

    def _outlines(
        self, n: int, rng: Generator, frames: Floats | None, given: Mapping[str, Floats]
    ) -> list[Floats | None]:
        """Draw n outlines of these frames and styles; None in place of what is none."""
        outlines = outlines_of(self._maps(n, rng), frames, self._model.map)
        made = {k: outline for k, outline in enumerate(outlines) if outline is not None}
        if not made or not given:
            return outlines
        at = list(made)
        styles = {name: values[at] for name, values in given.items()}
        for k, outline in zip(at, restyled(np.stack(list(made.values())), styles), strict=True):
            # A large irregularity can make an outline cross itself.
            outlines[k] = outline if area(outline) > 0 and is_simple(outline) else None
        return outlines

    def _maps(self, n: int, rng: Generator) -> NDArray[np.float32]:
        """Draw (n, 1, S, S) maps."""
        import torch  # noqa: PLC0415 - an optional library of seconds to import

        settings = self._model.network.settings
        z = torch.from_numpy(rng.standard_normal((n, settings.z_dim), dtype=np.float32))
        with torch.inference_mode():
            parts = [self._model.network(z[k : k + BATCH]) for k in range(0, n, BATCH)]
        return np.concatenate([part.numpy() for part in parts])

    @cached_property
    def _model(self) -> _Model:
        try:
            from generators.stylegan.files import load_generator, load_notes  # noqa: PLC0415
        except ModuleNotFoundError as error:
            raise ShapeError(
                f"shapes of networks need the library {error.name}",
                mend="install the extra: pip install 'cellgen-bench[networks]'",
            ) from error
        network = load_generator(self.path).eval().requires_grad_(requires_grad=False)
        try:
            content = json.loads(load_notes(self.path)["content"])
            if content["kind"] != "objects":
                raise ValueError(f"its pictures show {content['kind']}")  # noqa: TRY301
            map_ = MapSettings.from_json(json.dumps(content["map"]))
            frames = Frames.from_json(json.dumps(content["frames"]))
        except (KeyError, TypeError, ValueError) as error:
            raise self._unfit(str(error)) from error
        made, shown = network.settings, (1, map_.resolution, 0)
        if (made.channels, made.resolution, made.c_dim) != shown:
            raise self._unfit("its pictures are no maps of the size that it says they have")
        return _Model(network, map_, frames)

    def _unfit(self, why: str) -> ShapeError:
        return ShapeError(
            f"this network draws no outlines of objects: {why}", where=self.path, mend=_MEND
        )
