"""Self-sparring with independent arms (Sui, Zhuang, Burdick, Yue 2017, Algorithm 2, IndSelfSparring, m = 2).

Each arm has one Beta posterior on its share of duels won, whoever the opponent:
    share_i ~ Beta(1 + wins_i, 1 + losses_i);   the arms of two independent draws' maxima meet.
The paper lets both draws name one arm; here the second draw's best other arm takes its place.

Simple, quick and good from the first votes; it looks for the arm that wins most against the arms it
happened to meet, which an adaptive choice of pairs distorts, so it falls behind in long studies.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from optimizer.selectors.base import Need, Pair, Record, allowed_pairs
from optimizer.selectors.evidence import best_of, counted


@dataclass(frozen=True, slots=True)
class SelfSparring:
    """Two Thompson draws from one Beta bandit."""

    name: ClassVar[str] = "self_sparring"
    needs: ClassVar[frozenset[Need]] = frozenset()

    def ask(self, record: Record, rng: np.random.Generator) -> Pair:
        wins = counted(record)
        allowed = allowed_pairs(record)
        shares = rng.beta(1.0 + wins.sum(1), 1.0 + wins.sum(0), size=(2, record.k))
        first = best_of(shares[0], allowed.any(1), rng)
        second = best_of(shares[1], allowed[first], rng)
        return Pair(first, second, "both may be the best prompt")
