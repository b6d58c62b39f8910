"""When to stop asking: advice from the posterior, which holds though one looks after every vote.

Stop when the leader is the best with the wanted probability. Looking after every vote does no harm by itself:
a posterior probability is right, on average over the prior, whenever one looks (Rouder 2014, "Optional
stopping: no problem for Bayesians"). What could break it is a wrong model, so the prior width is chosen by
evidence, the model may know of position, ties and inputs, and ``benchmarks/calibration.py`` measures it in
worlds that the model is wrong about: of the runs that stopped at 95 %, 95 % or more were right in each.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from optimizer.stats.cycles import CycleCheck
from optimizer.stats.forecast import votes_to_decision
from optimizer.stats.posterior import Posterior
from optimizer.stats.readouts import expected_regret, p_best

FloatArray = NDArray[np.float64]

DRAWS = 4000
NO_WINNER = 0.5  # probability that some arm beats all others, below which there is no single winner


class AdviceKind(StrEnum):
    KEEP_GOING = "keep_going"
    STOP = "stop"
    PRACTICALLY_EQUAL = "practically_equal"
    CYCLE = "cycle"


@dataclass(frozen=True, slots=True)
class Advice:
    """Whether the votes suffice, and why.

    ``reason`` is a sentence with {leader} and {runner_up} where their names belong; ``sentence``
    fills them in. ``runner_up`` is the arm most likely to be better than the leader.
    """

    kind: AdviceKind
    reason: str
    leader: int
    runner_up: int
    p_best: float  # of the leader; where a circle is likely, that it beats every other arm
    # The rest goes by strengths, in a circle too.
    p_near_best: float  # that no arm is better than the leader by more than the margin
    expected_regret: float  # of the leader, win probability
    more_votes: int | None  # about as many until the advice changes to stop; None when unknown or not wanted

    def sentence(self, names: Sequence[str]) -> str:
        """The reason with the arms' names."""
        return self.reason.format(leader=names[self.leader], runner_up=names[self.runner_up])


def advise(
    posterior: Posterior,
    votes: float,
    rng: np.random.Generator,
    confidence: float = 0.95,
    margin: float = 0.05,
    cycles: CycleCheck | None = None,
    draws: FloatArray | None = None,
    forecast: bool = True,
) -> Advice:
    """The advice after ``votes`` votes.

    ``confidence`` is the wanted probability of being right, ``margin`` the difference in win
    probability that does not matter; ``cycles`` (``cycles.py``) of the same arms says whether the
    preferences run in a circle; ``draws`` (n, k) of the strengths where the caller has them already;
    without ``forecast`` the number of votes that are still needed is left out, which is faster.

    Where a circle is likelier than not, the leader is whoever most plausibly beats every other arm, and it
    has to do that, rather than to be the strongest, with the wanted probability.

    Practically equal means both: with the wanted probability no arm is better than the leader by more than
    the margin, and the leader's own estimated advantage over the runner-up is within the margin.
    """
    circle = cycles if cycles is not None and cycles.likely else None
    leader = posterior.leader if circle is None else circle.leader
    if posterior.k == 1:
        return Advice(AdviceKind.STOP, "{leader} is the only prompt.", 0, 0, 1.0, 1.0, 0.0, None)
    sample = posterior.draws(DRAWS, rng) if draws is None else draws
    chance = float(p_best(sample)[leader] if circle is None else circle.p_unbeaten[leader])
    better = (sample > sample[:, [leader]]).mean(0)
    better[leader] = -1.0
    runner_up = int(np.lexsort((posterior.mean, better))[-1])
    near = float((expit(sample.max(1) - sample[:, leader]) - 0.5 <= margin).mean())
    advantage = float(expit(sample[:, leader] - sample[:, runner_up]).mean()) - 0.5
    kind = _kind(chance, near, advantage, circle, votes, confidence, margin)
    more = None
    if kind is AdviceKind.KEEP_GOING and forecast and circle is None:
        more = votes_to_decision(posterior, rng, confidence, margin)
    reason = _reason(kind, chance, near, circle, votes, margin, more)
    regret = expected_regret(sample, leader).win_probability
    return Advice(kind, reason, leader, runner_up, chance, near, regret, more)


def _kind(
    chance: float,
    near: float,
    advantage: float,
    circle: CycleCheck | None,
    votes: float,
    confidence: float,
    margin: float,
) -> AdviceKind:
    if votes == 0:
        return AdviceKind.KEEP_GOING
    if chance >= confidence:
        return AdviceKind.STOP
    if circle is not None and circle.p_cycle < confidence:
        return AdviceKind.KEEP_GOING
    if circle is not None and circle.p_unbeaten.sum() < NO_WINNER:
        return AdviceKind.CYCLE
    if near >= confidence and advantage <= margin:
        return AdviceKind.PRACTICALLY_EQUAL
    return AdviceKind.KEEP_GOING


def _reason(
    kind: AdviceKind,
    chance: float,
    near: float,
    circle: CycleCheck | None,
    votes: float,
    margin: float,
    more: int | None,
) -> str:
    """One sentence or two, with the names left open."""
    if votes == 0:
        return "Nobody has voted yet."
    if circle is not None and kind is not AdviceKind.PRACTICALLY_EQUAL:
        return _in_a_circle(kind, chance, circle)
    if kind is AdviceKind.STOP:
        return f"{{leader}} is the best with a probability of {percent(chance)}."
    if kind is AdviceKind.PRACTICALLY_EQUAL:
        return (
            "{leader} and {runner_up} are practically equal: with a probability of "
            f"{percent(near)} no prompt is better than {{leader}} by more than {100 * margin:g} points."
        )
    needed = "Many more votes are needed." if more is None else f"About {more} more {_votes(more)}."
    return f"{{leader}} leads and is the best with a probability of {percent(chance)}. {needed}"


def _in_a_circle(kind: AdviceKind, chance: float, circle: CycleCheck) -> str:
    sure = percent(circle.p_cycle)
    if kind is AdviceKind.STOP:
        return (
            f"{{leader}} beats every other prompt with a probability of {percent(chance)}. "
            f"Others beat each other in a circle, with a probability of {sure}, so no order of them is right."
        )
    if kind is AdviceKind.CYCLE:
        return (
            f"The preferences run in a circle, with a probability of {sure}: "
            "there are prompts that beat each other in turn, so no single order is right. "
            "{leader} comes nearest to beating every other one."
        )
    return (
        f"The preferences probably run in a circle ({sure}). "
        f"{{leader}} beats every other prompt with a probability of {percent(chance)}; more votes may tell."
    )


def percent(chance: float) -> str:
    """A probability for people; never a round 100 %."""
    return f"{100 * chance:.0f} %" if chance < 0.985 else f"{100 * min(chance, 0.999):.1f} %"


def _votes(number: int) -> str:
    return "vote" if number == 1 else "votes"
