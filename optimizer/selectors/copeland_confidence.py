"""CCB, Copeland confidence bound (Zoghi, Karnin, Whiteson, de Rijke 2015, Algorithm 1), without memory.

With bounds u, l on every pair, an arm's Copeland score (how many others it beats) is at most
upper_i = #{j: u_ij >= 1/2} and at least lower_i = #{j: l_ij >= 1/2}:
    first  = any of argmax upper, each equally likely,
    second = argmax of u_j,first over {j: l_j,first <= 1/2}.
The paper also remembers, from round to round, the arms once excluded as Copeland winners (upper_i below
another's lower) and the rivals that excluded each. It draws the first arm with probability 2/3 from those
never excluded, checks such a rival again with probability 1/4 while its bounds are open, and prefers the
first arm's rivals as second arm. A selector keeps nothing between duels, and by the present bounds an arm
of argmax upper is never excluded and a rival that excludes is never open: the three steps change nothing
without memory, and fall away.

For long studies with cycles: it finds a Copeland winner though no prompt beats every other. With human
numbers of votes its bounds rule out next to nothing.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from optimizer.selectors.base import FloatArray, Need, Pair, Record, allowed_pairs
from optimizer.selectors.evidence import best_of, counted
from optimizer.selectors.pairwise import confidence_bounds


def best_case(upper: FloatArray) -> FloatArray:
    """(k,) the highest number of other arms that each arm may beat, from upper bounds with 1/2 to itself."""
    most: FloatArray = (upper >= 0.5).sum(1) - 1.0
    return most


@dataclass(frozen=True, slots=True)
class CopelandConfidence:
    """``width`` is the paper's exploration constant, above 1/2 in its proof."""

    name: ClassVar[str] = "copeland_confidence"
    needs: ClassVar[frozenset[Need]] = frozenset()
    width: float = 0.51

    def ask(self, record: Record, rng: np.random.Generator) -> Pair:
        allowed = allowed_pairs(record)
        free = allowed.any(1)
        upper, lower = confidence_bounds(counted(record), self.width)
        most = best_case(upper)
        first = best_of(most, free, rng)
        partners = allowed[first]
        rivals = partners & (lower[:, first] <= 0.5)
        second = best_of(upper[:, first], rivals if rivals.any() else partners, rng)
        return Pair(first, second, "may beat the most others")
