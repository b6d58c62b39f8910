"""What is believed of the arms after the votes: a Gaussian over strengths, and what follows from it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Posterior:
    """Strengths (logits) of k arms: ``mean`` (k,) sums to zero, ``cov`` (k, k) of the centred ones."""

    mean: FloatArray
    cov: FloatArray
    prior_sd: float  # the prior width that was used, in logits
    log_evidence: float  # Laplace approximation, up to a constant of the data

    @property
    def k(self) -> int:
        return int(self.mean.shape[0])

    @property
    def sd(self) -> FloatArray:
        """(k,) posterior standard deviations."""
        return np.sqrt(np.maximum(np.diag(self.cov), 0.0))

    @property
    def leader(self) -> int:
        """The recommended arm: the highest posterior mean."""
        return int(np.argmax(self.mean))

    def draws(self, n: int, rng: np.random.Generator) -> FloatArray:
        """(n, k) samples of the strengths."""
        values, vectors = np.linalg.eigh(self.cov)
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        draws: FloatArray = self.mean + rng.standard_normal((n, self.k)) @ root.T
        return draws


def average(posteriors: Sequence[Posterior], log_weights: Sequence[float]) -> Posterior:
    """The Gaussian with the mean and covariance of a mixture (Hoeting et al. 1999, Bayesian model averaging).

    The width and the evidence are those of the posterior of most weight. To choose that one alone would
    leave out the doubt about the width: 90 % intervals of few arms then hold the truth 80 % of the time.
    """
    support = np.array(log_weights)
    weights = np.exp(support - support.max())
    weights /= weights.sum()
    best = posteriors[int(weights.argmax())]
    if len(posteriors) == 1:
        return best
    mean = np.sum([weight * one.mean for weight, one in zip(weights, posteriors, strict=True)], axis=0)
    cov = np.zeros_like(best.cov)
    for weight, one in zip(weights, posteriors, strict=True):
        cov += weight * (one.cov + np.outer(one.mean - mean, one.mean - mean))
    return Posterior(mean, cov, best.prior_sd, best.log_evidence)
