"""Duels drawn from the von Neumann winner of a sampled preference matrix, for cyclic preferences.

A von Neumann winner (Dudik, Hofmann, Schapire, Slivkins, Zoghi 2015) is a mixture x over the arms that
beats every arm at least half the time: x'P >= 1/2. It always exists, cycles or not, and usually has few
arms. Balsubramani, Karnin, Schapire and Zoghi (2016) exploit that in SparseSparring, which plays two
adversarial bandits and drops arms outside the support. What is here is not their algorithm but a
Bayesian relative that works at human numbers of votes:
    theta ~ the Bradley-Terry posterior,
    P_ij ~ Beta(W_ij + weight p_ij, W_ji + weight p_ji),   p_ij = sigma(theta_i - theta_j),
    x = the maximin mixture of P by a linear program; both arms are drawn from x, and differ.
Strengths say what is expected of pairs not met yet, counts overrule them. If x is one arm alone, it meets
the arm most likely to beat it in a second sample.

For studies where A beats B beats C beats A: it keeps all of the cycle in play and drops the rest.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import expit

from optimizer.selectors.base import FloatArray, Need, Pair, Record, allowed_pairs
from optimizer.selectors.evidence import believed, best_of, counted
from optimizer.stats.winners import von_neumann


def sampled_matrix(
    wins: FloatArray, strengths: FloatArray, weight: float, rng: np.random.Generator
) -> FloatArray:
    """(k, k) a draw of P, centred where nothing was counted on what ``strengths`` (k,) expect; P + P' = 1."""
    expected = np.clip(expit(strengths[:, None] - strengths[None, :]), 1e-6, 1.0 - 1e-6)
    upper = np.triu(rng.beta(wins + weight * expected, wins.T + weight * expected.T), 1)
    drawn: FloatArray = upper + np.tril(1.0 - upper.T, -1)
    np.fill_diagonal(drawn, 0.5)
    return drawn


@dataclass(frozen=True, slots=True)
class VonNeumann:
    """``weight`` is how many votes per pair the strengths are worth."""

    name: ClassVar[str] = "von_neumann"
    needs: ClassVar[frozenset[Need]] = frozenset()
    weight: float = 4.0

    def ask(self, record: Record, rng: np.random.Generator) -> Pair:
        wins = counted(record)
        strengths = believed(record).draws(2, rng)
        allowed = allowed_pairs(record)
        mixture = von_neumann(sampled_matrix(wins, strengths[0], self.weight, rng))
        together = np.where(allowed, np.outer(mixture, mixture), 0.0).ravel()
        if together.sum() > 1e-9:
            first, second = divmod(int(rng.choice(together.size, p=together / together.sum())), record.k)
            return Pair(first, second, "both belong to the unbeaten mixture")
        first = best_of(mixture, allowed.any(1), rng)
        again = sampled_matrix(wins, strengths[1], self.weight, rng)
        second = best_of(again[:, first], allowed[first], rng)
        return Pair(first, second, "the likely rival of a likely winner")
