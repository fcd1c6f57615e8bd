"""Directions in W: what a measurement hangs on, and the steps that change it alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from generators.polygons import Floats

RIDGES = np.logspace(-4, 2, 13)
"""Penalties, relative to the mean variance of w, of which the held-out fifth chooses."""


def regressed(w: Floats, y: Floats) -> Floats:
    """Return the coefficients of a ridge regression of y on w, both centred.

    Parameters
    ----------
    w
        (N, w_dim).
    y
        (N, K); each column chooses its own penalty, by the error on every fifth row.

    Returns
    -------
    ndarray
        (w_dim, K).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> w = rng.normal(size=(500, 3))
    >>> regressed(w, w[:, :1] * 2 + rng.normal(size=(500, 1)) * 0.01).round(2).ravel().tolist()
    [2.0, 0.0, 0.0]
    """
    held = np.arange(len(w)) % 5 == 0
    scale = w.var(axis=0).mean() * len(w)
    centre_w, centre_y = w[~held].mean(axis=0), y[~held].mean(axis=0)
    seen_w, seen_y = w[held] - centre_w, y[held] - centre_y
    misses = [
        np.mean((seen_y - seen_w @ _ridge(w[~held], y[~held], penalty * scale)) ** 2, axis=0)
        for penalty in RIDGES
    ]
    best = np.argmin(misses, axis=0)
    chosen = [_ridge(w, y[:, [k]], RIDGES[best[k]] * scale) for k in range(y.shape[1])]
    return np.concatenate([np.zeros((w.shape[1], 0)), *chosen], axis=1)


def _ridge(w: Floats, y: Floats, penalty: float) -> Floats:
    inner = (w - w.mean(axis=0)).T
    coefficients: Floats = np.linalg.solve(
        inner @ inner.T + penalty * np.eye(len(inner)), inner @ (y - y.mean(axis=0))
    )
    return coefficients


def directions(readers: Floats, spread: Floats) -> Floats:
    """Return the steps that change one score by one and the others not, each the least unusual.

    Minimises dᵀ Σ⁻¹ d under Bᵀ d = e_k: the columns of Σ B (Bᵀ Σ B)⁻¹. So a step goes where the
    network's own w vary, and not where it never was.

    Parameters
    ----------
    readers
        (w_dim, K): scores are `readers.T @ w`.
    spread
        (w_dim, w_dim), the covariance Σ of w.

    Examples
    --------
    >>> readers = np.array([[1.0, 1.0], [0.0, 1.0]])
    >>> directions(readers, np.eye(2)).round(6).tolist()
    [[1.0, 0.0], [-1.0, 1.0]]
    """
    along = spread @ readers
    found: Floats = along @ np.linalg.pinv(readers.T @ along)
    return found
