"""Find the dials of a network: what its own pictures measure, and which steps in W change it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import isotonic_regression

from benchmark.errors import BenchError
from generators.masks.control import (
    LEAST,
    OF_FRAME,
    Dial,
    Setting,
    restyled,
    scored,
    stepped,
)
from generators.masks.directions import directions, regressed
from generators.masks.making import Latent, Making, drawn, made
from generators.masks.measuring import NAMES
from generators.seeds import Seed
from generators.shapes.styles import STYLES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from generators.masks.networks import MaskNetwork
    from generators.polygons import Floats

SAMPLES = 2000
KNOTS = 9
ENDS = (0.01, 0.99)
"""Quantiles of the network's own measurements between which a dial is meant to go."""
MARGIN = 0.25
"""Of that span, how far beyond its ends the curve is taken up."""
SEEN = 0.8
"""Share of the pictures that must have something to measure for a point of the curve to count."""
FEWEST = 50
"""Pictures with something to measure that a calibration needs."""
FEWEST_LATENTS = 8
ASKED = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Quantiles that the error is measured at."""


def calibrated(
    network: MaskNetwork,
    *,
    samples: int = SAMPLES,
    seed: int = 0,
    done: Callable[[int, int], None] = lambda _done, _all: None,
) -> dict[str, Dial]:
    """Find and calibrate the dials of a network.

    The logarithms of the measurements of `samples` pictures are regressed on w; then once more
    together with as many pictures that were moved along the first directions, over all that can be
    asked for. A curve is the isotonic regression of median measurements at `KNOTS` scores, on other
    latents; its error is measured on others again.

    Parameters
    ----------
    network
        Of objects, fields or pictures.
    samples
        Pictures for each of the two regressions; about as many for curves and errors together.
    seed
        Of the latents.
    done
        Called with the pictures made and about how many there will be.

    Returns
    -------
    dict of Dial
        By name. Styles that do not follow any step are left out.

    Raises
    ------
    BenchError
        If too few pictures have something to measure.
    """
    bench = _Bench(network, seed, 4 * samples, done)
    first = bench.observed(bench.latents("plain", samples))
    in_frame = OF_FRAME if network.frames is not None else ()
    dials = {name: _exact(first, name) for name in in_frame}
    names = [n for n in NAMES if n not in in_frame and np.std(first.logs(n)) > LEAST]
    if names:
        spread = np.cov(first.w.T)
        readers = regressed(first.w, np.stack([first.logs(name) for name in names], axis=1))
        steps = _Steps(names, readers, directions(readers, spread))
        rng = Seed.root(seed).at("calibration", "steps").generator()
        moved = [
            _somewhere(latent, first, steps, rng) for latent in bench.latents("moved", samples)
        ]
        both = first.joined(bench.observed(moved))
        readers = regressed(both.w, np.stack([both.logs(name) for name in names], axis=1))
        steps = _Steps(names, readers, directions(readers, spread))
        each = max(samples // (2 * KNOTS * len(names)), FEWEST_LATENTS)
        for k in range(len(names)):
            dial = _curved(bench, steps.dial(k, first), first, each)
            if dial is not None:
                dials[dial.name] = _judged(bench, dial, max(each // 2, FEWEST_LATENTS))
    return {name: dials[name] for name in NAMES if name in dials}


@dataclass(frozen=True)
class _Observed:
    """Latents and what their pictures measure: w (N, w_dim), values (N, 3), all finite."""

    w: Floats
    values: Floats

    def of(self, name: str) -> Floats:
        return self.values[:, NAMES.index(name)]

    def logs(self, name: str) -> Floats:
        found: Floats = np.log(np.maximum(self.of(name), LEAST))
        return found

    def span(self, name: str, reader: Floats) -> tuple[float, float]:
        """Return the scores between which the measurements would lie if w told all."""
        logs = self.logs(name)
        shift = float((self.w @ reader).mean() - logs.mean())
        low, high = np.quantile(logs, ENDS) + shift
        return float(low), float(high)

    def joined(self, other: _Observed) -> _Observed:
        return _Observed(
            np.concatenate([self.w, other.w]), np.concatenate([self.values, other.values])
        )


@dataclass(frozen=True)
class _Steps:
    """Readers and directions (w_dim, K) of K styles."""

    names: list[str]
    readers: Floats
    along: Floats

    def dial(self, k: int, seen: _Observed) -> Dial:
        """Return the dial of a style, without its curve."""
        reader, along = self.readers[:, k].tolist(), self.along[:, k].tolist()
        return Dial(self.names[k], _percentiles(seen, self.names[k]), reader, along, [], [])


class _Bench:
    """Where a network's pictures are made, measured and counted."""

    def __init__(
        self, network: MaskNetwork, seed: int, total: int, done: Callable[[int, int], None]
    ) -> None:
        self.network = network
        self.making = Making(label=0 if network.generator.settings.c_dim else None)
        self.stream = Seed.root(seed).at("calibration")
        self.total, self.count, self.done = total, 0, done

    def latents(self, name: str, count: int) -> list[Latent]:
        seeds = [self.stream.at(name, k).number for k in range(count)]
        return list(drawn(self.network, seeds, self.making))

    def values(self, latent: Latent) -> list[float]:
        self.count += 1
        self.done(min(self.count, self.total), self.total)
        found = made(self.network, latent, self.making).measured
        return [found[name] for name in NAMES]

    def observed(self, latents: Sequence[Latent]) -> _Observed:
        values = np.array([self.values(latent) for latent in latents])
        w = np.stack([latent.styles.double().numpy().mean(axis=0) for latent in latents])
        seen: NDArray[np.bool_] = np.isfinite(values).all(axis=1)
        if np.count_nonzero(seen) < FEWEST:
            raise BenchError(
                f"only {np.count_nonzero(seen)} of {len(latents)} pictures show an object whole",
                where=self.network.path,
                mend="train the network for longer, or calibrate with more samples",
            )
        return _Observed(w[seen], values[seen])


def _somewhere(latent: Latent, seen: _Observed, steps: _Steps, rng: np.random.Generator) -> Latent:
    """Return a latent moved, along one direction, to anywhere that can be asked for."""
    k = int(rng.integers(len(steps.names)))
    dial = steps.dial(k, seen)
    low, high = seen.span(dial.name, steps.readers[:, k])
    return stepped(latent, dial, rng.uniform(low, high) - scored(latent, dial))


def _curved(bench: _Bench, bare: Dial, seen: _Observed, count: int) -> Dial | None:
    """Return a dial with its curve; None where the measurement does not follow the steps."""
    latents = bench.latents(bare.name, count)
    low, high = seen.span(bare.name, np.array(bare.reader))
    reserve = MARGIN * (high - low)
    scores: list[float] = []
    medians: list[float] = []
    for score in np.linspace(low - reserve, high + reserve, KNOTS).tolist():
        there = [stepped(latent, bare, score - scored(latent, bare)) for latent in latents]
        values = np.array([bench.values(latent)[NAMES.index(bare.name)] for latent in there])
        if np.isfinite(values).mean() >= SEEN:
            scores.append(score)
            medians.append(float(np.nanmedian(values)))
    if len(scores) < 2:
        return None
    rising = isotonic_regression(medians).x.tolist()
    kept = [k for k, v in enumerate(rising) if k == 0 or v > rising[k - 1] * (1 + LEAST)]
    if len(kept) < 2:
        return None
    return replace(bare, scores=[scores[k] for k in kept], values=[rising[k] for k in kept])


def _percentiles(seen: _Observed, name: str) -> list[float]:
    found: list[float] = np.quantile(seen.of(name), np.linspace(0, 1, 101)).tolist()
    return found


def _exact(seen: _Observed, name: str) -> Dial:
    """Return the dial of a style that an object is simply given."""
    low, high, _ = STYLES[name]
    return Dial(name, _percentiles(seen, name), [], [], [low, high], [low, high])


def _judged(bench: _Bench, dial: Dial, count: int) -> Dial:
    """Return a dial with its errors, measured on latents that its curve never saw."""
    latents = bench.latents(f"test {dial.name}", count)
    shares = 100 * np.array(ASKED)
    asked = np.interp(shares, np.arange(101), dial.percentiles).clip(*dial.reach).tolist()
    figures: list[float] = []
    for solve in (False, True):
        pairs = np.array(
            [
                (value, _got(bench, latent, dial, value, solve=solve))
                for value in asked
                for latent in latents
            ]
        )
        wanted, got = pairs[np.isfinite(pairs[:, 1])].T
        figures += [
            float(np.median(np.abs(got - wanted))),
            float(np.polyfit(wanted, got, 1)[0]),
        ]
    error, slope, solved_error, solved_slope = figures
    return replace(
        dial, error=error, slope=slope, solved_error=solved_error, solved_slope=solved_slope
    )


def _got(bench: _Bench, latent: Latent, dial: Dial, value: float, *, solve: bool) -> float:
    """Return what is measured where a value was asked for."""
    setting = Setting({dial.name: value}, {dial.name: dial}, solve)
    given = restyled(bench.network, latent, setting, bench.making)
    return bench.values(given)[NAMES.index(dial.name)]
