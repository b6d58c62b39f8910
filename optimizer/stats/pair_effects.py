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
from scipy.linalg.lapack import dposv, dpotrf, dpotri

from optimizer.errors import NotFitted
from optimizer.stats.posterior import Posterior

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

PRIOR_SDS = (0.25, 0.5, 1.0, 2.0, 4.0)  # logits, s
PAIR_SDS = (0.3, 0.7, 1.5)  # logits, t; besides 0
LOG_SD_OF_PRIOR_SD = 0.5  # hyper-prior: log s ~ N(0, 0.5^2)
LOG_ODDS_OF_EFFECTS = -0.7  # prior log odds that there are pair effects: about one to two
VOTES_BEFORE_EVIDENCE = 10  # below: s = 1, t = 0
MAX_STEPS = 50
TOLERANCE = 1e-6
_LONGEST_STEP = 5.0  # logits


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
        """The recommended arm: the Copeland winner of the gaps, the stronger of several.

        Without pair effects that is the highest posterior mean.
        """
        if self.pair_sd == 0.0:
            return self.strengths.leader
        return int(np.argmax(_copeland(self.gap, self.strengths.mean)))

    def winners(self, n: int, rng: np.random.Generator) -> FloatArray:
        """(n, k) a score per arm in each of n posterior draws; the highest is the draw's winner.

        The strengths drawn, or with pair effects the Copeland score of the drawn gaps, ties broken by
        the strengths drawn.
        """
        strengths = self.strengths.draws(n, rng)
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
    problem = _Problem.of(wins, similarity)
    return problem.posterior(problem.fit(prior_sd, pair_sd, None), pending)


def choose_pair_effects(
    wins: FloatArray,
    similarities: tuple[FloatArray, ...] | None = None,
    pending: IntArray | FloatArray | None = None,
) -> PairPosterior:
    """The posterior at the scales, and where several are offered at the similarity, of most evidence.

    A climb over ``PRIOR_SDS`` from 1 with t = 0; then, only if the evidence rises from t = 0 (the
    score of t^2, Rao's test), over ``PAIR_SDS``. Below ``VOTES_BEFORE_EVIDENCE`` votes s = 1, t = 0.
    """
    best: tuple[float, _Problem, _Fit] | None = None
    for similarity in similarities or (None,):
        problem = _Problem.of(wins, similarity)
        found = problem.fit(1.0, 0.0, None)
        if wins.sum() >= VOTES_BEFORE_EVIDENCE:
            found = problem.climb(found)
        if best is None or found.support > best[0]:
            best = found.support, problem, found
    assert best is not None
    return best[1].posterior(best[2], pending)


def _copeland(gap: FloatArray, strengths: FloatArray) -> FloatArray:
    """(k,) how many others each arm beats, plus less than one half for its place by strength."""
    place = np.argsort(np.argsort(strengths)) / (2.0 * len(strengths))
    score: FloatArray = (gap > 0.0).sum(1) + place
    return score


@dataclass(frozen=True, slots=True)
class _Fit:
    """The mode at given scales; e is the number of pairs that met."""

    prior_sd: float
    pair_sd: float
    theta: FloatArray  # (k,)
    effects: FloatArray  # (e,)
    hessian: FloatArray  # (k, k) of theta, effects eliminated
    evidence: float  # log, Laplace

    @property
    def support(self) -> float:
        """Evidence with the hyper-priors of both scales."""
        support = self.evidence - 0.5 * (np.log(self.prior_sd) / LOG_SD_OF_PRIOR_SD) ** 2
        return float(support + (LOG_ODDS_OF_EFFECTS if self.pair_sd > 0.0 else 0.0))


@dataclass(frozen=True, slots=True)
class _Problem:
    """The votes by pair that met (i < j): how often, and how often i won."""

    k: int
    first: IntArray
    second: IntArray
    games: FloatArray
    won: FloatArray
    precision: FloatArray  # (k, k) inverse of R
    log_det: float  # of the precision

    @classmethod
    def of(cls, wins: FloatArray, similarity: FloatArray | None) -> "_Problem":
        k = wins.shape[0]
        total = wins + wins.T
        first, second = np.nonzero(np.triu(total, 1))
        precision, log_det = np.eye(k), 0.0
        if similarity is not None:
            factor, info = dpotrf(similarity + 1e-6 * np.eye(k), lower=1)
            if info != 0:
                raise NotFitted("The similarity of the prompts is not a covariance.")
            inverse, _ = dpotri(factor, lower=1)
            precision = np.tril(inverse) + np.tril(inverse, -1).T
            log_det = -2.0 * float(np.log(np.diag(factor)).sum())
        return cls(k, first, second, total[first, second], wins[first, second], precision, log_det)

    def _gap(self, theta: FloatArray, effects: FloatArray) -> FloatArray:
        gap: FloatArray = theta[self.first] - theta[self.second] + effects
        return gap

    def _hessian(self, information: FloatArray, prior_sd: float) -> FloatArray:
        hessian: FloatArray = self.precision / prior_sd**2
        hessian[self.first, self.second] -= information
        hessian[self.second, self.first] -= information
        diagonal = np.bincount(self.first, information, self.k) + np.bincount(self.second, information, self.k)
        hessian.flat[:: self.k + 1] += diagonal
        return hessian

    def fit(self, prior_sd: float, pair_sd: float, start: _Fit | None) -> _Fit:
        """Newton's method on strengths and effects together; raises ``NotFitted``."""
        theta = np.zeros(self.k) if start is None else start.theta
        effects = np.zeros(len(self.first)) if start is None or pair_sd == 0.0 else start.effects
        variance = pair_sd**2
        for _ in range(MAX_STEPS):
            p = 1.0 / (1.0 + np.exp(-self._gap(theta, effects)))
            weight = self.games * p * (1.0 - p)
            shrink = 1.0 / (1.0 + variance * weight)
            residual = self.won - self.games * p
            pull = (residual + weight * effects) * shrink  # the pair's push on theta, effects eliminated
            gradient = np.bincount(self.first, pull, self.k) - np.bincount(self.second, pull, self.k)
            gradient -= self.precision @ theta / prior_sd**2
            hessian = self._hessian(weight * shrink, prior_sd)
            factor, step, info = dposv(hessian, gradient, lower=1)
            if info != 0:
                raise NotFitted(f"The strengths of {self.k} prompts have no unique mode.")
            size = float(np.abs(step).max())
            scale = min(1.0, _LONGEST_STEP / max(size, 1e-300))
            if variance > 0.0:
                moved = step[self.first] - step[self.second]
                target = variance * (residual + weight * (effects - moved)) * shrink
                effects = effects + scale * (target - effects)
            theta = theta + scale * step
            if size < TOLERANCE:
                break
        else:
            raise NotFitted(f"The strengths of {self.k} prompts did not converge in {MAX_STEPS} steps.")
        gap = self._gap(theta, effects)
        likelihood = self.won @ gap - self.games @ np.logaddexp(0.0, gap)
        evidence = (
            likelihood
            - theta @ self.precision @ theta / (2.0 * prior_sd**2)
            - np.log(np.diag(factor)).sum()
            - self.k * np.log(prior_sd)
            + self.log_det / 2.0
        )
        if variance > 0.0:
            evidence -= effects @ effects / (2.0 * variance) - np.log(shrink).sum() / 2.0
        return _Fit(prior_sd, pair_sd, theta, effects, hessian, float(evidence))

    def climb(self, found: _Fit) -> _Fit:
        """The best scales: strengths first, then, where the score asks for them, the effects."""
        middle = PRIOR_SDS.index(found.prior_sd)
        for steps in (PRIOR_SDS[middle + 1 :], PRIOR_SDS[:middle][::-1]):
            before = found
            for prior_sd in steps:
                tried = self.fit(prior_sd, 0.0, found)
                if tried.support <= found.support:
                    break
                found = tried
            if found is not before:
                break
        if self._score_of_effects(found) <= 0.0:
            return found
        plain = found
        for pair_sd in PAIR_SDS:
            tried = self.fit(plain.prior_sd, pair_sd, found)
            if tried.support > found.support:
                found = tried
        return found

    def _score_of_effects(self, found: _Fit) -> float:
        """Twice the derivative of the evidence by t^2 at t = 0: are the residuals larger than chance?"""
        inverse = _inverse(found.hessian)
        diagonal = np.diag(inverse)
        variance = diagonal[self.first] + diagonal[self.second] - 2.0 * inverse[self.first, self.second]
        p = 1.0 / (1.0 + np.exp(-self._gap(found.theta, found.effects)))
        weight = self.games * p * (1.0 - p)
        residual = self.won - self.games * p
        return float((residual**2 - weight + weight**2 * variance).sum())

    def posterior(self, found: _Fit, pending: IntArray | FloatArray | None) -> PairPosterior:
        """The fit as beliefs about all pairs, those that never met included."""
        k, variance = self.k, found.pair_sd**2
        gap = found.theta[:, None] - found.theta[None, :]
        gap[self.first, self.second] += found.effects
        gap[self.second, self.first] -= found.effects
        shrink = np.ones((k, k))
        hessian = found.hessian
        if variance > 0.0 or (pending is not None and pending.any()):
            games = np.zeros((k, k))
            games[self.first, self.second] = games[self.second, self.first] = self.games
            if pending is not None:
                games = games + pending
            p = 1.0 / (1.0 + np.exp(-gap))
            weight = games * p * (1.0 - p)
            shrink = 1.0 / (1.0 + variance * weight)
            hessian = self.precision / found.prior_sd**2 - weight * shrink
            hessian.flat[:: k + 1] += (weight * shrink).sum(1)
        cov = _inverse(hessian)
        cov = cov - cov.mean(0)
        cov = cov - cov.mean(1)[:, None]
        strengths = Posterior(found.theta - found.theta.mean(), cov, found.prior_sd, found.evidence)
        return PairPosterior(strengths, gap, shrink, found.pair_sd)


def _inverse(hessian: FloatArray) -> FloatArray:
    factor, info = dpotrf(hessian, lower=1)
    if info != 0:
        raise NotFitted("The covariance of the strengths cannot be computed.")
    lower, _ = dpotri(factor, lower=1)
    inverse: FloatArray = np.tril(lower) + np.tril(lower, -1).T
    return inverse
