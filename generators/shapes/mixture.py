"""Mixtures of Gaussians: fitted by expectation-maximisation, drawn from, conditioned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator

    from generators.polygons import Floats


@dataclass(frozen=True)
class Mixture:
    """A mixture of K Gaussians of D variables.

    Attributes
    ----------
    weights
        (K,), adding up to 1.
    means
        (K, D).
    factors
        (K, D, D) lower Cholesky factors of the covariances.
    """

    weights: Floats
    means: Floats
    factors: Floats

    def log_densities(self, x: Floats) -> Floats:
        """Return the (N, K) logarithms of weight times density of each component at (N, D) x."""
        if x.shape[1] == 0:  # nothing is known: single outlines are drawn so, by the thousand
            return np.tile(np.log(self.weights), (len(x), 1))
        logs = np.empty((len(x), len(self.weights)))
        # A product with the small inverse is several times faster than a solution for each x.
        for k, inverse in enumerate(np.linalg.inv(self.factors)):
            z = (x - self.means[k]) @ inverse.T
            logs[:, k] = -np.einsum("nd,nd->n", z, z) / 2
        logs -= np.log(np.diagonal(self.factors, axis1=1, axis2=2)).sum(axis=1)
        constant = -x.shape[1] / 2 * np.log(2 * np.pi)
        total: Floats = logs + np.log(self.weights) + constant
        return total

    def sample(
        self, n: int, rng: Generator, columns: Sequence[int] = (), given: Floats | None = None
    ) -> Floats:
        """Draw (n, D) from the mixture, or from it where some variables are known.

        Parameters
        ----------
        n
            How many.
        rng
            What they are drawn from.
        columns
            The variables that are known.
        given
            (n, len(columns)) their values.
        """
        known = np.zeros((n, 0)) if given is None else given
        width, g = self.means.shape[1], known.shape[1]
        order = [*columns, *(k for k in range(width) if k not in columns)]
        means = self.means[:, order]
        factors = self._reordered(order)
        lead = Mixture(self.weights, means[:, :g], factors[:, :g, :g])
        logs = lead.log_densities(known)
        shares = np.cumsum(special.softmax(logs, axis=1), axis=1)
        chosen = np.argmax(rng.random(n)[:, None] < shares, axis=1)
        # What is known fixes the first normal variates; the others are free.
        normal = rng.standard_normal((n, width))
        apart = (known - lead.means[chosen])[..., None]
        normal[:, :g] = np.linalg.solve(lead.factors[chosen], apart)[..., 0]
        drawn = means[chosen] + np.einsum("nij,nj->ni", factors[chosen], normal)
        back: Floats = drawn[:, np.argsort(order)]
        return back

    def _reordered(self, order: list[int]) -> Floats:
        """Return the factors with the variables in another order."""
        if order == sorted(order):
            return self.factors
        covariances = self.factors @ self.factors.transpose(0, 2, 1)
        permuted = np.linalg.cholesky(covariances[:, order][:, :, order])
        return cast("Floats", permuted)


def fitted(
    x: Floats,
    components: int,
    rng: Generator,
    *,
    images: int = 1,
    steps: int = 60,
    prior: float = 10.0,
) -> Mixture:
    """Fit a mixture by expectation-maximisation.

    Each covariance is drawn towards that of all of x, as if by `prior` further observations (the
    mode under a Wishart prior, but for the mean). So no component closes in on a few observations.

    Parameters
    ----------
    x
        (images · N, D) observations.
    components
        How many Gaussians.
    rng
        Where they begin.
    images
        Of each observation so many stand in x, in blocks of N: images of it, such as its mirror
        image, that are as likely. A component is then fitted to the images that are nearest to it,
        and what is drawn has to be replaced by one of its images at random.
    steps
        Iterations; fewer if the mean log-likelihood grows by less than 0.001.
    prior
        Weight of what the covariances are drawn towards, in observations.
    """
    pooled = np.cov(x.T)
    # Begun near the middle with various extents, components part by what they are good at:
    # tails, dents, round shapes.
    mixture = Mixture(
        np.full(components, 1 / components),
        x.mean(axis=0) + 0.3 * (x[rng.integers(len(x), size=components)] - x.mean(axis=0)),
        np.sqrt(rng.uniform(0.3, 1.5, components))[:, None, None] * np.linalg.cholesky(pooled),
    )
    last = -np.inf
    for _ in range(steps):
        logs = mixture.log_densities(x).reshape(images, -1, components)
        total = special.logsumexp(logs, axis=(0, 2), keepdims=True)
        shares = np.exp(logs - total).reshape(-1, components)
        mixture = _maximised(x, shares, pooled, prior)
        if total.mean() - last < 1e-3:
            break
        last = total.mean()
    return mixture


def _maximised(x: Floats, shares: Floats, pooled: Floats, prior: float) -> Mixture:
    """Return the mixture of which each observation belongs to each component by its share."""
    counts = shares.sum(axis=0) + 1e-9
    means = np.empty((len(counts), len(pooled)))
    factors = np.empty((len(counts), *pooled.shape))
    for k, count in enumerate(counts):
        # Most observations have no part in most components.
        own = shares[:, k] > 1e-9
        share, part = shares[own, k], x[own]
        means[k] = share @ part / count
        apart = part - means[k]
        scatter = (apart * share[:, None]).T @ apart
        factors[k] = np.linalg.cholesky((scatter + prior * pooled) / (count + prior))
    return Mixture(counts / counts.sum(), means, factors)
