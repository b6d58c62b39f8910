"""A preferential Gaussian process on the prompts' embeddings (Chu and Ghahramani 2005; Laplace).

    theta ~ N(0, s^2 K),  K_ij = (1 - own) exp(-|x_i - x_j|^2 / (2 l^2)) + own [i = j],
    P(i beats j) = sigma(theta_i - theta_j):
prompts that read alike are expected to fare alike, and a vote on one informs the others, those never
shown included. The length l (in median distances) and the width s are chosen by Laplace evidence from
a small grid once there are ten votes. Half of the duels maximise EUBO (Lin et al. 2022, who pair it with
this model), half are two Thompson draws, because look-ahead alone locks on to an early leader.

For many prompts with embeddings and few votes per prompt: where strengths follow the embeddings, nothing
else comes close. Where they do not, ``own`` keeps it near the plain model.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from optimizer.errors import NothingToAsk
from optimizer.selectors.base import FloatArray, Need, Pair, Record, allowed_pairs, best_pair
from optimizer.selectors.eubo import expected_best
from optimizer.selectors.evidence import best_of, expecting
from optimizer.selectors.kernel import smooth, squared_distances
from optimizer.stats.bradley_terry import fit_strengths
from optimizer.stats.posterior import Posterior

LENGTHS = (0.5, 1.0, 2.0)  # of the median distance between prompts
WIDTHS = (0.5, 1.0, 2.0)  # logits
VOTES_FOR_EVIDENCE = 10


def fit_process(wins: FloatArray, features: FloatArray, own: float) -> Posterior:
    """The posterior of strengths under the best length and width of the grid."""
    distances = squared_distances(features)
    apart = distances[distances > 1e-12]
    median = float(np.sqrt(np.median(apart))) if apart.size else 1.0
    if wins.sum() < VOTES_FOR_EVIDENCE:
        return fit_strengths(wins, similarity=smooth(distances, median, own))
    fits = [fit_strengths(wins, similarity=smooth(distances, median * length, own)) for length in LENGTHS]
    best = int(np.argmax([fit.log_evidence for fit in fits]))
    similarity = smooth(distances, median * LENGTHS[best], own)
    wider = [fit_strengths(wins, width, similarity=similarity) for width in WIDTHS if width != 1.0]
    return max([fits[best], *wider], key=lambda fit: fit.log_evidence)


@dataclass(frozen=True, slots=True)
class GaussianProcess:
    """``own`` is the share of a prompt's strength that its embedding cannot tell."""

    name: ClassVar[str] = "gaussian_process"
    needs: ClassVar[frozenset[Need]] = frozenset({Need.FEATURES})
    own: float = 0.1
    drawn_share: float = 0.5

    def _posterior(self, record: Record) -> Posterior:
        if record.features is None:
            raise NothingToAsk("The Gaussian process needs embeddings of the prompts.")
        return expecting(fit_process(record.wins, record.features, self.own), record.pending)

    def ask(self, record: Record, rng: np.random.Generator) -> Pair:
        posterior = self._posterior(record)
        allowed = allowed_pairs(record)
        if rng.random() < self.drawn_share:
            draws = posterior.draws(2, rng)
            first = best_of(draws[0], allowed.any(1), rng)
            second = best_of(draws[1], allowed[first], rng)
            return Pair(first, second, "both may be the best prompt")
        first, second = best_pair(expected_best(posterior), allowed, rng)
        return Pair(first, second, "promising, judging by similar prompts")

    def recommend(self, record: Record) -> int:
        """The arm of the highest posterior mean, those never shown included."""
        return self._posterior(record).leader
