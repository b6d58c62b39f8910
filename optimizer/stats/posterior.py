"""What is believed of the arms after the votes: a Gaussian over strengths, and what follows from it."""

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
