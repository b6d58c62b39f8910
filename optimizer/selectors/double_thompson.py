"""Double Thompson sampling, D-TS and D-TS+ (Wu and Liu 2016, Algorithm 1).

With B_ij the wins of i over j and t the votes so far,
    u_ij, l_ij = B_ij / N_ij +- sqrt(width log t / N_ij),  0/0 := 1 for u and 0 for l,  diagonal 1/2,
    C      = arms whose optimistic Copeland score #{j: u_ij > 1/2} is highest,
    first  = argmax over C of #{j: theta_ij > 1/2},  theta_ij ~ Beta(B_ij + 1, B_ji + 1),
    second = argmax over {k: l_k,first <= 1/2} of a fresh draw of P(k beats first).
D-TS+ breaks ties for the first arm by the least estimated regret
    sum_j (max score - (score_i + score_j) / 2) / KL(theta_ij, 1/2),  scores of the drawn matrix.
The paper lets an arm meet itself, which tells a human rater nothing; here the arms differ.

Good for few arms (k <= 8) and for preferences with cycles, where it finds a Copeland winner. It
learns every pair by itself, so with 20 arms it needs two to four times the votes of the rules that
share strength through Bradley-Terry.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from optimizer.selectors.base import FloatArray, Need, Pair, Record, allowed_pairs
from optimizer.selectors.evidence import best_of, counted
from optimizer.selectors.pairwise import confidence_bounds, drawn_matrix


def estimated_regret(drawn: FloatArray) -> FloatArray:
    """(k,) the regret of proving arm i's place if ``drawn`` were true: the tie-break of D-TS+."""
    k = drawn.shape[0]
    score = (drawn > 0.5).sum(1) / (k - 1)
    loss = score.max() - (score[:, None] + score[None, :]) / 2.0
    p = np.clip(drawn, 1e-9, 1.0 - 1e-9)
    divergence = p * np.log(2.0 * p) + (1.0 - p) * np.log(2.0 * (1.0 - p))
    np.fill_diagonal(divergence, np.inf)
    regret: FloatArray = (loss / np.maximum(divergence, 1e-12)).sum(1)
    return regret


@dataclass(frozen=True, slots=True)
class DoubleThompson:
    """D-TS+; ``width`` is the paper's exploration constant, above 1/2 in its proof."""

    name: ClassVar[str] = "double_thompson"
    needs: ClassVar[frozenset[Need]] = frozenset()
    width: float = 0.51

    def ask(self, record: Record, rng: np.random.Generator) -> Pair:
        wins = counted(record)
        allowed = allowed_pairs(record)
        free = allowed.any(1)
        upper, lower = confidence_bounds(wins, self.width)
        hopeful = (upper > 0.5).sum(1)
        candidates = free & (hopeful == hopeful[free].max())
        drawn = drawn_matrix(wins, rng)
        beats = (drawn > 0.5).sum(1)
        tied = candidates & (beats == beats[candidates].max())
        first = best_of(-estimated_regret(drawn), tied, rng)
        again = rng.beta(wins[:, first] + 1.0, wins[first, :] + 1.0)
        partners = allowed[first]
        open_question = partners & (lower[:, first] <= 0.5)
        second = best_of(again, open_question if open_question.any() else partners, rng)
        return Pair(first, second, "could still be best")
