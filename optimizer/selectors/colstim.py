"""CoLSTIM (Bengs, Saha, Huellermeier 2022, Algorithm 1): noise like the votes' own leads, a bound follows.

On a linear model, P(i beats j) = sigma(theta' (x_i - x_j)), with M = I + sum z z' over the duels:
    first  = argmax theta'x_k + e_k |x_k|_{M^-1},   e_k ~ Gumbel(0, 1) clipped to +- sqrt(d log T),
    second = argmax theta'(x_k - x_first) + width |x_k - x_first|_{M^-1}.
Differences of Gumbel noise are logistic, so the perturbation imitates the votes. In the paper all e_k are
set equal with probability p_t, which falls to zero like d log(dT) / sqrt(t); its constants keep p_t = 1 for
thousands of votes, so here p_t = 0 from the start. The paper's width is of order sqrt(d log T); here 1.
Features are the prompts' embeddings, or one-hot without; T is the budget, or the duels asked so far.

A sound all-rounder with embeddings and without, in the second rank behind Thompson rules on the posterior.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from optimizer.selectors.base import Need, Pair, Record, allowed_pairs
from optimizer.selectors.evidence import best_of, counted, gap_sd
from optimizer.selectors.kernel import design_covariance, linear
from optimizer.stats.bradley_terry import fit_strengths


def clip_at(dimensions: int, horizon: float) -> float:
    """sqrt(d log T), the largest perturbation."""
    return float(np.sqrt(dimensions * np.log(max(horizon, 3.0))))


@dataclass(frozen=True, slots=True)
class Colstim:
    """``width`` is the paper's c1, in M^-1 norms."""

    name: ClassVar[str] = "colstim"
    needs: ClassVar[frozenset[Need]] = frozenset()
    uses: ClassVar[frozenset[Need]] = frozenset({Need.FEATURES})
    width: float = 1.0

    def ask(self, record: Record, rng: np.random.Generator) -> Pair:
        kernel = linear(record.features, record.k)
        met = counted(record)
        met = met + met.T
        mean = fit_strengths(record.wins, similarity=kernel).mean
        covariance = design_covariance(kernel, met)
        dimensions = record.k if record.features is None else record.features.shape[1]
        limit = clip_at(dimensions, float(record.budget or met.sum() / 2.0))
        noise = np.clip(rng.gumbel(size=record.k), -limit, limit)
        allowed = allowed_pairs(record)
        lead = mean + noise * np.sqrt(np.maximum(np.diag(covariance), 0.0))
        first = best_of(lead, allowed.any(1), rng)
        bound = mean + self.width * gap_sd(covariance)[first]
        second = best_of(bound, allowed[first], rng)
        return Pair(first, second, "a possible best meets a hopeful challenger")
