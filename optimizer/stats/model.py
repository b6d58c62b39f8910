"""The full preference model: strengths with position bias, inputs, ties or grades, raters and length.

For a vote of rater r on input x that showed arm i first and arm j second, the advantage of the first is
    eta = a_r (theta_i - theta_j + e_xi - e_xj + gamma (length_xi - length_xj)) + b_r,
and an answer model of ``likelihood.py`` turns eta into the chance of each answer. The mode is found by
``newton.py``; the posterior is averaged over the prior widths of theta and e, s and s_e, by Laplace evidence
(MacKay 1992; ``widths.py``). Votes on the same input share its e, so they are not taken for independent
evidence: strengths speak of inputs in general.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimizer.stats.bradley_terry import SCALES, VOTES_FOR_SCALE
from optimizer.stats.cells import Cells
from optimizer.stats.likelihood import Likelihood, choose_likelihood
from optimizer.stats.newton import TOLERANCE, Mode, climb
from optimizer.stats.posterior import Posterior, average
from optimizer.stats.system import System, Widths
from optimizer.stats.widths import (
    USUAL_INPUT_SD,
    USUAL_PRIOR_SD,
    Trial,
    explore,
    support_of,
    try_widths,
    usual,
)

FloatArray = NDArray[np.float64]

INPUT_SDS = (0.0, 0.3, 0.6, 1.2)
RELIABILITY_SD = 0.7  # of log a_r
NEAR = 1e-6  # tolerance with reliabilities, whose steps gain a share of the rest each, ever the same one


@dataclass(frozen=True, slots=True)
class Fit:
    """Strengths and what was estimated with them."""

    posterior: Posterior
    input_sd: float  # s_e of most support
    input_effects: FloatArray  # (X, k) e
    bias: FloatArray  # (R,) b_r, logits for the first; empty when left out
    bias_sd: FloatArray  # (R,) their posterior standard deviations
    length: float  # gamma, logits per unit of log length; 0 when left out
    length_sd: float
    levels: FloatArray  # (q,) kappa of the answer model: its cuts, or the log of Davidson's tie parameter
    reliability: FloatArray  # (R,) a_r, 1 for the average vote; ones when left out
    reliability_sd: FloatArray  # (R,) posterior standard deviations of log a_r; zeros when left out
    likelihood: Likelihood


def fit(
    cells: Cells,
    covariance: FloatArray | None = None,
    lengths: FloatArray | None = None,
    bias_sd: float = 0.3,
    input_sds: tuple[float, ...] = INPUT_SDS,
    prior_sds: tuple[float, ...] = SCALES,
    with_reliability: bool = False,
    answers: Callable[[FloatArray], Likelihood] = choose_likelihood,
) -> Fit:
    """Fit the model to cells.

    ``covariance`` (k, k) is the prior of strengths in units of their squared width (``priors.py``);
    ``lengths`` (X, k) are log lengths of outputs, which makes the strengths those at equal length;
    ``bias_sd`` 0 leaves position bias out; ``input_sds`` and ``prior_sds``, both ascending, are the widths to
    average over, a single one for a given width; ``with_reliability`` estimates how closely each rater
    follows the strengths, where there are several; ``answers`` is one of the models of ``likelihood.py``.
    Raises ``NotFitted`` when the mode is not reached.
    """
    if cells.total < VOTES_FOR_SCALE:
        prior_sds, input_sds = (usual(prior_sds, USUAL_PRIOR_SD),), (usual(input_sds, USUAL_INPUT_SD),)
    if cells.inputs == 1:
        input_sds = (0.0,)
    system = System.build(cells, answers(cells.counts), Widths(bias=bias_sd), covariance, lengths)
    plain = system  # as long as s_e = 0 and lengths are left out, inputs need not be told apart
    if cells.inputs > 1 and lengths is None and input_sds[0] == 0.0:
        pooled = cells.pooled(inputs=True)
        plain = System.build(pooled, answers(pooled.counts), Widths(bias=bias_sd), covariance, None)
    trials = explore(plain, system, prior_sds, input_sds)
    if with_reliability and cells.raters > 1:
        widths = Widths(bias=bias_sd, reliability=RELIABILITY_SD)
        wider = System.build(cells, system.likelihood, widths, covariance, lengths)
        trials = [_with_reliability(system, wider, trial) for trial in trials]
        system = wider
    return _read(system, trials)


def _with_reliability(system: System, wider: System, trial: Trial) -> Trial:
    """The same widths, with the raters' slopes among the unknowns, starting from 1."""
    bias, length, _, kappa = system.split(trial.mode.point.sides)
    sides = np.concatenate([bias, length, np.zeros(wider.raters), kappa])
    return try_widths(wider, trial.prior_sd, trial.input_sd, replace(trial.mode.point, sides=sides))


def _read(system: System, trials: list[Trial]) -> Fit:
    """The average posterior of strengths, and the rest at the best widths."""
    best = max(trials, key=support_of)
    tolerance = NEAR if system.with_reliability else TOLERANCE
    mode = climb(system, best.prior_sd, best.input_sd, best.mode.point, tolerance, best.mode.slopes)
    k = system.k
    parts = [_strengths(replace(trial, mode=mode) if trial is best else trial, k) for trial in trials]
    bias, length, _, kappa = system.split(mode.point.sides)
    bias_sd, length_sd, *_ = system.split(np.sqrt(np.diag(mode.cov)[k:]))
    return Fit(
        posterior=average(parts, [trial.support for trial in trials]),
        input_sd=best.input_sd,
        input_effects=mode.point.u,
        bias=bias,
        bias_sd=bias_sd,
        length=float(length.sum()),
        length_sd=float(length_sd.sum()),
        levels=kappa,
        reliability=system.reliability(mode.point),
        reliability_sd=_reliability_sd(system, mode),
        likelihood=system.likelihood,
    )


def _strengths(trial: Trial, k: int) -> Posterior:
    """The centred strengths of a mode."""
    theta, cov = trial.mode.point.theta, trial.mode.cov[:k, :k]
    cov = cov - cov.mean(0)
    cov = cov - cov.mean(1)[:, None]
    return Posterior(theta - theta.mean(), cov, trial.prior_sd, trial.mode.log_evidence)


def _reliability_sd(system: System, mode: Mode) -> FloatArray:
    """Of log a_r = c_r - log(share' e^c): the part of c that all raters have in common cancels."""
    if not system.with_reliability:
        return np.zeros(system.raters)
    end = mode.cov.shape[0] - system.q
    of_c = mode.cov[end - system.raters : end, end - system.raters : end]
    turned = np.eye(system.raters) - system.share * system.reliability(mode.point)
    sd: FloatArray = np.sqrt(np.diag(turned @ of_c @ turned.T))
    return sd
