"""Bradley-Terry with pair effects, its two scales chosen by evidence.

    P(i beats j) = sigma(theta_i - theta_j + eps_ij),   theta ~ N(0, s^2 R),   eps_ij = -eps_ji ~ N(0, t^2)
Strengths alone cannot express a cycle; the effects can, and t -> 0 gives plain Bradley-Terry. Given the
strengths the effects are independent, so Newton's method eliminates them: with w = n p (1 - p) a pair
enters the (k, k) system with the information w / (1 + t^2 w), at the cost of the plain model. Laplace
evidence of (s, t), theta and eps integrated out (MacKay 1992, "Bayesian interpolation").

Costs depend on k and on how many different pairs met, never on the number of votes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from optimizer.stats.pair_grades import graded_meetings, has_grades
from optimizer.stats.pair_newton import Meetings, Mode, inverse_of
from optimizer.stats.posterior import Posterior
from optimizer.stats.tally import Tally

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

CERTAIN_LOSS = 0.01  # chance at which a pair counts as lost
VOTES_BEFORE_EVIDENCE = 10  # below: s = 1, t = 0


@dataclass(frozen=True, slots=True)
class PairPosterior:
    """Beliefs about strengths and pair effects after the votes; arrays of logits."""

    strengths: Posterior  # centred, effects integrated out
    gap: FloatArray  # (k, k) antisymmetric: mode of theta_i - theta_j + eps_ij
    shrink: FloatArray  # (k, k): 1 / (1 + t^2 w); 1 without effects
    pair_sd: float  # t

    @property
    def k(self) -> int:
        return self.strengths.k

    @property
    def gap_variance(self) -> FloatArray:
        """(k, k) posterior variances of theta_i - theta_j + eps_ij; zero on the diagonal."""
        cov = self.strengths.cov
        diagonal = np.diag(cov)
        variance = np.maximum(diagonal[:, None] + diagonal[None, :] - 2.0 * cov, 0.0)
        if self.pair_sd == 0.0:
            return variance
        variance = self.shrink**2 * variance + self.pair_sd**2 * self.shrink
        np.fill_diagonal(variance, 0.0)
        return variance

    @property
    def leader(self) -> int:
        """The recommended arm: without pair effects the highest posterior mean, else by ``unbeaten``."""
        return self.strengths.leader if self.pair_sd == 0.0 else int(np.argmax(self.unbeaten()))

    def unbeaten(self) -> FloatArray:
        """(k,) log plausibility that each arm beats all others: sum_j log P(gap_ij > 0).

        A single loss counts at most as ``CERTAIN_LOSS``, so that without a Condorcet winner the score
        comes to count losses: then its maximum is a Copeland winner. Far better than counting the
        signs of the gaps at their mode while several of them are in doubt.
        """
        chance = ndtr(self.gap / np.sqrt(np.maximum(self.gap_variance, 1e-300)))
        plausible = np.log(CERTAIN_LOSS + (1.0 - CERTAIN_LOSS) * chance)
        np.fill_diagonal(plausible, 0.0)
        score: FloatArray = plausible.sum(1)
        return score

    def _draws(self, n: int, rng: np.random.Generator) -> FloatArray:
        """(n, k) centred strengths, by Cholesky; the centred covariance lacks one direction, lent here."""
        cov = self.strengths.cov
        root = np.linalg.cholesky(cov + np.trace(cov) / self.k**2 + 1e-12 * np.eye(self.k))
        moved = rng.standard_normal((n, self.k)) @ root.T
        draws: FloatArray = self.strengths.mean + moved - moved.mean(1, keepdims=True)
        return draws

    def winners(self, n: int, rng: np.random.Generator) -> FloatArray:
        """(n, k) a score per arm in each of n posterior draws; the highest is the draw's winner.

        The strengths drawn, or with pair effects the Copeland score of the drawn gaps, ties broken by
        the strengths drawn.
        """
        strengths = self._draws(n, rng)
        if self.pair_sd == 0.0:
            return strengths
        scores = np.empty_like(strengths)
        mean = self.strengths.mean
        upper = np.triu(np.sqrt(self.shrink) * self.pair_sd, 1)
        for row, theta in enumerate(strengths):
            moved = theta - mean
            noise = upper * rng.standard_normal((self.k, self.k))
            gap = self.gap + self.shrink * (moved[:, None] - moved[None, :]) + noise - noise.T
            scores[row] = _copeland(gap, theta)
        return scores


def fit_pair_effects(
    wins: FloatArray,
    prior_sd: float = 1.0,
    pair_sd: float = 0.0,
    similarity: FloatArray | None = None,
    pending: IntArray | FloatArray | None = None,
) -> PairPosterior:
    """The Laplace posterior for given scales (logits) and a win matrix (k, k), ties as half wins.

    ``similarity`` (k, k), unit diagonal, is R. ``pending`` (k, k) symmetric counts duels without an
    answer yet: an answer as expected moves no mode, so each adds its information only.
    """
    meetings = Meetings.of(wins, similarity)
    return _believe(meetings, meetings.fit(prior_sd, pair_sd, None), pending)


def choose_pair_effects(
    votes: FloatArray | Tally,
    similarities: tuple[FloatArray, ...] | None = None,
    pending: IntArray | FloatArray | None = None,
) -> PairPosterior:
    """The posterior at the scales, and where several are offered at the similarity, of most evidence.

    From a win matrix, or from a tally; grades are read by the ordinal model of ``pair_grades.py``.
    A climb over prior widths from 1 with t = 0; then, only if the evidence rises from t = 0 (the
    score of t^2, Rao's test), over widths of effects. Below ``VOTES_BEFORE_EVIDENCE`` votes s = 1, t = 0.
    """
    best: tuple[float, Meetings, Mode] | None = None
    by_grade = isinstance(votes, Tally) and has_grades(votes)
    total = votes.total if isinstance(votes, Tally) else votes.sum()
    for similarity in similarities or (None,):
        if isinstance(votes, Tally):
            meetings = graded_meetings(votes, similarity) if by_grade else Meetings.of(votes.wins, similarity)
        else:
            meetings = Meetings.of(votes, similarity)
        mode = meetings.fit(1.0, 0.0, None)
        if total >= VOTES_BEFORE_EVIDENCE:
            mode = meetings.climb(mode)
        if best is None or mode.support > best[0]:
            best = mode.support, meetings, mode
    assert best is not None
    return _believe(best[1], best[2], pending)


def _copeland(gap: FloatArray, strengths: FloatArray) -> FloatArray:
    """(k,) how many others each arm beats, plus less than one half for its place by strength."""
    place = np.argsort(np.argsort(strengths)) / (2.0 * len(strengths))
    score: FloatArray = (gap > 0.0).sum(1) + place
    return score


def _believe(meetings: Meetings, mode: Mode, pending: IntArray | FloatArray | None) -> PairPosterior:
    """The fit as beliefs about all pairs, those that never met included."""
    k, variance = meetings.k, mode.pair_sd**2
    gap = mode.theta[:, None] - mode.theta[None, :]
    gap[meetings.first, meetings.second] += mode.effects
    gap[meetings.second, meetings.first] -= mode.effects
    shrink = np.ones((k, k))
    hessian = mode.hessian
    if variance > 0.0 or (pending is not None and pending.any()):
        known = meetings.information(meetings.chances(meetings.gap(mode.theta, mode.effects)))
        weight = np.zeros((k, k))
        weight[meetings.first, meetings.second] = weight[meetings.second, meetings.first] = known
        if pending is not None:
            p = 1.0 / (1.0 + np.exp(-gap))
            weight += pending * p * (1.0 - p)
        shrink = 1.0 / (1.0 + variance * weight)
        hessian = meetings.precision / mode.prior_sd**2 - weight * shrink
        hessian.flat[:: k + 1] += (weight * shrink).sum(1)
    cov = inverse_of(hessian)
    cov = cov - cov.mean(0)
    cov = cov - cov.mean(1)[:, None]
    strengths = Posterior(mode.theta - mode.theta.mean(), cov, mode.prior_sd, mode.evidence)
    return PairPosterior(strengths, gap, shrink, mode.pair_sd)
