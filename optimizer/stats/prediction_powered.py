"""Win rates from a few votes of people and many of a judge: prediction-powered inference.

Angelopoulos, Bates, Fannjiang, Jordan and Zrnic (Science, 2023), with the weight on the judge chosen as
in Angelopoulos, Duchi and Zrnic (PPI++, arXiv 2311.01453, 2023, equation for the mean): the judge's mean
over many duels, corrected by its error on those where people voted too. Whatever the judge is worth, the
estimate aims at the people's rate; a good judge only narrows the interval.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from optimizer.errors import NotFitted

FloatArray = NDArray[np.float64]

FEWEST = 10  # duels with both votes, below which no interval can be had from a spread
IMAGINED = np.array([[1.0, 1.0], [0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])  # duels: people's score, judge's score


@dataclass(frozen=True, slots=True)
class PoweredRate:
    """A win rate with its interval, beside the one from the people's votes alone."""

    value: float
    low: float
    high: float
    weight: float  # on the judge, 0 (worthless, left aside) to 1
    people_value: float
    people_low: float
    people_high: float
    people: int  # duels with both votes
    judged: int  # duels with the judge's vote alone

    @property
    def saved(self) -> float:
        """The share of the people's votes that the judge replaces: 1 - (width / width without it)^2."""
        alone = self.people_high - self.people_low
        return 1.0 - ((self.high - self.low) / alone) ** 2 if alone > 0.0 else 0.0


def powered_rate(
    people: FloatArray, judge: FloatArray, judge_alone: FloatArray, confidence: float = 0.95
) -> PoweredRate:
    """Estimate the people's mean score.

    ``people`` and ``judge`` (n,) are scores of the same duels (1 won, 0.5 tie, 0 lost), ``judge_alone``
    (N,) the judge's scores of other duels that were drawn in the same way. With w the weight,

        value = mean(people) + w (mean(judge_alone) - mean(judge))
        variance = var(people - w judge) / n + w^2 var(judge_alone) / N
        w = cov(people, judge) / ((1 + n / N) var(judge_alone)), kept within 0 and 1

    where ``IMAGINED`` duels join the n: as Agresti and Coull (1998) do for a rate, lest few duels that happen
    to agree pass for certainty. Raises ``NotFitted`` below ``FEWEST`` duels with both votes.
    """
    if people.size < FEWEST:
        raise NotFitted(f"{people.size} duels have votes of people and of the judge; {FEWEST} are needed.")
    y, f = np.concatenate([people, IMAGINED[:, 0]]), np.concatenate([judge, IMAGINED[:, 1]])
    n, many = y.size, judge_alone.size
    noise = float(judge_alone.var(ddof=1)) if many > 1 else 0.0
    weight = 0.0
    if noise > 0.0:
        weight = float(np.clip(np.cov(y, f)[0, 1] / ((1.0 + n / many) * noise), 0.0, 1.0))
    value = float(y.mean())
    spread = float(ndtri(0.5 + confidence / 2.0))
    without = spread * float(y.std(ddof=1)) / n**0.5
    powered, margin = value, without
    if weight > 0.0:
        powered += weight * float(judge_alone.mean() - f.mean())
        margin = spread * float((y - weight * f).var(ddof=1) / n + weight**2 * noise / many) ** 0.5
    return PoweredRate(
        *_clipped(powered, margin), weight, *_clipped(value, without), people.size, judge_alone.size
    )


def _clipped(value: float, margin: float) -> tuple[float, float, float]:
    value, low, high = (min(1.0, max(0.0, v)) for v in (value, value - margin, value + margin))
    return value, low, high
