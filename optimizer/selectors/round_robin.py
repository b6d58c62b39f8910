"""Round robin: the pair that has met least often, so that all pairs meet equally often.

Good for a complete, balanced table of every prompt against every other, and safe whatever the
preferences look like (cycles too). It needs k (k - 1) / 2 votes for one lap and never looks at
who wins, so with more than a handful of prompts it is slow to find the best.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from optimizer.selectors.base import Need, Pair, Record, allowed_pairs, best_pair
from optimizer.selectors.evidence import counted


@dataclass(frozen=True, slots=True)
class RoundRobin:
    """Fewest meetings first; among those, the two arms seen least; ties at random."""

    name: ClassVar[str] = "round_robin"
    needs: ClassVar[frozenset[Need]] = frozenset()

    def ask(self, record: Record, rng: np.random.Generator) -> Pair:
        wins = counted(record)
        met = wins + wins.T
        seen = met.sum(1)
        # One meeting outweighs any difference in how often the arms were seen.
        rank = met * (2.0 * seen.max() + 1.0) + seen[:, None] + seen[None, :]
        first, second = best_pair(-rank, allowed_pairs(record), rng)
        return Pair(first, second, "these two have met least")
