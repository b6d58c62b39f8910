"""Sequential halving with Swiss pairing, for a number of votes set in advance.

The budget T is split evenly over ceil(log2 k) rounds (Karnin, Koren, Somekh 2013, carried from
scores to duels). In round r the best ceil(k / 2^r) arms play, r = 0, 1, ...; among them the pair
with the fewest duels meets, and of those, as in a Swiss tournament, the two closest in strength. After
T votes the last two go on. Standings are Bradley-Terry means and are read afresh for every duel, so an
arm that was sent home by bad luck can come back.

Astonishingly good for its simplicity when the budget is really known, at its best at or below one vote per
prompt, and easy to explain. It cannot take in new prompts late, and it is no use without a budget.
"""

from dataclasses import dataclass
from math import ceil, log2
from typing import ClassVar

import numpy as np

from optimizer.errors import NothingToAsk
from optimizer.selectors.base import Need, Pair, Record, allowed_pairs, best_pair
from optimizer.selectors.evidence import believed


def survivors(k: int, votes: float, budget: int) -> int:
    """How many arms still play after ``votes`` of ``budget``: k, k/2, k/4, ... and never fewer than two."""
    rounds = max(ceil(log2(k)), 1)
    played = min(int(votes * rounds / max(budget, 1)), rounds - 1)
    return max(ceil(k / (1 << played)), 2)


@dataclass(frozen=True, slots=True)
class SequentialHalving:
    """Half of the arms go home after each round."""

    name: ClassVar[str] = "sequential_halving"
    needs: ClassVar[frozenset[Need]] = frozenset({Need.BUDGET})

    def ask(self, record: Record, rng: np.random.Generator) -> Pair:
        if record.budget is None:
            raise NothingToAsk("Sequential halving needs a number of votes set in advance.")
        mean = believed(record).mean
        met = record.wins + record.wins.T + record.pending
        votes = float(met.sum()) / 2.0
        order = np.argsort(-mean + 1e-9 * rng.random(record.k))
        playing = np.zeros(record.k, dtype=bool)
        playing[order[: survivors(record.k, votes, record.budget)]] = True
        allowed = allowed_pairs(record)
        among = allowed & playing[:, None] & playing[None, :]
        gap = np.abs(mean[:, None] - mean[None, :])
        seen = met.sum(1)
        # Fewest meetings of the pair first, then arms seen least, then the closest in strength.
        rank = met * 1e6 + (seen[:, None] + seen[None, :]) * 1e2 + np.minimum(gap, 99.0)
        first, second = best_pair(-rank, among if among.any() else allowed, rng)
        return Pair(first, second, f"{int(playing.sum())} prompts still in the race")
