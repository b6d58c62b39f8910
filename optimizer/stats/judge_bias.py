"""What is wrong with a judge, tested: favourite position, favourite length, inconsistency, drift.

All tests are exact and two-sided (written out, as ``scipy.stats`` takes long to import). Intervals are
Wilson's (1927) or Newcombe's (1998, method 10) at 95 %.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, gammaln

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

Z = 1.959963984540054  # 95 %
SIGNIFICANT = 0.05
FEWEST_SHARED = 10  # duels with people before their taste in lengths is known


@dataclass(frozen=True, slots=True)
class Rate:
    """``hits`` of ``n`` with an interval, and the chance of as much under an even coin.

    With n = 0 the value is nan, the interval (0, 1) and the chance 1.
    """

    hits: int
    n: int
    value: float
    low: float
    high: float
    p_value: float

    @property
    def significant(self) -> bool:
        return self.p_value < SIGNIFICANT


def rate(hits: int, n: int) -> Rate:
    """A rate that would be one half if nothing were wrong."""
    if n == 0:
        return Rate(0, 0, float("nan"), 0.0, 1.0, 1.0)
    low, high = _wilson(hits, n)
    return Rate(hits, n, hits / n, low, high, _coin(hits, n))


@dataclass(frozen=True, slots=True)
class PositionBias:
    """Duels that a judge was asked in both orders, preferring one output each time.

    ``favours_first``: among verdicts that went with the position, those for the first. ``dependent``: the
    share of all duels whose verdict went with the position, not with the output.
    """

    favours_first: Rate
    dependent: Rate

    @property
    def biased(self) -> bool:
        """Does the judge favour a position? (A sign test on the discordant pairs, as McNemar's.)"""
        return self.favours_first.significant


def position_bias(first_twice: int, second_twice: int, same_output: int) -> PositionBias:
    """From counts of duels asked in both orders: said "first" both times, "second" both times, or
    preferred the same output both times."""
    moved = first_twice + second_twice
    return PositionBias(rate(first_twice, moved), rate(moved, moved + same_output))


@dataclass(frozen=True, slots=True)
class LengthBias:
    """``prefers_longer``: how often the longer output won. ``more_than_people``: of the duels where judge and
    people disagreed on whether it should, those where the judge preferred it (McNemar's exact test);
    ``shared``: the duels of unequal lengths in which both preferred an output."""

    prefers_longer: Rate
    more_than_people: Rate
    shared: int

    @property
    def people_known(self) -> bool:
        return self.shared >= FEWEST_SHARED

    @property
    def biased(self) -> bool:
        """Longer outputs may be better ones; where people voted too, only a difference from them counts."""
        return (self.more_than_people if self.people_known else self.prefers_longer).significant


def length_bias(won: IntArray, length_gap: IntArray, people_won: IntArray | None = None) -> LengthBias:
    """From duels of a judge, arrays (n,).

    ``won`` is 1 where the first output won, -1 where the second did, 0 for a tie; ``length_gap`` the first's
    length less the second's; ``people_won`` like ``won``, of people on the same duels, 0 where unknown.
    """
    longer = np.sign(won) * np.sign(length_gap)
    decided = longer[longer != 0]
    theirs = np.zeros_like(longer) if people_won is None else np.sign(people_won) * np.sign(length_gap)
    shared = (longer != 0) & (theirs != 0)
    apart = longer[shared & (longer != theirs)]
    against = rate(int((apart > 0).sum()), apart.size)
    return LengthBias(rate(int((decided > 0).sum()), decided.size), against, int(shared.sum()))


def self_consistency(answers: list[list[int]]) -> tuple[float, int]:
    """How likely two answers to the same question agree, and from how many pairs of answers that is known.

    ``answers`` holds the answers to each question that was asked more than once. nan without any.
    """
    agreeing = pairs = 0
    for group in answers:
        _, times = np.unique(group, return_counts=True)
        agreeing += int((times * (times - 1)).sum()) // 2
        pairs += len(group) * (len(group) - 1) // 2
    return (agreeing / pairs if pairs else float("nan")), pairs


@dataclass(frozen=True, slots=True)
class Drift:
    """How the rate of agreement changed from the earlier half of the votes to the later one."""

    before: float
    after: float
    low: float  # of after - before
    high: float
    p_value: float  # Fisher's exact test

    @property
    def significant(self) -> bool:
        return self.p_value < SIGNIFICANT


def drift(agreed: BoolArray) -> Drift:
    """From whether each vote agreed with people, in order of time; at least two votes."""
    half = agreed.size // 2
    early, late = agreed[:half], agreed[half:]
    a, b = int(early.sum()), int(late.sum())
    p_early, p_late = a / early.size, b / late.size
    (l1, u1), (l2, u2) = _wilson(a, early.size), _wilson(b, late.size)
    change = p_late - p_early
    low = change - float(np.hypot(p_late - l2, u1 - p_early))
    high = change + float(np.hypot(u2 - p_late, p_early - l1))
    return Drift(p_early, p_late, low, high, _fisher(a, early.size, b, late.size))


def _coin(hits: int, n: int) -> float:
    """The chance that an even coin's number of heads is as far from n / 2."""
    return min(1.0, 2.0 * float(bdtr(min(hits, n - hits), n, 0.5)))


def _fisher(a: int, n: int, b: int, m: int) -> float:
    """Fisher's exact test of a of n against b of m: the chance, given a + b, of a table no likelier."""
    hits = np.arange(max(0, a + b - m), min(n, a + b) + 1)
    log_chance = _log_choose(n, hits) + _log_choose(m, a + b - hits) - _log_choose(n + m, np.array(a + b))
    chance = np.exp(log_chance)
    return min(1.0, float(chance[chance <= chance[a - hits[0]] * (1.0 + 1e-7)].sum()))


def _log_choose(n: int, k: IntArray) -> NDArray[np.float64]:
    ways: NDArray[np.float64] = gammaln(n + 1.0) - gammaln(k + 1.0) - gammaln(n - k + 1.0)
    return ways


def _wilson(hits: int, n: int) -> tuple[float, float]:
    middle = (hits + Z**2 / 2.0) / (n + Z**2)
    half = Z * float(np.sqrt(hits * (n - hits) / n + Z**2 / 4.0)) / (n + Z**2)
    return max(0.0, middle - half), min(1.0, middle + half)
