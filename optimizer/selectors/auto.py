"""The default selector: look ahead while little is known, then also sample from the posterior.

For the first two votes per prompt each duel is the pair of the highest expected utility of its better
arm (EUBO; Lin, Astudillo, Frazier and Bakshy 2022, "Preference exploration for efficient Bayesian
optimization with multiple outcomes", eq. 3); after that each duel is chosen so, or by two draws from
the posterior (dueling Thompson sampling), with equal chances. Look-ahead alone locks on to an early
leader; sampling alone starts late.
"""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from optimizer.selectors.base import BoolArray, Need, Pair, Record, allowed_pairs, best_pair
from optimizer.stats.bradley_terry import fit_strengths
from optimizer.stats.posterior import Posterior

FloatArray = NDArray[np.float64]

OPENING_VOTES_PER_ARM = 2
THOMPSON_SHARE = 0.5


class Auto:
    """Expected utility of the best option first, mixed with Thompson pairs later."""

    name: ClassVar[str] = "auto"
    needs: ClassVar[frozenset[Need]] = frozenset()

    def ask(self, record: Record, rng: np.random.Generator) -> Pair:
        allowed = allowed_pairs(record)
        posterior = fit_strengths(record.wins + record.pending / 2)
        votes = record.tally.total + record.pending.sum() / 2
        if votes >= OPENING_VOTES_PER_ARM * record.k and rng.random() < THOMPSON_SHARE:
            i, j = thompson_pair(posterior, allowed, rng)
            return Pair(i, j, "both may be the best prompt")
        i, j = best_pair(expected_best(posterior), allowed, rng)
        return Pair(i, j, "promising and still uncertain")


def expected_best(posterior: Posterior) -> FloatArray:
    """EUBO (k, k): E[max(theta_i, theta_j)] = m_i Phi(d/s) + m_j Phi(-d/s) + s phi(d/s)."""
    mean, cov = posterior.mean, posterior.cov
    variance = np.diag(cov)
    gap = mean[:, None] - mean[None, :]
    spread = np.sqrt(np.maximum(variance[:, None] + variance[None, :] - 2 * cov, 1e-12))
    z = gap / spread
    density = np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    value: FloatArray = mean[None, :] + gap * ndtr(z) + spread * density
    return value


def thompson_pair(posterior: Posterior, allowed: BoolArray, rng: np.random.Generator) -> tuple[int, int]:
    """The best arms of two posterior draws; where they coincide, the second draw's best partner."""
    draws = posterior.draws(2, rng)
    leader = int(np.argmax(np.where(allowed.any(1), draws[0], -np.inf)))
    partner = int(np.argmax(np.where(allowed[leader], draws[1], -np.inf)))
    return leader, partner
