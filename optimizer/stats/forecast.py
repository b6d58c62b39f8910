"""About how many more votes until the advice is to stop: a look ahead along simulated paths.

Each path takes one draw of the strengths for the truth and lets votes come in, by stages that grow like the
votes so far. The posterior stays Gaussian: a stage of d votes on the pairs (i, j) in shares q_ij adds the
Laplacian of d q_ij p (1 - p) to the precision, and noise of that covariance to its product with the mean.
Pairs are shared out as a good selector would, by how likely each of the two still is to be the best.
Measured against what then happened, the middle half of the forecasts was 0.9 to 2.5 times the truth.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtr

from optimizer.stats.posterior import Posterior

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

PATHS = 64
CONTENDERS = 12  # arms behind that many others are left out
FIRST_STAGE, GROWTH, LAST_STAGE = 4.0, 1.25, 3000.0  # votes


def votes_to_decision(
    posterior: Posterior, rng: np.random.Generator, confidence: float = 0.95, margin: float = 0.05
) -> int | None:
    """The median over paths of the votes until ``is_decided``; None beyond ``LAST_STAGE`` votes."""
    mean, cov = contenders(posterior)
    k = mean.size
    root = np.linalg.cholesky(cov)
    truth = mean + rng.standard_normal((PATHS, k)) @ root.T
    precision = np.tile(np.linalg.inv(cov), (PATHS, 1, 1))
    pull = precision @ mean
    done = np.full(PATHS, np.inf)
    total, stage = 0.0, FIRST_STAGE
    means, covs = np.tile(mean, (PATHS, 1)), np.tile(cov, (PATHS, 1, 1))
    while total < LAST_STAGE:
        information = stage * shares(means, covs) * _variance(truth)
        laplacian = -information
        laplacian[:, np.arange(k), np.arange(k)] += information.sum(2)
        noise = np.triu(np.sqrt(information) * rng.standard_normal(information.shape), 1)
        precision = precision + laplacian
        pull = pull + (laplacian @ truth[:, :, None])[:, :, 0] + noise.sum(2) - noise.sum(1)
        covs = np.linalg.inv(precision)
        means = (covs @ pull[:, :, None])[:, :, 0]
        decided = is_decided(means, covs, confidence, margin)
        done = np.where(decided, np.minimum(done, total + stage / 2.0), done)
        total += stage
        stage = max(FIRST_STAGE, (GROWTH - 1.0) * total)
        if np.isfinite(done).sum() > PATHS / 2:
            return about(float(np.median(done)))
    return None


def about(votes: float) -> int:
    """A number of votes to two digits, for more would be a pretence."""
    unit = int(10 ** max(math.floor(math.log10(max(votes, 1.0))) - 1, 0))
    return max(1, round(votes / unit) * unit)


def contenders(posterior: Posterior) -> tuple[FloatArray, FloatArray]:
    """Means and covariance of the arms that may still be the best, the leader first.

    All have a common part of their own added, which no difference sees and which makes it invertible.
    """
    gap, sd = _against_leader(posterior.mean[None], posterior.cov[None])
    order = np.argsort(np.where(np.arange(posterior.k) == posterior.leader, -np.inf, (gap / sd)[0]))
    kept = order[: min(CONTENDERS, posterior.k)]
    cov = posterior.cov[np.ix_(kept, kept)]
    return posterior.mean[kept], cov + np.diag(cov).mean() + 1e-9 * np.eye(kept.size)


def shares(means: FloatArray, covs: FloatArray) -> FloatArray:
    """(n, k, k) share of the votes on each pair: by the squared chances of both to beat the leader."""
    gap, sd = _against_leader(means, covs)
    chance = ndtr(-gap / sd) ** 2  # one quarter for the leader itself
    pair: FloatArray = chance[:, :, None] * chance[:, None, :]
    pair[:, np.arange(pair.shape[1]), np.arange(pair.shape[1])] = 0.0
    pair *= 2.0 / pair.sum((1, 2), keepdims=True)  # shares add up to one over i < j
    return pair


def is_decided(means: FloatArray, covs: FloatArray, confidence: float, margin: float) -> BoolArray:
    """(n,) whether the leader is the best, or as good as the runner-up, surely enough (``stopping.py``).

    The chance to be the best is taken for the product of the chances to be better than each other arm.
    """
    gap, sd = _against_leader(means, covs)
    rows, leader = np.arange(means.shape[0]), means.argmax(1)
    reach = logit(0.5 + margin)
    ahead, near = ndtr(gap / sd), ndtr((gap + reach) / sd)
    ahead[rows, leader] = near[rows, leader] = 1.0
    gap[rows, leader] = np.inf
    level = (near.prod(1) >= confidence) & (gap.min(1) <= reach)
    decided: BoolArray = (ahead.prod(1) >= confidence) | level
    return decided


def _against_leader(means: FloatArray, covs: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(n, k) by how much the highest mean leads each arm, and the standard deviation of that."""
    rows, leader = np.arange(means.shape[0]), means.argmax(1)
    variance = np.diagonal(covs, axis1=1, axis2=2)
    spread = variance + variance[rows, leader][:, None] - 2.0 * covs[rows, leader]
    gap = means.max(1)[:, None] - means
    return gap, np.sqrt(np.maximum(spread, 1e-12))


def _variance(strengths: FloatArray) -> FloatArray:
    p = expit(strengths[:, :, None] - strengths[:, None, :])
    variance: FloatArray = p * (1.0 - p)
    return variance
