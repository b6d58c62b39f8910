"""What every selector makes of the votes: one way to fit, and one way to count duels in flight."""

from dataclasses import replace

import numpy as np
from scipy.special import expit

from optimizer.selectors.base import BoolArray, FloatArray, IntArray, Record
from optimizer.stats.bradley_terry import fit_by_evidence
from optimizer.stats.posterior import Posterior


def counted(record: Record) -> FloatArray:
    """(k, k) win matrix in which a pending duel counts as half a win each way."""
    return record.wins + record.pending / 2.0


def believed(record: Record) -> Posterior:
    """The posterior of strengths, prior width by evidence, shrunk already by the votes in flight."""
    return expecting(fit_by_evidence(record.wins), record.pending)


def expecting(posterior: Posterior, pending: IntArray) -> Posterior:
    """The posterior if every pending duel had the outcome that is expected of it.

    An outcome equal to its expectation moves no mean, it only adds its Fisher information
    p (1 - p) z z' (z = e_i - e_j): a rank-one update of the covariance for each pair in flight.
    """
    if not pending.any():
        return posterior
    cov = posterior.cov.copy()
    for i, j in np.argwhere(np.triu(pending)):
        p = expit(posterior.mean[i] - posterior.mean[j])
        information = pending[i, j] * p * (1.0 - p)
        column = cov[:, i] - cov[:, j]
        cov -= np.outer(column, column) * (information / (1.0 + information * (column[i] - column[j])))
    return replace(posterior, cov=cov)


def gap_sd(cov: FloatArray) -> FloatArray:
    """(k, k) standard deviations of the differences theta_i - theta_j; zero on the diagonal."""
    variance = np.diag(cov)
    sd: FloatArray = np.sqrt(np.maximum(variance[:, None] + variance[None, :] - 2.0 * cov, 0.0))
    return sd


def best_of(value: FloatArray, arms: BoolArray | np.bool_, rng: np.random.Generator) -> int:
    """The arm of the highest value (k,) among those marked (k,), ties broken at random.

    ``np.bool_`` stands only for how NumPy types the row of a matrix.
    """
    marked = np.flatnonzero(arms)
    best = marked[value[marked] == value[marked].max()]
    return int(best[0]) if best.size == 1 else int(rng.choice(best))
