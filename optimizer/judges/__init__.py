"""Judges: raters that are models. To add a way of judging: a file here and a line in the registry.

    base        Question, Opinion, Verdict, and what a judge promises
    structured  one JSON object from a model, about material that must not steer it
    reading     how an answer is read, or refused; soft: the model's own probability of it
    wording     how a duel is put to a model; asking: one opinion
    combining   several opinions as one verdict; pairwise: the ways of asking for them
    criteria    a draft of criteria; critic: the faults of two outputs
    scripted    judges with a known opinion

Whoever runs judges is in ``optimizer/judging``.
"""

from collections.abc import Callable
from dataclasses import dataclass

from optimizer.errors import BadInput
from optimizer.judges.asking import TOP_LOGPROBS, Asking
from optimizer.judges.base import Judge
from optimizer.judges.pairwise import BothOrders, Majority, OneOrder
from optimizer.judges.structured import Structured
from optimizer.llm.base import LanguageModel

MOST_REPEATS = 25


@dataclass(frozen=True, slots=True)
class JudgeSettings:
    """How a judge asks. ``repeats`` matters to the modes that repeat; ``temperature`` None leaves it to
    the connection; ``logprobs`` asks the server for the model's own probabilities."""

    mode: str = "both_orders"
    repeats: int = 3
    temperature: float | None = None
    logprobs: bool = False


@dataclass(frozen=True, slots=True)
class Mode:
    """A way of judging: ``answers(repeats)`` is how many it asks of the model for one duel."""

    label: str
    about: str
    both_orders: bool
    open: Callable[[Asking, int], Judge]
    answers: Callable[[int], int]


JUDGES: dict[str, Mode] = {
    "both_orders": Mode(
        "Both orders",
        "Asks twice, with the outputs swapped; different answers become a tie marked position-dependent.",
        True,
        lambda asking, _: BothOrders(asking),
        lambda _: 2,
    ),
    "one_order": Mode(
        "One order",
        "Asks once. Half the price, but a favourite position of the model goes into the votes.",
        False,
        lambda asking, _: OneOrder(asking),
        lambda _: 1,
    ),
    "majority": Mode(
        "Majority of repeats, both orders",
        "Repeats both orders and takes the majority; its margin says how sure the judge is.",
        True,
        lambda asking, repeats: Majority(BothOrders(asking), repeats),
        lambda repeats: 2 * repeats,
    ),
    "majority_one_order": Mode(
        "Majority of repeats, one order",
        "Repeats one order and takes the majority.",
        False,
        lambda asking, repeats: Majority(OneOrder(asking), repeats),
        lambda repeats: repeats,
    ),
}


def open_judge(model: LanguageModel, settings: JudgeSettings) -> Judge:
    """A judge on a model. ``BadInput`` lists the known modes."""
    if settings.mode not in JUDGES:
        raise BadInput(f"There is no way of judging '{settings.mode}'. Known are {', '.join(JUDGES)}.")
    if not 1 <= settings.repeats <= MOST_REPEATS:
        raise BadInput(f"A judge is asked 1 to {MOST_REPEATS} times, not {settings.repeats}.")
    asking = Asking(Structured(model, settings.temperature, TOP_LOGPROBS if settings.logprobs else None))
    return JUDGES[settings.mode].open(asking, settings.repeats)
