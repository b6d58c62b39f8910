"""The full preference model: strengths with position bias, inputs, ties or grades, raters and length.

For a vote of rater r on input x that showed arm i first and arm j second, the advantage of the first is
    eta = a_r (theta_i - theta_j + e_xi - e_xj + gamma (length_xi - length_xj)) + b_r,
and an answer model of ``likelihood.py`` turns eta into the chance of each answer. The mode is found by
``newton.py``; the prior widths of theta and e are chosen by Laplace evidence (MacKay 1992). Votes on the same
input share its e, so they are not taken for independent evidence: strengths speak of inputs in general.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from optimizer.stats.bradley_terry import SCALES, VOTES_FOR_SCALE
from optimizer.stats.cells import Cells
from optimizer.stats.likelihood import Likelihood, choose_likelihood
from optimizer.stats.newton import Mode, climb
from optimizer.stats.posterior import Posterior
from optimizer.stats.system import Point, System, Widths

FloatArray = NDArray[np.float64]

INPUT_SDS = (0.0, 0.3, 0.6, 1.2)
USUAL_PRIOR_SD, USUAL_INPUT_SD = 1.0, 0.5  # medians of the log-normal hyper-priors, whose logs have sd 1
ROUGH = 0.1  # tolerance while widths are compared: their evidence is then good to about 0.01
RELIABILITY_SD = 0.7  # of log a_r


@dataclass(frozen=True, slots=True)
class Fit:
    """Strengths and what was estimated with them."""

    posterior: Posterior
    input_sd: float  # s_e
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
    choose from, a single one for a given width; ``with_reliability`` estimates how closely each rater
    follows the strengths, where there are several; ``answers`` is one of the models of ``likelihood.py``.
    Raises ``NotFitted`` when the mode is not reached.
    """
    if cells.total < VOTES_FOR_SCALE:
        prior_sds, input_sds = (_usual(prior_sds, USUAL_PRIOR_SD),), (_usual(input_sds, USUAL_INPUT_SD),)
    if cells.inputs == 1:
        input_sds = (0.0,)
    system = System.build(cells, answers(cells.counts), Widths(bias=bias_sd), covariance, lengths)
    plain = system  # as long as s_e = 0 and lengths are left out, inputs need not be told apart
    if cells.inputs > 1 and lengths is None and input_sds[0] == 0.0:
        pooled = cells.pooled(inputs=True)
        plain = System.build(pooled, answers(pooled.counts), Widths(bias=bias_sd), covariance, None)
    found = _choose(plain, system, prior_sds, input_sds)
    if with_reliability and cells.raters > 1:
        bias, length, _, kappa = system.split(found.point.sides)
        sides = np.concatenate([bias, length, np.zeros(cells.raters), kappa])
        found = replace(found, point=replace(found.point, sides=sides))
        widths = Widths(bias=bias_sd, reliability=RELIABILITY_SD)
        system = System.build(cells, system.likelihood, widths, covariance, lengths)
    return _read(system, found, climb(system, found.prior_sd, found.input_sd, found.point))


@dataclass(frozen=True, slots=True)
class _Trial:
    """A choice of widths, how well the votes and the hyper-prior support it, and the mode found there."""

    prior_sd: float
    input_sd: float
    support: float
    point: Point


def _choose(
    plain: System, system: System, prior_sds: tuple[float, ...], input_sds: tuple[float, ...]
) -> _Trial:
    """The widths of highest evidence, one after the other: s, then s_e at this s, then whether s has grown.

    Effects of inputs that are not told apart weaken the strengths, so finding them never lowers s.
    """
    best = _try(plain, _usual(prior_sds, USUAL_PRIOR_SD), input_sds[0], plain.origin)
    best = _search(plain, best, "prior_sd", prior_sds)
    if plain is not system:
        point = replace(best.point, u=system.origin.u)
        best = replace(best, point=point)
    before = best
    best = _search(system, best, "input_sd", input_sds)
    if best is before:
        return best
    return _search(system, best, "prior_sd", prior_sds[prior_sds.index(best.prior_sd) :])


def _search(
    system: System, best: _Trial, name: Literal["prior_sd", "input_sd"], widths: tuple[float, ...]
) -> _Trial:
    """Climb over one width, upwards and, if that did not help, downwards, until the support falls."""
    here = widths.index(best.prior_sd if name == "prior_sd" else best.input_sd)
    for path in (widths[here + 1 :], widths[:here][::-1]):
        before = best
        for width in path:
            asked = replace(best, prior_sd=width) if name == "prior_sd" else replace(best, input_sd=width)
            tried = _try(system, asked.prior_sd, asked.input_sd, best.point)
            if tried.support <= best.support:
                break
            best = tried
        if best is not before:
            break
    return best


def _try(system: System, prior_sd: float, input_sd: float, start: Point) -> _Trial:
    mode = climb(system, prior_sd, input_sd, start, tolerance=ROUGH)
    support = mode.log_evidence - np.log(prior_sd / USUAL_PRIOR_SD) ** 2 / 2.0
    if input_sd > 0.0:
        support -= np.log(input_sd / USUAL_INPUT_SD) ** 2 / 2.0
    return _Trial(prior_sd, input_sd, float(support), mode.point)


def _usual(widths: tuple[float, ...], usual: float) -> float:
    return min(widths, key=lambda width: abs(width - usual))


def _read(system: System, found: _Trial, mode: Mode) -> Fit:
    """Name the parts of the mode; strengths are centred."""
    k = system.k
    cov = mode.cov[:k, :k]
    cov = cov - cov.mean(0)
    cov = cov - cov.mean(1)[:, None]
    theta = mode.point.theta
    bias, length, _, kappa = system.split(mode.point.sides)
    bias_sd, length_sd, *_ = system.split(np.sqrt(np.diag(mode.cov)[k:]))
    return Fit(
        posterior=Posterior(theta - theta.mean(), cov, found.prior_sd, mode.log_evidence),
        input_sd=found.input_sd,
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


def _reliability_sd(system: System, mode: Mode) -> FloatArray:
    """Of log a_r = c_r - log(share' e^c): the part of c that all raters have in common cancels."""
    if not system.with_reliability:
        return np.zeros(system.raters)
    end = mode.cov.shape[0] - system.q
    of_c = mode.cov[end - system.raters : end, end - system.raters : end]
    turned = np.eye(system.raters) - system.share * system.reliability(mode.point)
    sd: FloatArray = np.sqrt(np.diag(turned @ of_c @ turned.T))
    return sd
