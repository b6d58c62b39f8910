"""Leader and its most hopeful challenger: greedy, then an upper bound on the difference.

    first  = argmax m,   second = argmax over k of m_k + nu sd(theta_k - theta_first)
on the Bradley-Terry posterior. The rule is MaxFirstUCBNext of the linear dueling bandits (see Di et al.
2023) and of APOHF (Lin et al. 2024), here with a calibrated width. nu = 2 to 3 standard deviations; with
nu <= 1 it locks onto an early leader. For the same reason a share of the duels replaces the leader by
the winner of a posterior draw, which also varies what raters see.

Strong on real prompt accuracies with lapsing raters, early and late; weak on cyclic preferences.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from optimizer.selectors.base import Need, Pair, Record, allowed_pairs
from optimizer.selectors.evidence import believed, best_of, gap_sd


@dataclass(frozen=True, slots=True)
class LeaderUcb:
    """``nu`` in posterior standard deviations; ``drawn_share`` of the duels draw their leader."""

    name: ClassVar[str] = "leader_ucb"
    needs: ClassVar[frozenset[Need]] = frozenset()
    nu: float = 3.0
    drawn_share: float = 0.15

    def ask(self, record: Record, rng: np.random.Generator) -> Pair:
        posterior = believed(record)
        allowed = allowed_pairs(record)
        draw = rng.random() < self.drawn_share
        promise = posterior.draws(1, rng)[0] if draw else posterior.mean
        first = best_of(promise, allowed.any(1), rng)
        bound = posterior.mean + self.nu * gap_sd(posterior.cov)[first]
        second = best_of(bound, allowed[first], rng)
        return Pair(first, second, "a hopeful challenger meets the leader")
