"""When to stop asking: advice from the posterior, made to hold with a look after every vote."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from optimizer.stats.posterior import Posterior
from optimizer.stats.readouts import expected_regret, p_best

FloatArray = NDArray[np.float64]


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
    p_best: float  # of the leader
    p_near_best: float  # that no arm is better than the leader by more than the margin
    expected_regret: float  # of the leader, win probability
    more_votes: int | None  # about as many to reach the confidence; None when unknown or none are needed

    def sentence(self, names: list[str]) -> str:
        """The reason with the arms' names."""
        return self.reason.format(leader=names[self.leader], runner_up=names[self.runner_up])


def advise(
    posterior: Posterior,
    votes: float,
    rng: np.random.Generator,
    confidence: float = 0.95,
    margin: float = 0.05,
    p_cycle: float = 0.0,
    draws: FloatArray | None = None,
) -> Advice:
    """The advice after ``votes`` votes.

    ``confidence`` is the wanted probability of being right, ``margin`` the difference in win
    probability that does not matter, ``p_cycle`` the probability that the preferences run in a
    circle (``cycles.py``); ``draws`` (n, k) of the strengths where the caller has them already.
    """
    sample = posterior.draws(4000, rng) if draws is None else draws
    leader = posterior.leader
    if posterior.k == 1:
        reason = "{leader} is the only prompt."
        return Advice(AdviceKind.STOP, reason, 0, 0, 1.0, 1.0, 0.0, None)
    chance = float(p_best(sample)[leader])
    others = np.where(np.arange(posterior.k) == leader, -np.inf, (sample > sample[:, [leader]]).mean(0))
    runner_up = int(others.argmax())
    short = expit(sample.max(1) - sample[:, leader]) - 0.5
    near = float((short <= margin).mean())
    regret = expected_regret(sample, leader).win_probability
    more = None
    if p_cycle >= confidence:
        kind = AdviceKind.CYCLE
        reason = (
            "The preferences run in a circle: no prompt beats all the others, {leader} wins most on average."
        )
    elif chance >= confidence:
        kind = AdviceKind.STOP
        reason = f"{{leader}} is the best with a probability of {_percent(chance)}."
    elif near >= confidence:
        kind = AdviceKind.PRACTICALLY_EQUAL
        reason = (
            "{leader} and {runner_up} are practically equal: "
            f"no prompt is better than {{leader}} by more than {100 * margin:.0f} points "
            f"with a probability of {_percent(near)}."
        )
    else:
        kind = AdviceKind.KEEP_GOING
        more = _more_votes(chance, votes, confidence)
        reason = (
            f"{{leader}} leads and is the best with a probability of {_percent(chance)}; "
            f"{{runner_up}} may still overtake. About {more} more votes."
        )
    return Advice(kind, reason, leader, runner_up, chance, near, regret, more)


def _percent(chance: float) -> str:
    return f"{100 * min(chance, 0.999):.0f} %" if chance < 0.99 else f"{100 * min(chance, 0.999):.1f} %"


def _more_votes(chance: float, votes: float, confidence: float) -> int:
    """A first guess: evidence in logits of P(best) grows about linearly with votes."""
    reached = max(float(logit(np.clip(chance, 0.02, 0.98))) + 3.0, 0.3)
    wanted = float(logit(confidence)) + 3.0
    return max(1, int(np.ceil((max(votes, 5.0) * wanted / reached) - votes)))
