"""Graded votes for the model with pair effects: clearly, slightly, equal, as an ordinal logistic model.

The chance that an advantage eta falls between two cuts is sigma(high - eta) sigma(eta - low), times a term
without eta (McCullagh 1980; ``likelihood.py``). So an answer counts as one plain vote about each of the cuts
around it, and given the cuts the ordinal model is Bradley-Terry with shifted votes: at the cost of a few
more columns. The cuts are estimated at the usual scales and then held.
"""

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import NotFitted
from optimizer.stats.likelihood import KAPPA_SD, Cumulative, graded
from optimizer.stats.pair_newton import Meetings, precision_of
from optimizer.stats.tally import FIRST_CLEARLY, FIRST_SLIGHTLY, SECOND_CLEARLY, SECOND_SLIGHTLY, Tally

FloatArray = NDArray[np.float64]

ROUNDS = 3  # of strengths and cuts in turn; the cuts then stand still to two digits
GRADES = (FIRST_CLEARLY, FIRST_SLIGHTLY, SECOND_SLIGHTLY, SECOND_CLEARLY)


def has_grades(tally: Tally) -> bool:
    """Whether anybody said how clearly."""
    return bool(tally.counts[:, :, GRADES].any())


def graded_meetings(tally: Tally, similarity: FloatArray | None) -> Meetings:
    """The votes by pair and by cut, the cuts estimated; ``similarity`` as in ``pair_effects.py``."""
    folded = tally.counts + tally.counts.transpose(1, 0, 2)[:, :, ::-1]  # levels mirror with the sides
    first, second = np.nonzero(np.triu(folded.sum(2), 1))
    answers = graded(folded[first, second])
    precision, log_det = precision_of(tally.k, similarity)

    def meetings(kappa: FloatArray) -> Meetings:
        cuts = answers.cuts @ kappa
        return Meetings(tally.k, first, second, cuts, answers.count, answers.above, precision, log_det)

    kappa, mode = answers.start, None
    for _ in range(ROUNDS):
        current = meetings(kappa)
        mode = current.fit(1.0, 0.0, mode)
        kappa = _better_cuts(answers, current.gap(mode.theta, mode.effects), kappa)
    return meetings(kappa)


def _better_cuts(answers: Cumulative, gap: FloatArray, kappa: FloatArray) -> FloatArray:
    """One step of Newton's method, halved until the cuts are in order; raises ``NotFitted``."""
    slopes = answers.slopes(gap, kappa)
    pull = slopes.kappa - (kappa - answers.start) / KAPPA_SD**2
    step = np.linalg.solve(slopes.kappa_kappa + np.eye(kappa.size) / KAPPA_SD**2, pull)
    for _ in range(30):
        if np.all(answers.widths @ (kappa + step) > 0.0):
            return kappa + step
        step = step / 2.0
    raise NotFitted("The thresholds of graded votes did not converge.")
