"""How one simulated vote comes about in a world."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from optimizer.simulation.worlds import World
from optimizer.stats.tally import (
    BOTH_GOOD,
    FIRST,
    FIRST_CLEARLY,
    FIRST_SLIGHTLY,
    SECOND,
    SECOND_CLEARLY,
    SECOND_SLIGHTLY,
)

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Crowd:
    """The raters and inputs of one run."""

    effects: FloatArray | None  # (k, inputs) logits, rows and columns centred at zero over the inputs
    careless: NDArray[np.bool_]  # (raters,) who answer with a fair coin


def draw_crowd(world: World, rng: np.random.Generator) -> Crowd:
    """Draw what differs between the inputs and between the raters of one run."""
    manner = world.manner
    effects = None
    if manner.input_sd > 0.0:
        effects = rng.normal(0.0, manner.input_sd, (world.k, manner.inputs))
        effects -= effects.mean(1, keepdims=True)  # an arm's strength is its mean over the inputs
    careless = np.arange(manner.raters) < round(manner.careless_share * manner.raters)
    return Crowd(effects, careless)


def answer(
    world: World, crowd: Crowd, first: int, second: int, input_: int, rater: int, rng: np.random.Generator
) -> int:
    """One vote on ``first`` shown before ``second``: a column of the tally.

    Plain votes are logistic in the gap, with Davidson's ties where the world has them; a graded vote
    puts gap plus logistic noise between thresholds (the ordered logit), an honest ordinal rater.
    """
    manner = world.manner
    gap = world.gap[first, second] + manner.position_bias
    if crowd.effects is not None:
        gap += crowd.effects[first, input_] - crowd.effects[second, input_]
    if crowd.careless[rater] or (manner.lapse > 0.0 and rng.random() < manner.lapse):
        gap = 0.0
    if manner.thresholds is not None:
        return _graded(gap, manner.thresholds, rng)
    return _plain(gap, manner.tie_logit, rng)


def _plain(gap: float, tie_logit: float | None, rng: np.random.Generator) -> int:
    """Davidson (1970): win, tie, loss in the proportions e^(gap/2) : nu : e^(-gap/2)."""
    if tie_logit is None:
        return FIRST if rng.random() < expit(gap) else SECOND
    odds = np.exp(np.array([gap / 2, tie_logit, -gap / 2]) - max(abs(gap) / 2, tie_logit))
    return (FIRST, BOTH_GOOD, SECOND)[int(rng.choice(3, p=odds / odds.sum()))]


def _graded(gap: float, thresholds: tuple[float, float], rng: np.random.Generator) -> int:
    felt = gap + rng.logistic()
    slight, clear = thresholds
    if abs(felt) < slight:
        return BOTH_GOOD
    if felt > 0:
        return FIRST_CLEARLY if felt > clear else FIRST_SLIGHTLY
    return SECOND_CLEARLY if felt < -clear else SECOND_SLIGHTLY
