"""CCB, Copeland confidence bound (Zoghi, Karnin, Whiteson, de Rijke 2015, Algorithm 1), without memory.

With bounds u, l on every pair, an arm's Copeland score (how many others it beats) lies between
    lower_i = #{j: l_ij >= 1/2} and upper_i = #{j: u_ij >= 1/2};
    C = argmax upper,  B = {i: upper_i >= max lower}, the arms not excluded as Copeland winners.
The first arm is drawn from C, with probability 2/3 from C and B where they meet; the second is
    argmax of u_j,first over {j: l_j,first <= 1/2}.
The paper also remembers, from round to round, which rivals once excluded an arm, checks such a pair again
with probability 1/4 while its bounds are open, and prefers those rivals as second arm. A selector keeps
nothing between duels; read afresh from the present bounds, a proven rival is never open, so these two
steps fall away here.

For long studies with cycles: it finds a Copeland winner though no prompt beats every other. With human
numbers of votes its bounds rule out next to nothing.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from optimizer.selectors.base import FloatArray, Need, Pair, Record, allowed_pairs
from optimizer.selectors.evidence import best_of, counted
from optimizer.selectors.pairwise import confidence_bounds


def copeland_bounds(upper: FloatArray, lower: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(k,) highest and lowest number of other arms that each arm may beat."""
    others = ~np.eye(len(upper), dtype=bool)
    most = ((upper >= 0.5) & others).sum(1).astype(float)
    least = ((lower >= 0.5) & others).sum(1).astype(float)
    return most, least


@dataclass(frozen=True, slots=True)
class CopelandConfidence:
    """``width`` is the paper's exploration constant, above 1/2 in its proof; ``keep_share`` its 2/3."""

    name: ClassVar[str] = "copeland_confidence"
    needs: ClassVar[frozenset[Need]] = frozenset()
    width: float = 0.51
    keep_share: float = 2.0 / 3.0

    def ask(self, record: Record, rng: np.random.Generator) -> Pair:
        allowed = allowed_pairs(record)
        free = allowed.any(1)
        upper, lower = confidence_bounds(counted(record), self.width)
        most, least = copeland_bounds(upper, lower)
        candidates = free & (most == most[free].max())
        standing = candidates & (most >= least.max())
        if standing.any() and rng.random() < self.keep_share:
            candidates = standing
        first = int(rng.choice(np.flatnonzero(candidates)))
        partners = allowed[first]
        rivals = partners & (lower[:, first] <= 0.5)
        second = best_of(upper[:, first], rivals if rivals.any() else partners, rng)
        return Pair(first, second, "may beat the most others")
