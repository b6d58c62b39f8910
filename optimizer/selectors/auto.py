"""The default selector: look ahead with optimism, and race the top two.

1. In the opening, and then in one duel of two: the pair of the highest expected utility of its better arm
   (EUBO; Lin, Astudillo, Frazier and Bakshy 2022), with every doubt taken for twice as large as it is. As
   published the rule finds good arms soon but may lock on to them; optimism lets it look again. The opening
   is one vote per prompt, in pools of more than 20 half a vote more for each doubling.
2. The other duels take the winner of a posterior draw and the arm hardest to tell from it (top-two
   sampling; Russo 2016, Shang et al. 2020), which keeps even a wrong model from settling and spends the
   late votes where the decision is.

The posterior is Bradley-Terry with pair effects, the scales of both chosen by evidence. Where preferences
run in circles, strengths say little about who wins: then leader and draws follow the plausible Condorcet
winner, and in place of the look-ahead the leader meets the challenger with the highest upper bound on its
advantage (as in Di et al. 2023 and Lin et al. 2024). Grades are read by the ordinal model. With embeddings
or lineage, prompts that resemble each other share what was learned, as far as the evidence goes. Duels in
flight count as if answered as expected.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from optimizer.selectors.base import BoolArray, Need, Pair, Record, allowed_pairs, best_pair
from optimizer.selectors.eubo import expected_best
from optimizer.stats.pair_effects import PairPosterior, choose_pair_effects
from optimizer.stats.priors import by_lineage, by_similarity

FloatArray = NDArray[np.float64]

SMALL_POOL = 20  # prompts
FEATURE_WEIGHTS = (0.0, 0.6, 0.95)  # shares of a strength that may follow the embedding


@dataclass(frozen=True, slots=True)
class Auto:
    """``optimism`` multiplies, ``nu`` counts posterior standard deviations."""

    name: ClassVar[str] = "auto"
    needs: ClassVar[frozenset[Need]] = frozenset()
    optimism: float = 2.0
    nu: float = 3.0
    drawn_share: float = 1 / 2

    def ask(self, record: Record, rng: np.random.Generator) -> Pair:
        allowed = allowed_pairs(record)
        beliefs = choose_pair_effects(record.tally, prior_covariances(record), record.pending)
        opening = record.tally.total < opening_votes(record.k)  # answers; those in flight teach nothing yet
        if not opening and rng.random() < self.drawn_share:
            first, second = top_two(beliefs, allowed, rng)
            return Pair(first, second, "close race at the top")
        if beliefs.pair_sd > 0.0:
            first, second = challenge(beliefs, self.nu, allowed, rng)
            return Pair(first, second, "a hopeful challenger meets the leader")
        first, second = best_pair(expected_best(beliefs.strengths, self.optimism), allowed, rng)
        return Pair(first, second, "one of these may well be best")

    def recommend(self, record: Record) -> int:
        """The leader of the same beliefs that choose the pairs."""
        return choose_pair_effects(record.tally, prior_covariances(record)).leader


def opening_votes(k: int) -> float:
    """How many votes only look ahead: k, and k / 2 more for each doubling of the pool beyond 20 prompts.

    In a larger pool a draw's winner is hardly ever among the best for longer, so a race would be wasted.
    """
    return k * (1.0 + 0.5 * max(0.0, math.log2(k / SMALL_POOL)))


def prior_covariances(record: Record) -> tuple[FloatArray, ...] | None:
    """(k, k) covariances of strengths for the evidence to choose from; None where prompts are unrelated."""
    features = record.features
    bases = [np.eye(record.k)] if features is None else [by_similarity(features, w) for w in FEATURE_WEIGHTS]
    related = record.parents is not None and bool((record.parents >= 0).any())
    if related:
        assert record.parents is not None
        bases += [by_lineage(record.parents, base) for base in bases]
    return tuple(bases) if len(bases) > 1 else None


def challenge(
    beliefs: PairPosterior, nu: float, allowed: BoolArray, rng: np.random.Generator
) -> tuple[int, int]:
    """The leader, and who may be ahead of it by most at ``nu`` standard deviations, ties at random."""
    leader = beliefs.leader
    if not allowed[leader].any():
        leader = int(rng.choice(np.flatnonzero(allowed.any(1))))
    bound = nu * np.sqrt(beliefs.gap_variance[leader]) - beliefs.gap[leader]
    partners = np.flatnonzero(allowed[leader])
    best = partners[bound[partners] >= bound[partners].max() - 1e-9]
    return leader, int(rng.choice(best))


def top_two(beliefs: PairPosterior, allowed: BoolArray, rng: np.random.Generator) -> tuple[int, int]:
    """The winner of a posterior draw, and whom the votes separate least from it, ties at random."""
    leader = int(np.argmax(np.where(allowed.any(1), beliefs.winners(1, rng)[0], -np.inf)))
    sd = np.sqrt(np.maximum(beliefs.gap_variance[leader], 1e-24))
    apart = np.maximum(beliefs.gap[leader], 0.0) / sd
    partners = np.flatnonzero(allowed[leader])
    closest = partners[apart[partners] <= apart[partners].min() + 1e-9]
    return leader, int(rng.choice(closest))
