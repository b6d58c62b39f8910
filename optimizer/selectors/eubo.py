"""EUBO: the pair whose better arm is expected to be strongest (Lin, Astudillo, Frazier, Bakshy 2022).

With posterior means m and covariance S of the strengths, for the pair i, j
    E[max(theta_i, theta_j)] = m_i Phi(d / s) + m_j Phi(-d / s) + s phi(d / s),
    d = m_i - m_j,  s^2 = S_ii + S_jj - 2 S_ij:
strong or uncertain arms, and not two whose strengths move together. The best rule that we measured
for the first votes (about twice the number of prompts). It is greedy: it may settle on an early
leader and stop learning, most of all where preferences are cyclic; then mix it with Thompson pairs.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import ndtr

from optimizer.selectors.base import FloatArray, Need, Pair, Record, allowed_pairs, best_pair
from optimizer.selectors.evidence import believed, gap_sd
from optimizer.stats.posterior import Posterior


def expected_best(posterior: Posterior, optimism: float = 1.0) -> FloatArray:
    """(k, k) symmetric: expected strength of the better of each two arms, in logits.

    With ``optimism`` above 1 as if the doubts about each gap, standard deviations, were so many times larger.
    """
    mean = posterior.mean
    gap = mean[:, None] - mean[None, :]
    sd = optimism * gap_sd(posterior.cov)
    z = gap / np.maximum(sd, 1e-12)
    density = np.exp(-(z**2) / 2.0) / np.sqrt(2.0 * np.pi)
    value = mean[None, :] + gap * ndtr(z) + sd * density
    # Mirrored entries may differ in the last bit; symmetric values keep ties fair.
    symmetric: FloatArray = (value + value.T) / 2.0
    return symmetric


@dataclass(frozen=True, slots=True)
class Eubo:
    """The expected utility of the best option, maximised over pairs."""

    name: ClassVar[str] = "eubo"
    needs: ClassVar[frozenset[Need]] = frozenset()

    def ask(self, record: Record, rng: np.random.Generator) -> Pair:
        first, second = best_pair(expected_best(believed(record)), allowed_pairs(record), rng)
        return Pair(first, second, "one of these may well be best")
