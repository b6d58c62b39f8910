"""Top-two Thompson sampling with the most confusable challenger (Russo 2016; T3C of Shang et al. 2020).

    first  = argmax of one posterior draw of the strengths,
    second = argmin over k of max(m_first - m_k, 0) / sd(theta_first - theta_k):
the arm that the votes so far separate least from the first. Aims straight at the question "is the
leader really the best?", does well at every budget and best with noisy single-example votes, and the
random leader keeps it from settling too early.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from optimizer.selectors.base import FloatArray, Need, Pair, Record, allowed_pairs
from optimizer.selectors.evidence import believed, best_of, gap_sd
from optimizer.stats.posterior import Posterior


def separation(posterior: Posterior, arm: int) -> FloatArray:
    """(k,) how many standard deviations ``arm`` is ahead of each other arm, at least zero."""
    ahead = np.maximum(posterior.mean[arm] - posterior.mean, 0.0)
    apart: FloatArray = ahead / np.maximum(gap_sd(posterior.cov)[arm], 1e-12)
    return apart


@dataclass(frozen=True, slots=True)
class TopTwo:
    """A Thompson leader and the challenger hardest to tell from it."""

    name: ClassVar[str] = "top_two"
    needs: ClassVar[frozenset[Need]] = frozenset()

    def ask(self, record: Record, rng: np.random.Generator) -> Pair:
        posterior = believed(record)
        allowed = allowed_pairs(record)
        first = best_of(posterior.draws(1, rng)[0], allowed.any(1), rng)
        second = best_of(-separation(posterior, first), allowed[first], rng)
        return Pair(first, second, "close race at the top")
