"""How far raters agree, as a rate and beyond what chance would give.

Rates carry Wilson's interval (``judge_bias.rate``), coefficients a 95 % interval of their own. A rating is
the position of an answer, or a score of the first output; nan stands for a duel that a rater was not asked.
"""

from dataclasses import dataclass
from typing import Literal

import krippendorff
import numpy as np
from numpy.typing import NDArray

from optimizer.stats.judge_bias import Rate, Z, rate

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

RESAMPLES = 300
LEVEL = 0.95  # of the intervals
FEWEST_DUELS = 5  # before they may be resampled: one duel drawn again and again has no spread
FEWEST_RESAMPLES = RESAMPLES // 2  # with more than one value in them, else there is no interval


@dataclass(frozen=True, slots=True)
class Coefficient:
    """Agreement beyond chance: 1 complete, 0 that of chance, below 0 less than that.

    nan with the interval (-1, 1) where it is not defined: nobody shared a duel, or all gave one answer.
    """

    value: float
    low: float
    high: float
    n: int  # duels rated at least twice


UNDEFINED = Coefficient(float("nan"), -1.0, 1.0, 0)


def agreement(one: FloatArray, other: FloatArray) -> Rate:
    """How often two raters gave the same rating, over the duels (n,) that both rated."""
    both = ~(np.isnan(one) | np.isnan(other))
    return rate(int((one[both] == other[both]).sum()), int(both.sum()))


def self_agreement(before: FloatArray, after: FloatArray) -> Rate:
    """How often a rater repeated a rating when the sides were swapped; ``after`` is turned back already."""
    return agreement(before, after)


def first_rate(first: int, second: int) -> Rate:
    """How often the output shown first was preferred; one half where sides are drawn and do not matter."""
    return rate(first, first + second)


def cohen_kappa(one: FloatArray, other: FloatArray) -> Coefficient:
    """Cohen's kappa (1960) of two raters, with the large-sample interval of Fleiss, Cohen and Everitt (1969).

    kappa = (p_o - p_e) / (1 - p_e), p_o the share of equal ratings, p_e that of two raters who use
    the answers as often as these but independently.
    """
    both = ~(np.isnan(one) | np.isnan(other))
    n = int(both.sum())
    values, place = np.unique(np.concatenate([one[both], other[both]]), return_inverse=True)
    if n == 0 or values.size < 2:
        return UNDEFINED
    table = np.zeros((values.size, values.size))
    np.add.at(table, (place[:n], place[n:]), 1.0 / n)
    rows, columns = table.sum(1), table.sum(0)
    observed, expected = float(np.trace(table)), float(rows @ columns)
    kappa = (observed - expected) / (1.0 - expected)
    # Fleiss, Cohen and Everitt (1969), eq. 13.
    on_diagonal = np.diag(table) @ (1.0 - (rows + columns) * (1.0 - kappa)) ** 2
    marginals = (columns[:, None] + rows[None, :]) ** 2
    off_diagonal = (1.0 - kappa) ** 2 * float(((table - np.diag(np.diag(table))) * marginals).sum())
    last = (kappa - expected * (1.0 - kappa)) ** 2
    sd = float(np.sqrt(max(on_diagonal + off_diagonal - last, 0.0) / n) / (1.0 - expected))
    return Coefficient(kappa, max(kappa - Z * sd, -1.0), min(kappa + Z * sd, 1.0), n)


def krippendorff_alpha(
    ratings: FloatArray,
    rng: np.random.Generator,
    level: Literal["nominal", "ordinal"] = "nominal",
) -> Coefficient:
    """Krippendorff's alpha of any number of raters, (raters, duels), nan where one did not rate.

    The interval is a bootstrap over duels, and says nothing (-1 to 1) with fewer than five. ``level``
    "ordinal" counts neighbouring ratings as nearer.
    """
    counts = _counts(ratings)
    if counts.shape[0] == 0 or counts.shape[1] < 2:
        return UNDEFINED
    value = float(krippendorff.alpha(value_counts=counts, level_of_measurement=level))
    n = counts.shape[0]
    if n < FEWEST_DUELS:
        return Coefficient(value, -1.0, 1.0, n)
    found = []
    for _ in range(RESAMPLES):
        sample = counts[rng.integers(n, size=n)]
        if (sample.sum(0) > 0).sum() > 1:
            found.append(float(krippendorff.alpha(value_counts=sample, level_of_measurement=level)))
    if len(found) < FEWEST_RESAMPLES:
        return Coefficient(value, -1.0, 1.0, n)
    low, high = np.quantile(found, [(1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0])
    return Coefficient(value, float(low), float(high), n)


def _counts(ratings: FloatArray) -> IntArray:
    """(duels, values): how many raters gave each rating, over the duels that at least two rated."""
    values = np.unique(ratings[~np.isnan(ratings)])
    counts = (
        np.stack([(ratings == value).sum(0) for value in values], axis=1) if values.size else np.zeros((0, 0))
    )
    shared: IntArray = counts[counts.sum(1) >= 2].astype(np.int64)
    used: IntArray = shared[:, shared.sum(0) > 0]
    return used
