"""MaxInP, the most informative pair of those that may hold the best arm (Saha 2021, Algorithm 1).

On a linear model, P(i beats j) = sigma(theta' (x_i - x_j)), with M = I + sum z z' over the duels:
    C = {i: theta'(x_i - x_j) + width |x_i - x_j|_{M^-1} >= 0 for all j},
    pair = argmax over C x C of |x_i - x_j|_{M^-1}.
theta is the maximum a posteriori estimate. Features are the prompts' embeddings, or one-hot without.
The paper's width grows like sqrt(d log t) and would exclude nobody within a few hundred votes; here it
is a constant of 2.

Explores evenly among the prompts still in question, so it is thorough in long studies and slow in short
ones; most useful with embeddings, where few directions need to be explored.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from optimizer.selectors.base import BoolArray, Need, Pair, Record, allowed_pairs, best_pair
from optimizer.selectors.evidence import counted, gap_sd
from optimizer.selectors.kernel import design_covariance, linear
from optimizer.stats.bradley_terry import fit_strengths


@dataclass(frozen=True, slots=True)
class MaxInP:
    """``width`` is the number of M^-1 norms that an arm may be behind and still be in question."""

    name: ClassVar[str] = "maxinp"
    needs: ClassVar[frozenset[Need]] = frozenset()
    uses: ClassVar[frozenset[Need]] = frozenset({Need.FEATURES})
    width: float = 2.0

    def ask(self, record: Record, rng: np.random.Generator) -> Pair:
        kernel = linear(record.features, record.k)
        met = counted(record)
        mean = fit_strengths(record.wins, similarity=kernel).mean
        norm = gap_sd(design_covariance(kernel, met + met.T))
        hopeful: BoolArray = np.all(mean[:, None] - mean[None, :] + self.width * norm >= 0.0, axis=1)
        allowed = allowed_pairs(record)
        among = allowed & hopeful[:, None] & hopeful[None, :]
        first, second = best_pair(norm, among if among.any() else allowed, rng)
        return Pair(first, second, "the least known pair that could matter")
