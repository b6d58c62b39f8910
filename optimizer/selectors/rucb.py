"""RUCB, relative upper confidence bound (Zoghi, Whiteson, Munos, de Rijke 2014, Algorithm 1).

    u_ij = wins_ij / N_ij + sqrt(width log t / N_ij), 1 where i and j never met, u_ii = 1/2;
    C = {i: u_ij >= 1/2 for all j}, the arms that may still be the Condorcet winner;
    first: the hypothesised best arm B with probability 1/2 if it is in C, else uniform over the rest of C;
           uniform over all arms if C is empty, as in a cycle that the votes have settled;
    second: argmax over j of u_j,first, and never the first arm itself (the paper allows that: here it
    would cost a vote and tell nothing).
The paper carries B from round to round (the last arm that was alone in C). A selector keeps nothing
between duels, so here B is the arm of C with most pairs won outright, if there is one such arm.

For long studies in which one prompt beats every other. Every pair must be met before anything is ruled
out: with 20 prompts and 200 votes it is hardly better than random.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from optimizer.selectors.base import Need, Pair, Record, allowed_pairs
from optimizer.selectors.evidence import best_of, counted
from optimizer.selectors.pairwise import confidence_bounds
from optimizer.stats.winners import shares


@dataclass(frozen=True, slots=True)
class Rucb:
    """``width`` is the paper's exploration constant, above 1/2 in its proof."""

    name: ClassVar[str] = "rucb"
    needs: ClassVar[frozenset[Need]] = frozenset()
    width: float = 0.51

    def ask(self, record: Record, rng: np.random.Generator) -> Pair:
        wins = counted(record)
        allowed = allowed_pairs(record)
        upper, _ = confidence_bounds(wins, self.width)
        free = allowed.any(1)
        hopeful = free & (upper >= 0.5).all(1)
        candidates = np.flatnonzero(hopeful if hopeful.any() else free)
        ahead = (shares(wins) > 0.5).sum(1)[candidates]
        best = candidates[ahead == ahead.max()]
        if hopeful.any() and best.size == 1:
            others = candidates[candidates != best[0]]
            candidates = best if others.size == 0 or rng.random() < 0.5 else others
        first = int(rng.choice(candidates))
        second = best_of(upper[:, first], allowed[first], rng)
        return Pair(first, second, "could still be best")
