"""Winner stays, WS-W (Chen and Frazier 2017, Algorithm 1, for weak regret).

With C_i = duels won minus duels lost, the arm of highest C meets the arm of second-highest C; an arm of
the last duel keeps its place where it ties. Ties between prompts count for neither. Arms of duels in
flight yield their challenger's place to others. A pair is never asked twice running, where the paper
would let two arms that are level fight on: the next challenger steps in instead.

Weak regret (at least one good prompt in every duel) stays bounded however long the study: raters see
the leader nearly always. As a search for the best prompt it is good with few prompts (k = 5) and
average with many.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from optimizer.selectors.base import FloatArray, Need, Pair, Record, allowed_pairs
from optimizer.selectors.evidence import best_of


def preferring(value: FloatArray, last: tuple[int, int] | None) -> FloatArray:
    """``value`` (k,) of whole or half numbers, with its ties broken for the arms of the last duel."""
    favoured = value.copy()
    if last is not None:
        favoured[list(last)] += 0.25
    return favoured


@dataclass(frozen=True, slots=True)
class WinnerStays:
    """The arms that are furthest ahead in duels won minus lost."""

    name: ClassVar[str] = "winner_stays"
    needs: ClassVar[frozenset[Need]] = frozenset()

    def ask(self, record: Record, rng: np.random.Generator) -> Pair:
        wins = record.wins
        ahead = wins.sum(1) - wins.sum(0)
        allowed = allowed_pairs(record)
        first = best_of(preferring(ahead, record.last), allowed.any(1), rng)
        waiting = ahead - record.pending.sum(1)
        second = best_of(preferring(waiting, record.last), allowed[first], rng)
        return Pair(first, second, "the winner stays, the next steps in")
