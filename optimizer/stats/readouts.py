"""What people read off the posterior: chances, intervals, ranks, expected regret.

Most take ``draws`` (n, k) of strengths, so that all numbers on one screen come from the same draws and
agree with each other.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtri

from optimizer.stats.posterior import Posterior

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SCALE_DOUBT = 0.3  # standard deviation of the scale of all strengths, as a share


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value per arm with its credible interval; each (k,)."""

    value: FloatArray
    low: FloatArray
    high: FloatArray


@dataclass(frozen=True, slots=True)
class Regret:
    """What choosing an arm instead of the unknown best one is expected to cost."""

    logits: float  # E[max theta - theta_arm]
    win_probability: float  # E[sigma(max theta - theta_arm)] - 1/2


def p_best(draws: FloatArray) -> FloatArray:
    """(k,) the probability that each arm is the best one."""
    n, k = draws.shape
    shares: FloatArray = np.bincount(draws.argmax(1), minlength=k) / n
    return shares


def strengths(posterior: Posterior, level: float = 0.90) -> Estimate:
    """Strengths with their equal-tailed credible intervals.

    Noise that no model of the votes knows of draws all strengths together, so their common scale is in
    doubt beyond the posterior. That widens intervals in proportion to the strength and leaves order, and
    so P(best), alone. docs/calibration.md has the measurements that ``SCALE_DOUBT`` comes from.
    """
    reach = float(ndtri(0.5 + level / 2)) * np.hypot(posterior.sd, SCALE_DOUBT * posterior.mean)
    return Estimate(posterior.mean, posterior.mean - reach, posterior.mean + reach)


def rank_distribution(draws: FloatArray) -> FloatArray:
    """(k, k): the probability that arm i has rank r, rank 0 being the best."""
    n, k = draws.shape
    order = np.argsort(-draws, axis=1)
    cells = order * k + np.arange(k)
    shares: FloatArray = np.bincount(cells.ravel(), minlength=k * k).reshape(k, k) / n
    return shares


def rank_range(draws: FloatArray, level: float = 0.90) -> IntArray:
    """(k, 2): the first and last plausible rank of each arm, counted from 1."""
    below = rank_distribution(draws).cumsum(1)
    tail = (1.0 - level) / 2
    first = (below > tail).argmax(1)
    last = (below >= 1.0 - tail - 1e-12).argmax(1)
    return np.stack([first, last], axis=1) + 1


def chance_against_pool(draws: FloatArray, level: float = 0.90) -> Estimate:
    """The chance of each arm to beat another one drawn at random from the pool, a Borda score."""
    n, k = draws.shape
    if k == 1:
        half = np.full(1, 0.5)
        return Estimate(half, half, half)
    chances = np.empty((n, k))
    for arm in range(k):  # one column at a time keeps memory at n * k
        chances[:, arm] = (expit(draws[:, arm, None] - draws).sum(1) - 0.5) / (k - 1)
    tail = (1.0 - level) / 2
    low, high = np.quantile(chances, [tail, 1.0 - tail], axis=0)
    return Estimate(chances.mean(0), low, high)


def expected_regret(draws: FloatArray, arm: int) -> Regret:
    """The expected regret of recommending ``arm``."""
    short = draws.max(1) - draws[:, arm]
    return Regret(float(short.mean()), float(expit(short).mean()) - 0.5)


def preference_matrix(posterior: Posterior) -> FloatArray:
    """P[i, j] (k, k): the probability that i beats j in the next duel, the doubt of the strengths included.

    E[sigma(g)] for g ~ N(m, v) by sigma(m / sqrt(1 + pi v / 8)) (MacKay 1992), which is within 0.02.
    """
    variance = np.diag(posterior.cov)
    spread = variance[:, None] + variance - 2.0 * posterior.cov
    gap = posterior.mean[:, None] - posterior.mean
    chance: FloatArray = expit(gap / np.sqrt(1.0 + np.pi / 8.0 * np.maximum(spread, 0.0)))
    return chance


def interval_of_chance(posterior: Posterior, first: int, second: int, level: float = 0.90) -> Estimate:
    """The probability that ``first`` beats ``second`` with its credible interval; arrays of length 1."""
    cov = posterior.cov
    gap = posterior.mean[first] - posterior.mean[second]
    sd = float(np.sqrt(max(cov[first, first] + cov[second, second] - 2 * cov[first, second], 0.0)))
    reach = float(ndtri(0.5 + level / 2)) * sd
    values = expit(np.array([[gap], [gap - reach], [gap + reach]]))
    return Estimate(values[0], values[1], values[2])
