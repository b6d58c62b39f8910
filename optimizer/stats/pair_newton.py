"""Newton's method for Bradley-Terry with pair effects, and the climb to the scales of most evidence.

See ``pair_effects.py`` for the model. Everything is counted by pair that met. Grades enter as cuts: each
answer says of one or two cuts on which side of them the advantage fell (``pair_grades.py``); a plain
vote says it of the cut at zero.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dposv

from optimizer.errors import NotFitted

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

PRIOR_SDS = (0.25, 0.5, 1.0, 2.0, 4.0)  # logits, s
PAIR_SDS = (0.3, 0.7, 1.5)  # logits, t; besides 0
LOG_SD_OF_PRIOR_SD = 0.5  # hyper-prior: log s ~ N(0, 0.5^2)
LOG_ODDS_OF_EFFECTS = -1.5  # prior log odds that there are pair effects: about one to four
LEAST_SCORE = 1.0  # of the effects; below it their evidence cannot outweigh the prior odds
MAX_STEPS = 50
TOLERANCE = 1e-4  # of a step, logits: convergence is quadratic, the next one would be about 1e-8
_LONGEST_STEP = 5.0  # logits


@dataclass(frozen=True, slots=True)
class Mode:
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
class Meetings:
    """The votes by pair that met (i < j) and by cut: how many spoke of it, and how many put i above it."""

    k: int
    first: IntArray  # (e,)
    second: IntArray
    cuts: FloatArray  # (c,) logits; plain votes have one, at zero
    games: FloatArray  # (e, c)
    won: FloatArray
    precision: FloatArray  # (k, k) inverse of R
    log_det: float  # of the precision

    @classmethod
    def of(cls, wins: FloatArray, similarity: FloatArray | None) -> "Meetings":
        """Of a win matrix, ties as half wins."""
        total = wins + wins.T
        first, second = np.nonzero(np.triu(total, 1))
        games, won = total[first, second][:, None], wins[first, second][:, None]
        precision, log_det = precision_of(wins.shape[0], similarity)
        return cls(wins.shape[0], first, second, np.zeros(1), games, won, precision, log_det)

    def gap(self, theta: FloatArray, effects: FloatArray) -> FloatArray:
        gap: FloatArray = theta[self.first] - theta[self.second] + effects
        return gap

    def chances(self, gap: FloatArray) -> FloatArray:
        """(e, c) that the advantage of i falls above each cut."""
        chances: FloatArray = 1.0 / (1.0 + np.exp(self.cuts - gap[:, None]))
        return chances

    def information(self, chances: FloatArray) -> FloatArray:
        """(e,) what the votes of each pair say of its gap, its curvature in the log likelihood."""
        information: FloatArray = (self.games * chances * (1.0 - chances)).sum(1)
        return information

    def _hessian(self, information: FloatArray, prior: FloatArray) -> FloatArray:
        """The graph Laplacian of the pairs' information, plus the prior precision (k, k)."""
        hessian: FloatArray = np.zeros((self.k, self.k))
        hessian[self.first, self.second] = -information
        hessian += hessian.T
        hessian.flat[:: self.k + 1] = -hessian.sum(0)
        hessian += prior
        return hessian

    def fit(self, prior_sd: float, pair_sd: float, start: Mode | None) -> Mode:
        """Newton's method on strengths and effects together; raises ``NotFitted``."""
        theta = np.zeros(self.k) if start is None else start.theta
        effects = np.zeros(len(self.first)) if start is None or pair_sd == 0.0 else start.effects
        variance = pair_sd**2
        prior = self.precision / prior_sd**2
        for _ in range(MAX_STEPS):
            p = self.chances(self.gap(theta, effects))
            weight = self.information(p)
            shrink = 1.0 / (1.0 + variance * weight)
            residual = (self.won - self.games * p).sum(1)
            pull = (residual + weight * effects) * shrink  # the pair's push on theta, effects eliminated
            push = np.bincount(self.first, pull, self.k) - np.bincount(self.second, pull, self.k)
            gradient = push - prior @ theta
            hessian = self._hessian(weight * shrink, prior)
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
        above = self.gap(theta, effects)[:, None] - self.cuts
        likelihood = np.vdot(self.won, above) - np.vdot(self.games, np.logaddexp(0.0, above))
        evidence = (
            likelihood
            - theta @ prior @ theta / 2.0
            - np.log(np.diag(factor)).sum()
            - self.k * np.log(prior_sd)
            + self.log_det / 2.0
        )
        if variance > 0.0:
            evidence -= effects @ effects / (2.0 * variance) - np.log(shrink).sum() / 2.0
        return Mode(prior_sd, pair_sd, theta, effects, hessian, float(evidence))

    def climb(self, found: Mode) -> Mode:
        """The best scales: strengths first, then, where the residuals ask for them, the effects.

        The slope of the evidence says whether wider or narrower priors are worth a try.
        """
        middle = PRIOR_SDS.index(found.prior_sd)
        wider = self._slope(found) > 0.0
        for prior_sd in PRIOR_SDS[middle + 1 :] if wider else PRIOR_SDS[:middle][::-1]:
            tried = self.fit(prior_sd, 0.0, found)
            if tried.support <= found.support:
                break
            found = tried
        if self._score_of_effects(found) < LEAST_SCORE:
            return found
        last = found
        for pair_sd in PAIR_SDS:
            tried = self.fit(found.prior_sd, pair_sd, last)
            if tried.evidence <= last.evidence:  # past its only peak
                break
            last = tried
            if tried.support > found.support:
                found = tried
        return found

    def _slope(self, found: Mode) -> float:
        """The derivative of the support by log s at t = 0, the curvature of the likelihood held fixed."""
        size = found.theta @ self.precision @ found.theta
        size += float((self.precision * inverse_of(found.hessian)).sum())
        hyper = np.log(found.prior_sd) / LOG_SD_OF_PRIOR_SD**2
        return float(size / found.prior_sd**2 - self.k - hyper)

    def _score_of_effects(self, found: Mode) -> float:
        """Rao's score of t^2 at t = 0, about standard normal without effects: are residuals too large?"""
        inverse = inverse_of(found.hessian)
        diagonal = np.diag(inverse)
        variance = diagonal[self.first] + diagonal[self.second] - 2.0 * inverse[self.first, self.second]
        p = self.chances(self.gap(found.theta, found.effects))
        weight = self.information(p)
        residual = (self.won - self.games * p).sum(1)
        score = (residual**2 - weight + weight**2 * variance).sum()
        return float(score / np.sqrt(2.0 * (weight**2).sum()))


def precision_of(k: int, similarity: FloatArray | None) -> tuple[FloatArray, float]:
    """The inverse of R (k, k) and its log determinant; raises ``NotFitted`` if R is no covariance."""
    if similarity is None:
        return np.eye(k), 0.0
    covariance = similarity + 1e-6 * np.eye(k)
    sign, log_size = np.linalg.slogdet(covariance)
    if sign <= 0:
        raise NotFitted("The similarity of the prompts is not a covariance.")
    return inverse_of(covariance), -float(log_size)


def inverse_of(hessian: FloatArray) -> FloatArray:
    """The covariance that belongs to a Hessian of the strengths.

    By LU: at these sizes LAPACK's Cholesky inverse wakes its threads and then takes up to a hundred
    times as long on a busy machine.
    """
    inverse = np.linalg.inv(hessian)
    symmetric: FloatArray = (inverse + inverse.T) / 2.0
    return symmetric
