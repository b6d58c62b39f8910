"""Bayesian Bradley-Terry: P(i beats j) = sigma(theta_i - theta_j), theta ~ N(m, C).

The objective maximised over theta is
    sum_ij W_ij log sigma(theta_i - theta_j) - (theta - m)' C^-1 (theta - m) / 2,
with C = prior_sd^2 I unless a similarity is given. Bradley and Terry (1952); Laplace approximation.
It works on counts alone, so its cost does not depend on the number of votes. The wider model, with
position bias, inputs, ties, grades and raters, is in ``model.py``; this one is for selectors, which ask it
at every duel.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs

from optimizer.errors import NotFitted
from optimizer.stats.posterior import Posterior, average

FloatArray = NDArray[np.float64]

MAX_STEPS = 50
TOLERANCE = (
    1e-5  # of a Newton step, in logits: convergence is quadratic, so the next one would be about 1e-10
)
LONGEST_STEP = 5.0  # logits; longer ones are cut

SCALES = (0.25, 0.5, 1.0, 2.0)  # prior widths to average over, logits
LOG_SCALE_SD = 0.5  # of the hyper-prior
NEGLIGIBLE = 6.0  # log weight below the best at which a width is left out: one in 400
VOTES_FOR_SCALE = 10  # below that many votes the evidence says nothing of the width, and 1 is used


@dataclass(frozen=True, slots=True)
class _Prior:
    """N(mean, scale^2 * similarity), kept as what Newton's method needs of it at scale 1."""

    mean: FloatArray
    precision: FloatArray
    log_det: float  # of the precision


@dataclass(frozen=True, slots=True)
class _Mode:
    """Where the objective is highest, the Cholesky factor of its Hessian there, and its evidence."""

    theta: FloatArray
    factor: FloatArray
    log_evidence: float


def fit_strengths(
    wins: FloatArray,
    prior_sd: float = 1.0,
    prior_mean: FloatArray | None = None,
    similarity: FloatArray | None = None,
    start: FloatArray | None = None,
) -> Posterior:
    """The Laplace posterior of strengths given a win matrix (k, k), ties as half wins.

    ``similarity`` (k, k), unit diagonal, turns the prior covariance into prior_sd^2 * similarity;
    ``start`` (k,) are strengths near the answer, which save steps.
    Raises ``NotFitted`` when Newton's method does not converge.
    """
    prior = _prior(wins.shape[0], prior_mean, similarity)
    mode = _climb(wins, prior, prior_sd, prior.mean if start is None else start)
    return _posterior(mode, prior_sd)


def fit_by_evidence(
    wins: FloatArray,
    prior_mean: FloatArray | None = None,
    similarity: FloatArray | None = None,
    start: FloatArray | None = None,
) -> Posterior:
    """The same averaged over the prior widths ``SCALES``, by Laplace evidence (MacKay 1992).

    The hyper-prior of the width is log-normal around 1. Below ``VOTES_FOR_SCALE`` votes the width is 1.
    """
    prior = _prior(wins.shape[0], prior_mean, similarity)
    mode = _climb(wins, prior, 1.0, prior.mean if start is None else start)
    if wins.sum() < VOTES_FOR_SCALE:
        return _posterior(mode, 1.0)
    modes, supports = {1.0: mode}, {1.0: mode.log_evidence}
    usual = SCALES.index(1.0)
    for path in (SCALES[usual + 1 :], SCALES[:usual][::-1]):
        start = mode.theta
        for scale in path:  # away from 1, until it does not matter any more
            modes[scale] = _climb(wins, prior, scale, start)
            supports[scale] = modes[scale].log_evidence + log_hyper_prior(scale)
            start = modes[scale].theta
            if supports[scale] < max(supports.values()) - NEGLIGIBLE:
                break
    kept = [scale for scale in modes if supports[scale] >= max(supports.values()) - NEGLIGIBLE]
    return average([_posterior(modes[scale], scale) for scale in kept], [supports[scale] for scale in kept])


def log_hyper_prior(scale: float) -> float:
    """Of a prior width: log-normal around 1 logit, up to a constant."""
    return -((math.log(scale) / LOG_SCALE_SD) ** 2) / 2.0


def _prior(k: int, mean: FloatArray | None, similarity: FloatArray | None) -> _Prior:
    centre = np.zeros(k) if mean is None else np.asarray(mean, dtype=float)
    if similarity is None:
        return _Prior(centre, np.eye(k), 0.0)
    unit = similarity + 1e-6 * np.eye(k)  # near-duplicates would make it singular
    factor = _cholesky(unit)
    return _Prior(centre, _inverse(factor), -2.0 * float(np.log(factor.diagonal()).sum()))


def _climb(wins: FloatArray, prior: _Prior, scale: float, start: FloatArray) -> _Mode:
    """Newton's method from ``start`` to the mode."""
    k = wins.shape[0]
    games = wins + wins.T
    won = wins.sum(1)
    precision = prior.precision / scale**2
    theta = start
    for _ in range(MAX_STEPS):
        p = _chances(theta)
        expected = games * p
        gradient = won - expected.sum(1) - precision @ (theta - prior.mean)
        weight = expected * (1.0 - p)
        hessian = precision - weight
        hessian.flat[:: k + 1] += weight.sum(1)
        factor = _cholesky(hessian)
        step, _ = dpotrs(factor, gradient)
        size = float(np.abs(step).max())
        theta = theta + step * min(1.0, LONGEST_STEP / max(size, 1e-300))
        if size < TOLERANCE:
            break
    else:
        raise NotFitted(f"The strengths of {k} prompts did not converge in {MAX_STEPS} steps.")
    deviation = theta - prior.mean
    log_evidence = (
        float(np.vdot(wins, np.log(_chances(theta))))
        - float(deviation @ precision @ deviation) / 2
        + prior.log_det / 2
        - k * np.log(scale)
        - float(np.log(factor.diagonal()).sum())
    )
    return _Mode(theta, factor, log_evidence)


def _chances(theta: FloatArray) -> FloatArray:
    """(k, k) sigma(theta_i - theta_j). Steps are cut, so no gap is large enough to overflow; for a thousand
    arms this takes a third of the time of ``scipy.special.expit``."""
    chances: FloatArray = theta - theta[:, None]
    np.exp(chances, out=chances)
    chances += 1.0
    np.reciprocal(chances, out=chances)
    return chances


def _posterior(mode: _Mode, scale: float) -> Posterior:
    cov = _inverse(mode.factor)
    cov -= cov.mean(0)
    cov -= cov.mean(1)[:, None]
    return Posterior(mode.theta - mode.theta.mean(), cov, scale, mode.log_evidence)


def _cholesky(matrix: FloatArray) -> FloatArray:
    """The upper Cholesky factor. LAPACK directly: at k = 20 the checks around it cost ten times as much."""
    factor, fault = dpotrf(matrix)
    if fault:
        raise NotFitted("The prior or the curvature of the strengths is not positive definite.")
    upper: FloatArray = factor
    return upper


def _inverse(factor: FloatArray) -> FloatArray:
    """The inverse of a matrix from its upper Cholesky factor."""
    half, _ = dpotri(factor)
    upper = np.triu(half)
    inverse: FloatArray = upper + np.triu(half, 1).T
    return inverse
