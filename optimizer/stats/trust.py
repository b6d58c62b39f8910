"""How far a judge follows the people, and what its votes add to theirs.

A judge's strengths are taken for a coarser copy of the people's with a taste of its own on top:

    theta_judge = a theta_people + d,    d ~ N(0, taste^2),    a >= 0

a is the judge's weight: 1 for a judge as telling as a person, 0 for one that tells nothing. Both are
estimated against the people's posterior alone, so no number of votes lets judges outvote the people on
what counts as good: the taste bounds what a judge can teach. Every likelihood is replaced by its
second-order expansion at its mode (Laplace), after which all steps are those of linear Gaussian models.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from optimizer.stats.posterior import Posterior

FloatArray = NDArray[np.float64]

WEIGHTS = np.linspace(0.0, 1.5, 16)
TASTES = np.array([0.1, 0.2, 0.4, 0.8, 1.6])  # logits
JUDGE_PRIOR_SD = 2.0  # of strengths while looking for the mode; taken out again


@dataclass(frozen=True, slots=True)
class Trust:
    """A judge's weight with its 90 % interval, and its taste in logits: posterior means."""

    weight: float
    low: float
    high: float
    taste: float


def trust_of(people: Posterior, judge_wins: FloatArray) -> Trust:
    """How far a judge with this win matrix follows the people. The prior of a and of log taste is flat."""
    chance, _ = _combinations(people, *_expansion(judge_wins))
    of_weight = chance.sum(1)
    cumulated = of_weight.cumsum()
    low, high = (float(WEIGHTS[min(int(np.searchsorted(cumulated, q)), 15)]) for q in (0.05, 0.95))
    return Trust(float(of_weight @ WEIGHTS), low, high, float(chance.sum(0) @ TASTES))


def with_judges(people: Posterior, judge_wins: Sequence[FloatArray]) -> Posterior:
    """The people's posterior, sharpened by what each judge adds as far as it follows them."""
    mean, cov = people.mean, people.cov
    for wins in judge_wins:
        sharpened = Posterior(mean, cov, people.prior_sd, people.log_evidence)
        # The weight is always judged against the people alone, what is added comes on top of the rest.
        chance, _ = _combinations(people, *_expansion(wins))
        _, parts = _combinations(sharpened, *_expansion(wins))
        share = chance.ravel()
        means = np.array([part[0] for part in parts])
        mean = share @ means
        spread = (means - mean).T * share @ (means - mean)
        cov = sum((s * part[1] for s, part in zip(share, parts, strict=True)), spread)
    return Posterior(mean, cov, people.prior_sd, people.log_evidence)


def _expansion(wins: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The log likelihood of a win matrix as -x'Hx/2 + h'x around its mode (with a wide prior)."""
    k = wins.shape[0]
    played = wins + wins.T
    x = np.zeros(k)
    for _ in range(50):
        p = expit(x[:, None] - x[None, :])
        slope = (wins - played * p).sum(1)
        bend = played * p * (1.0 - p)
        h = np.diag(bend.sum(1)) - bend
        step = np.linalg.solve(h + np.eye(k) / JUDGE_PRIOR_SD**2, slope - x / JUDGE_PRIOR_SD**2)
        x = x + step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-300))
        if float(np.abs(step).max()) < 1e-8:
            break
    return h, slope + h @ x


def _combinations(
    people: Posterior, h: FloatArray, linear: FloatArray
) -> tuple[FloatArray, list[tuple[FloatArray, FloatArray]]]:
    """The chance of every (weight, taste), and the people's posterior mean and covariance given each.

    Given both, theta_judge ~ N(a m, V) with V = a^2 S + taste^2. With u = h - H a m, the slope of the log
    likelihood there, and G = (I + V H)^-1 V, the judge's posterior covariance, the evidence is
    |I + V H|^(-1/2) exp(h'am - am'H am / 2 + u'G u / 2), and the people's mean moves by a S (I - H G) u.
    """
    k = people.k
    centre = np.eye(k) - 1.0 / k
    log_chance = np.empty((WEIGHTS.size, TASTES.size))
    parts = []
    for row, a in enumerate(WEIGHTS):
        mean = a * people.mean
        pull = linear - h @ mean  # slope of the judge's log likelihood at the people's expectation
        for column, taste in enumerate(TASTES):
            cov = a**2 * people.cov + taste**2 * centre
            gain = np.linalg.inv(np.eye(k) + cov @ h)
            settled = gain @ cov
            value = mean @ linear - mean @ h @ mean / 2.0 + pull @ settled @ pull / 2.0
            log_chance[row, column] = value + np.linalg.slogdet(gain)[1] / 2.0
            moved = a * people.cov
            shift = moved @ (pull - h @ settled @ pull)
            less = moved @ (h - h @ settled @ h) @ moved
            parts.append((people.mean + shift, people.cov - less))
    chance = np.exp(log_chance - log_chance.max())
    return chance / chance.sum(), parts
