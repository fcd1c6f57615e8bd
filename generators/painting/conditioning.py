"""What the network is told of a scene: where its objects are, and what they are like.

Everything about edges follows from signed distances, which are continuous: an outline can be moved
by a fraction of a pixel, and what pixels make of it has no stairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from generators.painting.scale import CONTRAST

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from generators.polygons import Floats

CODES = 3
"""Numbers that are known of each object: see `generators.painting.codes`."""
CHANNELS = 6 + CODES
"""Maps that the network sees."""
BASE = 0
"""The map that shows the picture as it would be of even objects on the ground."""

_SMOOTH = 0.8  # px, of the signed distance: takes the stairs out of outlines that pixels drew
_FAR = 1000.0
_EDGE = 0.9  # px: the logistic function of this width is close to the edge that a lens makes
_LENS = 1.0  # px
_NEAR, _APART = 2.0, 2.0  # px, of maps of distances
_DEEP = 6.0
"""Px from the outline from which on all of an object is deep inside. Further out, the ridge of the
distance would show, and the network would paint its light along it."""


@dataclass(frozen=True)
class Geometry:
    """Where objects are.

    Attributes
    ----------
    labels
        (Y, X) integers, 0 is the ground.
    signed
        (Y, X) float32, px to the nearest outline between an object and the ground, positive inside.
    between
        (Y, X) float32, px to the nearest pixel that touches another object; 0 in it.
    retreat
        (Y, X) float32, px by which light ends before the border to another object; 0 where labels
        are exact.
    """

    labels: NDArray[Any]
    signed: NDArray[np.float32]
    between: NDArray[np.float32]
    retreat: NDArray[np.float32] | float = 0.0

    @property
    def border(self) -> NDArray[np.float32]:
        """(Y, X) px from pixels of objects to the border with another one."""
        return np.where(self.between > 0, self.between + 1, np.float32(0.5))

    @classmethod
    def of(cls, labels: NDArray[Any]) -> Geometry:
        """Measure labels.

        Examples
        --------
        >>> labels = np.zeros((1, 12), np.uint8)
        >>> labels[0, 2:8], labels[0, 8:] = 1, 2
        >>> geometry = Geometry.of(labels.repeat(12, axis=0))
        >>> geometry.signed[5, 1:4].round(1).tolist(), geometry.between[5, 6:10].tolist()
        ([-0.5, 0.5, 1.5], [0.5, 0.0, 0.0, 0.5])
        """
        inside = labels > 0
        signed = _distance(~inside) - _distance(inside)
        smooth = ndimage.gaussian_filter(signed, _SMOOTH, mode="nearest")
        return cls(
            labels, smooth.astype(np.float32), _distance(_meeting(labels)).astype(np.float32)
        )


def _distance(there: NDArray[np.bool_]) -> Floats:
    """Return the distances of pixels to the border of the nearest one that is there."""
    if not there.any():
        return np.full(there.shape, _FAR)
    away: Floats = ndimage.distance_transform_edt(~there)
    return np.where(there, 0.0, away - 0.5)


def _meeting(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Return the pixels that share an edge with one of another object."""
    meet = np.zeros(labels.shape, dtype=bool)
    for axis in (0, 1):
        lines, down = np.moveaxis(labels, axis, 0), np.moveaxis(meet, axis, 0)
        touch = (lines[:-1] != lines[1:]) & (lines[:-1] > 0) & (lines[1:] > 0)
        down[:-1][touch] = True
        down[1:][touch] = True
    return meet


def maps(
    labels: NDArray[Any], codes: Floats, background: Floats, *, inset: float | Floats = 0.0
) -> NDArray[np.float32]:
    """Return what the network sees of a scene.

    Parameters
    ----------
    labels
        (Y, X) integers, 0 is the ground.
    codes
        (N + 1, K) by label; row 0 is not used.
    background
        (Y, X), what is seen of the ground without objects.
    inset
        Px that outlines are moved inwards: one number, or (Y, X).

    Returns
    -------
    (C, Y, X) float32
        The picture of even objects; cover; distance to the outline, near it; depth in the object;
        nearness to other objects; codes; background.

    Examples
    --------
    >>> labels = np.zeros((16, 16), np.uint8)
    >>> labels[4:12, 4:12] = 1
    >>> seen = maps(labels, np.array([[0, 0, 0], [0.2, 0, 0]]), np.full((16, 16), -0.6))
    >>> seen.shape, [round(float(seen[BASE, 8, x]), 2) for x in (0, 8)]
    ((9, 16, 16), [-0.53, 0.19])
    """
    return assembled(Geometry.of(labels), codes, background, inset)


def assembled(
    geometry: Geometry, codes: Floats, background: NDArray[Any], inset: float | Floats = 0.0
) -> NDArray[np.float32]:
    """Return the maps of a geometry that is measured already; see `maps`."""
    signed = geometry.signed - np.asarray(inset, np.float32)
    cover = np.clip(signed + 0.5, 0, 1)
    code = codes[geometry.labels].transpose(2, 0, 1).astype(np.float32)
    ground = background.astype(np.float32)
    share = _share(signed) * filled(geometry.border, geometry.retreat)
    level = spread_out(geometry.labels, np.exp(CONTRAST * code[0]))
    light = np.exp(CONTRAST * ground) * (1 - share) + level * share
    within = geometry.labels > 0
    out = np.empty((CHANNELS, *geometry.labels.shape), np.float32)
    out[BASE] = np.log(light) / CONTRAST
    out[1] = cover
    out[2] = np.tanh(signed / _NEAR)
    out[3] = np.clip(np.minimum(signed, geometry.between) / _DEEP, 0, 1)
    out[4] = np.exp(-((geometry.between / _APART) ** 2) / 2) * within
    out[5 : 5 + CODES] = code * cover
    out[-1] = ground
    return out


def _share(signed: NDArray[Any]) -> NDArray[Any]:
    """Return the share of an object's light this far inside of a straight outline."""
    share: NDArray[Any] = 1 / (1 + np.exp(-np.clip(signed / _EDGE, -30, 30)))
    return share


def filled(border: NDArray[Any], retreat: NDArray[Any] | float) -> NDArray[Any]:
    """Return the share of light near a border, of objects whose light ends before or beyond it.

    Parameters
    ----------
    border
        Px to the border between two objects.
    retreat
        Px by which the light of either ends before it.

    Examples
    --------
    >>> border = np.array([0.5, 2.5])
    >>> [filled(border, retreat).round(2).tolist() for retreat in (-0.5, 0.0, 0.5)]
    [[1.25, 1.06], [1.0, 1.0], [0.75, 0.94]]
    """
    share: NDArray[Any] = _share(border - retreat) + _share(-border - retreat)
    return share


def spread_out(labels: NDArray[Any], values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return values of objects carried over onto the ground about them, a few pixels wide.

    So an edge that lies outside of a label's pixels still belongs to its object. Where objects
    touch, values go over into each other as they do in a lens.
    """
    weight = (labels > 0).astype(np.float32)
    near = ndimage.uniform_filter(values * weight, 9, mode="constant")
    total = ndimage.uniform_filter(weight, 9, mode="constant")
    carried = np.where(labels > 0, values, near / np.maximum(total, 1e-6))
    return ndimage.gaussian_filter(carried, _LENS, mode="nearest").astype(np.float32)
