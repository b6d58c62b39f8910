"""Bayesian Bradley-Terry: P(i beats j) = sigma(theta_i - theta_j), theta ~ N(m, C).

The objective maximised over theta is
    sum_ij W_ij log sigma(theta_i - theta_j) - (theta - m)' C^-1 (theta - m) / 2,
with C = prior_sd^2 I unless a covariance is given. Bradley and Terry (1952); Laplace approximation.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit

from optimizer.errors import NotFitted
from optimizer.stats.posterior import Posterior

FloatArray = NDArray[np.float64]

MAX_STEPS = 50
TOLERANCE = 1e-10


def fit_strengths(
    wins: FloatArray,
    prior_sd: float = 1.0,
    prior_mean: FloatArray | None = None,
    similarity: FloatArray | None = None,
) -> Posterior:
    """The Laplace posterior of strengths given a win matrix (k, k), ties as half wins.

    ``similarity`` (k, k), unit diagonal, turns the prior covariance into prior_sd^2 * similarity.
    Raises ``NotFitted`` when Newton's method does not converge.
    """
    k = wins.shape[0]
    mean0 = np.zeros(k) if prior_mean is None else prior_mean
    unit = np.eye(k) if similarity is None else similarity + 1e-6 * np.eye(k)
    precision = cho_solve(cho_factor(unit), np.eye(k)) / prior_sd**2
    games = wins + wins.T
    theta = mean0.copy()
    for _ in range(MAX_STEPS):
        p = expit(theta[:, None] - theta[None, :])
        gradient = wins.sum(1) - (games * p).sum(1) - precision @ (theta - mean0)
        weight = games * p * (1 - p)
        hessian = np.diag(weight.sum(1)) - weight + precision
        factor = cho_factor(hessian)
        step = cho_solve(factor, gradient)
        size = float(np.abs(step).max())
        theta = theta + step * min(1.0, 5.0 / max(size, 1e-300))
        if size < TOLERANCE:
            break
    else:
        raise NotFitted(f"The strengths of {k} prompts did not converge in {MAX_STEPS} steps.")
    gap = theta[:, None] - theta[None, :]
    deviation = theta - mean0
    log_evidence = float(
        -(wins * np.logaddexp(0.0, -gap)).sum()
        - deviation @ precision @ deviation / 2
        + np.linalg.slogdet(precision)[1] / 2
        - np.log(np.diag(factor[0])).sum()
    )
    centre = np.eye(k) - 1.0 / k
    cov = centre @ cho_solve(factor, np.eye(k)) @ centre
    return Posterior(centre @ theta, cov, prior_sd, log_evidence)
