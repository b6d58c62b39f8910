"""The prior widths that matter: which pairs (s, s_e) the votes support, with the mode at each.

The grid of pairs is explored along a cross: s where inputs have no effect, then s_e at the best s, then s
again at the best s_e. Each way ends where a width no longer matters.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from optimizer.stats.bradley_terry import NEGLIGIBLE, log_hyper_prior
from optimizer.stats.likelihood import Slopes
from optimizer.stats.newton import Mode, climb
from optimizer.stats.system import Point, System

USUAL_PRIOR_SD = 1.0
USUAL_INPUT_SD = 0.5  # median of the log-normal hyper-prior of s_e > 0, whose log has sd 1
ROUGH = 1e-2  # tolerance of the modes: strengths are then good to about a hundredth of their doubt


@dataclass(frozen=True, slots=True)
class Trial:
    """A pair of widths, how well votes and hyper-prior support it, and the mode, roughly."""

    prior_sd: float
    input_sd: float
    support: float
    mode: Mode


def explore(
    plain: System, system: System, prior_sds: tuple[float, ...], input_sds: tuple[float, ...]
) -> list[Trial]:
    """The pairs of widths that matter: along s at s_e = 0, along s_e at the best s, along s again.

    ``plain`` is the system with its inputs pooled, which is all that s_e = 0 needs.
    """
    start = try_widths(plain, usual(prior_sds, USUAL_PRIOR_SD), input_sds[0], plain.origin)
    trials = _walk(plain, start, "prior_sd", prior_sds)
    if plain is not system:
        trials = [replace(trial, mode=_spread(trial.mode, system)) for trial in trials]
    best = max(trials, key=support_of)
    along = _walk(system, best, "input_sd", input_sds)
    found = {(trial.prior_sd, trial.input_sd): trial for trial in [*trials, *along]}
    best = max(along, key=support_of)
    if best.input_sd != input_sds[0]:
        for trial in _walk(system, best, "prior_sd", prior_sds):
            found[trial.prior_sd, trial.input_sd] = trial
    most = max(map(support_of, found.values()))
    return [trial for trial in found.values() if trial.support >= most - NEGLIGIBLE]


def _walk(
    system: System, best: Trial, name: Literal["prior_sd", "input_sd"], widths: tuple[float, ...]
) -> list[Trial]:
    """Trials along one width, both ways from where it stands, each way until they do not matter any more."""
    here = widths.index(best.prior_sd if name == "prior_sd" else best.input_sd)
    trials = [best]
    for path in (widths[here + 1 :], widths[:here][::-1]):
        last = best
        for width in path:
            if name == "prior_sd":
                last = try_widths(system, width, best.input_sd, last.mode.point, last.mode.slopes)
            else:
                last = try_widths(system, best.prior_sd, width, last.mode.point, last.mode.slopes)
            trials.append(last)
            if last.support < max(map(support_of, trials)) - NEGLIGIBLE:
                break
    return trials


def try_widths(
    system: System, prior_sd: float, input_sd: float, start: Point, slopes: Slopes | None = None
) -> Trial:
    """The mode at a pair of widths, and its support; ``slopes`` are those at the start if known."""
    mode = climb(system, prior_sd, input_sd, start, ROUGH, slopes)
    support = mode.log_evidence + log_hyper_prior(prior_sd)
    if input_sd > 0.0:
        support -= np.log(input_sd / USUAL_INPUT_SD) ** 2 / 2.0
    return Trial(prior_sd, input_sd, float(support), mode)


def _spread(mode: Mode, system: System) -> Mode:
    """A mode of the pooled system as one of the system that tells inputs apart, whose rows are others."""
    return replace(mode, point=replace(mode.point, u=system.origin.u), slopes=None)


def support_of(trial: Trial) -> float:
    """For ``max``."""
    return trial.support


def usual(widths: tuple[float, ...], value: float) -> float:
    """The width that is nearest to a value."""
    return min(widths, key=lambda width: abs(width - value))
