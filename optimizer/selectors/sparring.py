"""Sparring of adversarial bandits: REX3 (Gajane, Urvoy, Clerot 2015, Algorithm 1), over a window.

Both arms of a duel are drawn from one exponential-weights distribution over k arms,
    p_i = (1 - g) w_i / sum(w) + g / k,
and after a duel of a and b with gain y in {+1/2 a won, 0 tie, -1/2 b won}
    w_a <- w_a exp(g / k * y / (2 p_a)),    w_b <- w_b exp(-g / k * y / (2 p_b)).
It is the shared-weights form of Sparring (Ailon, Karnin, Joachims 2014) with two Exp3 players. Nothing is
kept between duels: the last ``window`` votes are replayed from uniform weights, which bounds the work
and forgets old taste. g = min(1/2, sqrt(k log k / votes replayed)). Pairs that other rules or the
audit chose are replayed as if drawn from p, which makes the estimate rougher, not wrong in sign. Duels in
flight do not count: they would be ties, which move no weight, and every pair is drawn by chance anyway.

For raters whose taste drifts: it assumes nothing of the votes to come. Everywhere else it is slow.
"""

from dataclasses import dataclass
from math import exp, log, sqrt
from typing import ClassVar

import numpy as np

from optimizer.errors import NothingToAsk
from optimizer.selectors.base import FloatArray, IntArray, Need, Pair, Record, allowed_pairs


def exploration(k: int, votes: int) -> float:
    """g, the share of uniform exploration after ``votes`` of k arms."""
    return min(0.5, sqrt(k * log(k) / max(votes, 1)))


def replayed(k: int, history: FloatArray | IntArray, g: float) -> FloatArray:
    """(k,) the distribution p after the votes of ``history`` (n, 3), from uniform weights."""
    weights = [1.0] * k
    total = float(k)
    for row in history.tolist():
        a, b, gain = int(row[0]), int(row[1]), row[2] - 0.5
        if gain == 0.0:
            continue
        before = weights[a] + weights[b]
        for arm, y in ((a, gain), (b, -gain)):
            p = (1.0 - g) * weights[arm] / total + g / k
            weights[arm] *= exp(g / k * y / (2.0 * p))
        total += weights[a] + weights[b] - before
    shares: FloatArray = (1.0 - g) * np.array(weights) / sum(weights) + g / k
    return shares


@dataclass(frozen=True, slots=True)
class Sparring:
    """REX3 on the last ``window`` votes."""

    name: ClassVar[str] = "sparring"
    needs: ClassVar[frozenset[Need]] = frozenset({Need.HISTORY})
    window: int = 200

    def ask(self, record: Record, rng: np.random.Generator) -> Pair:
        if record.history is None:
            raise NothingToAsk("Sparring needs the order of the votes.")
        recent = record.history[-self.window :]
        p = replayed(record.k, recent, exploration(record.k, len(recent)))
        allowed = allowed_pairs(record)
        # Two independent draws from p, given that they may meet.
        chance = np.where(allowed, np.outer(p, p), 0.0).ravel()
        first, second = divmod(int(rng.choice(chance.size, p=chance / chance.sum())), record.k)
        return Pair(first, second, "in form lately, or its turn again")
