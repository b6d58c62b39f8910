"""How likely an answer is, given how much better the first arm is: the three answer models.

All see one number per row, eta: the advantage of the first arm in logits, its position bias included;
sigma(eta) is the probability that the first is preferred by one who must choose. Each model adds level
parameters kappa (q,), estimated with the rest. All are jointly concave in (eta, kappa).
"""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from optimizer.stats.tally import (
    BOTH_BAD,
    BOTH_GOOD,
    FIRST,
    FIRST_CLEARLY,
    FIRST_SLIGHTLY,
    SCORE_OF_FIRST,
    SECOND,
    SECOND_CLEARLY,
    SECOND_SLIGHTLY,
)

FloatArray = NDArray[np.float64]

FREQUENT_TIES = 0.20  # share of ties above which they get a model of their own
KAPPA_SD = 2.0  # of the weak normal prior on level parameters
LARGEST = 300.0  # advantages beyond it, in logits, are cut: a chance of 1e-130, far from overflow
PSEUDO_VOTES = 0.5  # in every bounded interval, so that it keeps a width when nobody used it


@dataclass(frozen=True, slots=True)
class Slopes:
    """A log likelihood summed over n rows with its derivatives; the second ones with their sign turned."""

    value: float  # -inf where kappa is impossible
    eta: FloatArray  # (n,) d / d eta
    kappa: FloatArray  # (q,) d / d kappa
    eta_eta: FloatArray  # (n,) -d2 / d eta2, never negative
    eta_kappa: FloatArray  # (n, q)
    kappa_kappa: FloatArray  # (q, q)


class Likelihood(Protocol):
    """An answer model with its counts."""

    @property
    def start(self) -> FloatArray:
        """(q,) where to start kappa, and the mean of its prior."""
        ...

    def slopes(self, eta: FloatArray, kappa: FloatArray) -> Slopes: ...


@dataclass(frozen=True, slots=True)
class Cumulative:
    """Ordinal logistic model: eta plus logistic noise falls between two cuts (McCullagh 1980).

    Cuts are ``cuts`` @ kappa, (c, q), symmetric about 0 because a vote means the same from both sides.
    The chance of the interval (l, h) is sigma(h - eta) sigma(eta - l) (1 - exp(l - h)), so its logarithm is a
    sum of plain logistic terms, one per cut, and a term without eta: ``above`` (n, c) counts the answers
    whose interval starts at a cut, ``below`` those whose interval ends there, ``widths`` (v, q) @ kappa are
    the widths of the bounded intervals and ``inside`` (v,) the answers in them. A single cut at 0 is
    Bradley-Terry.
    """

    cuts: FloatArray
    above: FloatArray
    below: FloatArray
    widths: FloatArray
    inside: FloatArray
    start: FloatArray
    count: FloatArray = field(init=False)  # (n, c) above + below

    def __post_init__(self) -> None:
        object.__setattr__(self, "count", self.above + self.below)

    def slopes(self, eta: FloatArray, kappa: FloatArray) -> Slopes:
        width = self.widths @ kappa
        possible = bool(np.all(width > 0.0))
        odds = 1.0 / np.expm1(width) if possible else np.ones_like(width)
        gap = np.clip(eta[:, None] - self.cuts @ kappa, -LARGEST, LARGEST)
        odds_against = np.exp(-gap)
        chance = 1.0 / (1.0 + odds_against)
        value = -np.inf
        if possible:  # log sigma(gap) = -log(1 + e^-gap), and log sigma(-gap) is less by gap
            value = -float(np.vdot(self.count, np.log1p(odds_against)) + np.vdot(self.below, gap))
            value += float(self.inside @ np.log(-np.expm1(-width)))
        expected = self.count * chance
        slope = self.above - expected
        bend = expected * (1.0 - chance)
        # A product with ones adds up narrow arrays much faster than their sum method.
        every_row, every_cut = np.ones(self.count.shape[0]), np.ones(self.count.shape[1])
        return Slopes(
            value=value,
            eta=slope @ every_cut,
            kappa=-(every_row @ slope) @ self.cuts + (self.inside * odds) @ self.widths,
            eta_eta=bend @ every_cut,
            eta_kappa=-bend @ self.cuts,
            kappa_kappa=self.cuts.T @ ((every_row @ bend)[:, None] * self.cuts)
            + self.widths.T @ ((self.inside * odds * (1.0 + odds))[:, None] * self.widths),
        )


@dataclass(frozen=True, slots=True)
class Davidson:
    """Ties as a third outcome: first : tie : second = e^(eta/2) : e^kappa : e^(-eta/2) (Davidson 1970)."""

    first: FloatArray  # (n,) counts
    second: FloatArray
    tied: FloatArray
    start: FloatArray

    def slopes(self, eta: FloatArray, kappa: FloatArray) -> Slopes:
        half = eta / 2.0
        log_total = np.logaddexp(np.logaddexp(half, -half), kappa[0])
        count = self.first + self.second + self.tied
        p_first, p_second, p_tie = (
            np.exp(half - log_total),
            np.exp(-half - log_total),
            np.exp(kappa[0] - log_total),
        )
        lead = (p_first - p_second) / 2.0
        value = ((self.first - self.second) * half + self.tied * kappa[0] - count * log_total).sum()
        return Slopes(
            value=float(value),
            eta=(self.first - self.second) / 2.0 - count * lead,
            kappa=np.array([(self.tied - count * p_tie).sum()]),
            eta_eta=count * ((p_first + p_second) / 4.0 - lead**2),
            eta_kappa=-(count * lead * p_tie)[:, None],
            kappa_kappa=np.array([[(count * p_tie * (1.0 - p_tie)).sum()]]),
        )


def choose_likelihood(counts: FloatArray) -> Likelihood:
    """The answer model that the counts (n, LEVELS) call for.

    Graded votes: the ordinal model, with ties, if there are any, as its middle interval and plain votes as
    the union of slightly and clearly. Else Davidson where more than ``FREQUENT_TIES`` are ties. Else
    Bradley-Terry with a tie as half a win each way.
    """
    total = counts.sum(0)
    ties = total[BOTH_GOOD] + total[BOTH_BAD]
    if total[[FIRST_CLEARLY, FIRST_SLIGHTLY, SECOND_SLIGHTLY, SECOND_CLEARLY]].sum() > 0:
        return graded(counts)
    if ties > FREQUENT_TIES * total.sum():
        return with_ties(counts)
    return half_wins(counts)


def half_wins(counts: FloatArray) -> Cumulative:
    """Bradley-Terry: one cut at 0, a tie is half a vote on each side of it."""
    above = counts @ SCORE_OF_FIRST
    none = np.zeros(0)
    return Cumulative(
        cuts=np.zeros((1, 0)),
        above=above[:, None],
        below=(counts.sum(1) - above)[:, None],
        widths=np.zeros((0, 0)),
        inside=none,
        start=none,
    )


def with_ties(counts: FloatArray) -> Davidson:
    """Davidson's model; grades, if any, are left aside."""
    first = counts[:, [FIRST_CLEARLY, FIRST, FIRST_SLIGHTLY]].sum(1)
    second = counts[:, [SECOND_SLIGHTLY, SECOND, SECOND_CLEARLY]].sum(1)
    return Davidson(first, second, counts[:, BOTH_GOOD] + counts[:, BOTH_BAD], np.zeros(1))


def graded(counts: FloatArray) -> Cumulative:
    """The ordinal model with cuts at -t2, -t1, t1, t2; without ties t1 is 0 and kappa is t2 alone."""
    tied = counts[:, BOTH_GOOD] + counts[:, BOTH_BAD]
    wins, losses = counts[:, FIRST], counts[:, SECOND]
    much_more, more = counts[:, FIRST_CLEARLY], counts[:, FIRST_SLIGHTLY]
    less, much_less = counts[:, SECOND_SLIGHTLY], counts[:, SECOND_CLEARLY]
    if tied.sum() == 0:
        return Cumulative(
            cuts=np.array([[-1.0], [0.0], [1.0]]),
            above=np.stack([less, wins + more, much_more], axis=1),
            below=np.stack([much_less, losses + less, more], axis=1),
            widths=np.array([[1.0]]),
            inside=PSEUDO_VOTES + np.array([(more + less).sum()]),
            start=np.array([1.0]),
        )
    return Cumulative(
        cuts=np.array([[0.0, -1.0], [-1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]),
        above=np.stack([less, tied, wins + more, much_more], axis=1),
        below=np.stack([much_less, losses + less, tied, more], axis=1),
        widths=np.array([[2.0, 0.0], [-1.0, 1.0]]),
        inside=PSEUDO_VOTES + np.array([tied.sum(), (more + less).sum()]),
        start=np.array([0.3, 1.3]),
    )
