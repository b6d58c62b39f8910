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
    chance, _, _ = _combinations(people, *_expansion(judge_wins))
    of_weight = chance.sum(1)
    cumulated = of_weight.cumsum()
    low, high = (float(WEIGHTS[min(int(np.searchsorted(cumulated, q)), 15)]) for q in (0.05, 0.95))
    return Trust(float(of_weight @ WEIGHTS), low, high, float(chance.sum(0) @ TASTES))


def with_judges(people: Posterior, judge_wins: Sequence[FloatArray]) -> Posterior:
    """The people's posterior, sharpened by what each judge adds as far as it follows them."""
    mean, cov = people.mean, people.cov
    for wins in judge_wins:
        h, linear = _expansion(wins)
        # The weight is always judged against the people alone; what is added comes on top of the rest.
        chance, means, covs = _combinations(people, h, linear)
        if mean is not people.mean:
            sharpened = Posterior(mean, cov, people.prior_sd, people.log_evidence)
            _, means, covs = _combinations(sharpened, h, linear)
        mean = np.einsum("wt,wti->i", chance, means)
        apart = means - mean
        cov = np.einsum("wt,wtij->ij", chance, covs) + np.einsum("wt,wti,wtj->ij", chance, apart, apart)
    return Posterior(mean, cov, people.prior_sd, people.log_evidence)


def share_heard(people: Posterior, judge_wins: FloatArray) -> float:
    """How much a judge's votes add to what the people's tell, as a share of what as many votes of people
    would add, 0 to 1: the traces of the precisions. For rules that need counts.

    The weight a alone says too much: that of a judge of the opposite taste may be 0.4, and it adds nothing.
    """
    together = with_judges(people, [judge_wins])
    gained = np.linalg.pinv(together.cov, hermitian=True) - np.linalg.pinv(people.cov, hermitian=True)
    at_most = float(np.trace(_expansion(judge_wins)[0]))
    return float(np.clip(np.trace(gained) / at_most, 0.0, 1.0)) if at_most > 0.0 else 0.0


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
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """For every weight and taste: its chance (w, t), the people's mean (w, t, k) and covariance (w, t, k, k).

    Given both, theta_judge ~ N(a m, V) with V = a^2 S + taste^2. With u = h - H a m, the slope of the log
    likelihood there, and G = (I + V H)^-1 V, the judge's posterior covariance, the evidence is
    |I + V H|^(-1/2) exp(h'am - am'H am / 2 + u'G u / 2), and the people's mean moves by a S (I - H G) u.
    """
    k = people.k
    centre = np.eye(k) - 1.0 / k
    a, taste = WEIGHTS[:, None, None, None], TASTES[None, :, None, None]
    cov = a**2 * people.cov + taste**2 * centre
    gain = np.linalg.inv(np.eye(k) + cov @ h)
    settled = gain @ cov  # G
    expected = WEIGHTS[:, None] * people.mean  # (w, k)
    pull = linear - expected @ h
    value = expected @ linear - np.einsum("wi,ij,wj->w", expected, h, expected) / 2.0
    log_chance = value[:, None] + np.einsum("wi,wtij,wj->wt", pull, settled, pull) / 2.0
    log_chance += np.linalg.slogdet(gain)[1] / 2.0
    chance = np.exp(log_chance - log_chance.max())
    moved = a * people.cov
    left = pull[:, None] - np.einsum("ij,wtjl,wl->wti", h, settled, pull)
    means = people.mean + np.einsum("wtij,wtj->wti", np.broadcast_to(moved, cov.shape), left)
    covs = people.cov - moved @ (h - h @ settled @ h) @ moved
    return chance / chance.sum(), means, covs
