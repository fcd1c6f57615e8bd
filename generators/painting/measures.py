"""How close painted images come to real ones: edges, texture, spectrum, brightness."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage, stats

from generators.painting.codes import FEWEST
from generators.painting.conditioning import Geometry
from generators.painting.edges import edges
from generators.seeds import Seed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from generators.painting.examples import Example, Examples
    from generators.painting.painter import Painter
    from generators.painting.scale import Scale
    from generators.polygons import Floats

BANDS = 9
"""Of spatial frequency, evenly spaced in its logarithm, from 1/64 to 1/2 cycles a pixel."""
_PART = 128  # px: height and width of the parts that spectra are taken of
_INSIDE = 3.0  # px from the outline


def edge_figures(
    images: Sequence[NDArray[Any]], labels: Sequence[NDArray[Any]]
) -> dict[str, float]:
    """Return where edges at half height lie against labels, px; negative: inside.

    Returns
    -------
    dict
        `edge`, the median; `edge spread` and `edge spread 95`, the median and 95 % of the distance
        from it.
    """
    found = [
        edges(image, Geometry.of(own)).shifts for image, own in zip(images, labels, strict=True)
    ]
    shifts = np.concatenate([np.zeros(0), *found])
    if not shifts.size:
        return {}
    middle = float(np.median(shifts))
    half, most = np.quantile(np.abs(shifts - middle), [0.5, 0.95])
    return {"edge": middle, "edge spread": float(half), "edge spread 95": float(most)}


def variations(image: NDArray[Any], labels: NDArray[Any]) -> Floats:
    """Return the coefficient of variation of the light inside each object, above the ground.

    Examples
    --------
    >>> labels = np.zeros((20, 20), np.uint8)
    >>> labels[2:18, 2:18] = 1
    >>> image = 100 + 100 * labels + 10 * (np.indices((20, 20)).sum(axis=0) % 2 * 2 - 1) * labels
    >>> variations(image, labels).round(2).tolist()
    [0.1]
    """
    geometry = Geometry.of(labels)
    own = np.minimum(geometry.signed, geometry.between) > _INSIDE
    ground = float(np.median(image[labels == 0])) if (labels == 0).any() else 0.0
    number, light = labels[own], image[own].astype(np.float64) - ground
    count = int(labels.max(initial=0)) + 1
    size = np.bincount(number, minlength=count)
    mean = np.bincount(number, light, minlength=count) / np.maximum(size, 1)
    square = np.bincount(number, (light - mean[number]) ** 2, minlength=count)
    known = (size >= FEWEST) & (mean > 0)
    found: Floats = np.sqrt(square[known] / size[known]) / mean[known]
    return found


def spectrum(seen: Sequence[Floats]) -> Floats:
    """Return (BANDS,) mean power of images in bands of spatial frequency."""
    window = np.hanning(_PART)[:, None] * np.hanning(_PART)
    frequency = np.hypot(np.fft.fftfreq(_PART)[:, None], np.fft.fftfreq(_PART))
    limits = np.geomspace(1 / 64, 0.5, BANDS + 1)
    band = np.digitize(frequency, limits) - 1
    total, count = np.zeros(BANDS), np.zeros(BANDS)
    for one in seen:
        for y in range(0, one.shape[0] - _PART + 1, _PART):
            for x in range(0, one.shape[1] - _PART + 1, _PART):
                part = one[y : y + _PART, x : x + _PART]
                power = np.abs(np.fft.fft2((part - part.mean()) * window)) ** 2
                for k in range(BANDS):
                    total[k] += power[band == k].sum()
                    count[k] += np.count_nonzero(band == k)
    return total / np.maximum(count, 1)


def measured(painter: Painter, examples: Examples, count: int) -> dict[str, float]:
    """Return figures on so many of the examples' scenes, evenly taken, painted anew.

    What their objects are like is drawn as it is for new scenes; the camera's noise is that of the
    examples.
    """
    with_objects = [one for one in examples.images if one.geometry.labels.any()]
    if not count:
        return {}
    some = with_objects[:: max(1, len(with_objects) // count)][:count]
    labels = [one.geometry.labels for one in some]
    real = [examples.scale.grey(one.seen) for one in some]
    painted = [
        photographed(painter, one, examples.scale, Seed.root(0).at("measured", k))
        for k, one in enumerate(some)
    ]
    return compared(real, painted, labels, examples.scale)


def photographed(
    painter: Painter, example: Example, scale: Scale, seed: Seed
) -> NDArray[np.float64]:
    """Return (Y, X) grey levels of an example's scene, whole numbers, with its camera's noise."""
    labels, noise = example.geometry.labels, example.noise
    area = float(np.median(np.unique(labels[labels > 0], return_counts=True)[1]))
    mood = painter.mood(float((labels > 0).mean()), seed, area=area)
    light = painter.paint(labels, seed, mood=mood)
    unit = float(scale.grey(mood.typical[0]) - scale.grey(mood.ground))
    grey = painter.black + unit * (light.signal + light.background)
    shot = seed.at("camera").generator().standard_normal(grey.shape)
    image: NDArray[np.float64] = np.rint(grey + np.sqrt(noise.variance(grey)) * shot)
    return image


def compared(
    real: Sequence[NDArray[Any]],
    painted: Sequence[NDArray[Any]],
    labels: Sequence[NDArray[Any]],
    scale: Scale,
) -> dict[str, float]:
    """Return figures on painted images of the scenes that real ones show.

    Parameters
    ----------
    real, painted
        (Y, X) images, grey levels.
    labels
        Of both.
    scale
        That power spectra are taken in.

    Returns
    -------
    dict
        Those of `edge_figures`; `CV`, the median coefficient of variation inside objects, over that
        of the real ones; `spectrum`, the largest deviation of the power of a band from the real,
        as a share of it; `KS grey`, the Kolmogorov-Smirnov distance of all grey levels; `KS
        objects`, that of the objects' mean grey levels.
    """
    figures = edge_figures(painted, labels)
    cv = [
        float(np.median(np.concatenate(list(map(variations, some, labels)))))
        for some in (painted, real)
    ]
    powers = [spectrum([scale.seen(one) for one in some]) for some in (painted, real)]
    means = [np.concatenate(list(map(_means, some, labels))) for some in (painted, real)]
    pixels = [np.concatenate([one[::4, ::4].ravel() for one in some]) for some in (painted, real)]
    if powers[1].all():  # else images are too small for spectra
        figures["spectrum"] = float(np.max(np.abs(powers[0] / powers[1] - 1)))
    return {
        **figures,
        "CV": cv[0] / cv[1],
        "KS grey": float(stats.ks_2samp(pixels[0], pixels[1]).statistic),
        "KS objects": float(stats.ks_2samp(means[0], means[1]).statistic),
    }


def _means(image: NDArray[Any], labels: NDArray[Any]) -> Floats:
    present = np.unique(labels[labels > 0])
    means: Floats = np.asarray(ndimage.mean(image, labels, present), dtype=np.float64)
    return means.reshape(-1)
