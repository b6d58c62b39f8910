"""RMED1, relative minimum empirical divergence (Komiyama, Honda, Kashima, Nakagawa 2015, Algorithms 1-2).

With mu_ij the observed win rates, d the Bernoulli divergence and N_ij the meetings,
    I_i = sum over {j: mu_ij <= 1/2} of N_ij d(mu_ij, 1/2):   exp(-I_i) is the likelihood that i is the
Condorcet winner. Every pair is met once; then the arms with I_i - min I <= log t + f(k), f(k) = 0.3 k^1.01,
take turns. The arm whose turn it is meets the arm of least I if it does not lead that one, else the
arm that beats it by most.
This is RMED1, not RMED2F, whose extra draws need a horizon fixed in advance. The paper walks through
its candidates in rounds; a selector keeps nothing between duels, so here the turn goes to the
candidate with the fewest duels. Nobody meets himself: a leader without rivals meets the arm that does
best against it.

Asymptotically optimal regret where one prompt beats every other, and the strongest of all on cyclic
preferences among few prompts. The first lap alone takes k (k - 1) / 2 votes.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import xlogy

from optimizer.selectors.base import FloatArray, Need, Pair, Record, allowed_pairs, best_pair
from optimizer.selectors.evidence import best_of, counted
from optimizer.stats.winners import shares


def empirical_divergence(wins: FloatArray) -> FloatArray:
    """(k,) I_i: how strongly the votes say that arm i loses to somebody."""
    rates = shares(wins)
    met = wins + wins.T
    divergence = xlogy(rates, 2.0 * rates) + xlogy(1.0 - rates, 2.0 * (1.0 - rates))
    total: FloatArray = (met * divergence * (rates <= 0.5)).sum(1)
    return total


def opponent(arm: int, wins: FloatArray, divergence: FloatArray) -> FloatArray:
    """(k,) how much each arm is wanted as the opponent of ``arm``: highest for the paper's m(t)."""
    rates = shares(wins)
    wanted: FloatArray = 1.0 - rates[arm]
    wanted[arm] = -1.0
    best = int(np.argmin(divergence))
    leads = (rates[arm] > 0.5).sum() == len(rates) - 1
    if best != arm and (leads or rates[arm, best] <= 0.5):
        wanted[best] = 2.0
    return wanted


@dataclass(frozen=True, slots=True)
class Rmed:
    """RMED1; ``slack`` and ``power`` make the paper's f(k) = 0.3 k^1.01."""

    name: ClassVar[str] = "rmed"
    needs: ClassVar[frozenset[Need]] = frozenset()
    slack: float = 0.3
    power: float = 1.01

    def ask(self, record: Record, rng: np.random.Generator) -> Pair:
        wins = counted(record)
        met = wins + wins.T
        seen = met.sum(1)
        allowed = allowed_pairs(record)
        new = allowed & (met == 0)
        if new.any():
            i, j = best_pair(-(seen[:, None] + seen[None, :]), new, rng)
            return Pair(i, j, "these two have not met")
        divergence = empirical_divergence(wins)
        votes = max(float(seen.sum()) / 2.0, 1.0)
        limit = np.log(votes) + self.slack * record.k**self.power
        free = allowed.any(1)
        candidates = free & (divergence - divergence.min() <= limit)
        first = best_of(-seen, candidates if candidates.any() else free, rng)
        second = best_of(opponent(first, wins, divergence), allowed[first], rng)
        return Pair(first, second, "could still beat every other")
