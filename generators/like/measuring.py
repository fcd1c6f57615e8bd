"""What is measured of images, real and made, by the same code and without labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage
from skimage.measure import regionprops

from generators.like.segmenting import noise_in, roughly

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from generators.polygons import Floats

FIGURES = {
    "density": ("1", "share of the image that objects cover"),
    "objects": ("1/Mpx", "objects"),
    "diameter": ("px", "median diameter of a disc as large as an object"),
    "size_variation": ("1", "spread of ln(diameter)"),
    "elongation": ("1", "median ratio of the long to the short axis"),
    "contrast": ("ADU", "median height of an object over the background"),
    "brightness_variation": ("1", "spread of ln(height) among objects"),
    "background": ("ADU", "grey level of the background"),
    "unevenness": ("1", "spread of the smoothed background, over the contrast"),
    "noise": ("ADU", "standard deviation of the noise of a background pixel"),
    "snr": ("1", "contrast over the noise of a pixel in an object"),
    "blur": ("px", "standard deviation of the blur of edges"),
}
"""What is measured of an image: unit, and meaning. Spreads are robust standard deviations."""

STEP = 1.0
"""Standard deviation in px of the Gaussian that gradients are taken with."""


@dataclass(frozen=True)
class Measured:
    """Figures of a set of images.

    Attributes
    ----------
    by_image
        For each of `FIGURES` its value in every image; NaN where it has none.
    bits
        Bits that hold the brightest pixel: 8, 12, 14 or 16.
    """

    by_image: dict[str, Floats]
    bits: int

    def quantile(self, figure: str, share: float = 0.5) -> float:
        """Return a quantile over the images that have the figure; NaN if none has."""
        values = self.by_image[figure]
        values = values[np.isfinite(values)]
        return float(np.quantile(values, share)) if values.size else float("nan")


def measured(images: Sequence[NDArray[np.unsignedinteger]]) -> Measured:
    """Measure images.

    Parameters
    ----------
    images
        (Y, X) each, uint8 or uint16.
    """
    rows = [figures_of(image.astype(np.float64)) for image in images]
    brightest = max(int(image.max()) for image in images)
    eight = all(image.dtype == np.uint8 for image in images)
    bits = next(b for b in ((8,) if eight else (12, 14, 16)) if brightest < 2**b)
    return Measured({name: np.array([row[name] for row in rows]) for name in FIGURES}, bits)


def figures_of(image: Floats) -> dict[str, float]:
    """Return the figures of one image (Y, X)."""
    rough = roughly(image)
    labels = rough.labels
    taken = ndimage.binary_dilation(labels > 0, iterations=5)
    found = dict.fromkeys(FIGURES, float("nan"))
    found |= {
        "density": float((labels > 0).mean()),
        "objects": int(labels.max()) / labels.size * 1e6,
        "background": rough.ground,
        "noise": noise_in(image, ~taken),
    }
    regions = regionprops(labels, intensity_image=image)  # type: ignore[no-untyped-call]
    if not regions:
        return found
    height, width = labels.shape
    whole = [
        r for r in regions if min(r.bbox[:2]) > 0 and r.bbox[2] < height and r.bbox[3] < width
    ] or regions
    diameters = np.array([r.equivalent_diameter_area for r in whole])
    axes = [r.axis_major_length / max(r.axis_minor_length, 1.0) for r in whole]
    heights = np.array([np.median(r.image_intensity[r.image]) for r in regions]) - rough.ground
    heights = np.maximum(heights, 1e-6)
    contrast = float(np.median(heights))
    inner = ndimage.binary_erosion(labels > 0, iterations=2)
    within = noise_in(image, inner)
    found |= {
        "diameter": float(np.median(diameters)),
        "size_variation": _spread(np.log(diameters)),
        "elongation": float(np.median(axes)),
        "contrast": contrast,
        "brightness_variation": _spread(np.log(heights)),
        "unevenness": _spread(ndimage.gaussian_filter(image, 4.0)[~taken]) / contrast,
        "snr": contrast / within if within > 0 else float("nan"),
        "blur": _blur(image, labels, rough.ground),
    }
    return found


def _spread(values: Floats) -> float:
    """Return a robust standard deviation: a share of the distance between the quartiles."""
    if values.size < 4:
        return float("nan")
    low, high = np.quantile(values, [0.25, 0.75])
    return float((high - low) / 1.349)


def _blur(image: Floats, labels: NDArray[np.int32], ground: float) -> float:
    """Return the standard deviation in px of the blur of objects' edges.

    An edge of height h blurred by a Gaussian of standard deviation s has the slope h / (s √2π);
    taken with a Gaussian gradient, s² is larger by the square of its width.
    """
    slope = ndimage.gaussian_gradient_magnitude(image, STEP)
    widths = []
    for region in regionprops(labels):  # type: ignore[no-untyped-call]
        window = tuple(slice(max(side.start - 3, 0), side.stop + 3) for side in region.slice)
        mask = labels[window] == region.label
        alone = ndimage.binary_dilation(mask, iterations=3)
        ring = alone & ~ndimage.binary_erosion(mask, iterations=2, border_value=1)
        if ((labels[window] > 0) & ~mask & alone).any() or ring.sum() < 12:
            continue  # an edge between two objects has another height
        core = ndimage.binary_erosion(mask, iterations=2)
        level = np.median(image[window][core if core.any() else mask]) - ground
        # The ridge of the slope round the object: its steepest fifth.
        steepest = np.quantile(slope[window][ring], 0.8)
        widths.append(level / max(steepest * np.sqrt(2 * np.pi), 1e-9))
    if not widths:
        return float("nan")
    return float(np.sqrt(max(np.median(widths) ** 2 - STEP**2, 0.0)))
