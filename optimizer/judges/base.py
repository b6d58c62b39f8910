"""What a judge is: a rater that is not a person. It sees a question and gives a verdict, or none.

A judge never sees a prompt's text or name, and it never guesses: an answer that cannot be read is no
verdict (``NoVerdict``), not a random one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from optimizer.domain import Outcome


@dataclass(frozen=True, slots=True)
class Question:
    """All that a judge may know of a duel. ``criteria`` are those of the rubric, one each."""

    task: str
    criteria: tuple[str, ...]
    variables: Mapping[str, str]
    first: str
    second: str

    @property
    def swapped(self) -> "Question":
        """The same duel with the two outputs the other way round."""
        return replace(self, first=self.second, second=self.first)


class Mark(StrEnum):
    """Why a tie was recorded although nobody said so."""

    POSITION_DEPENDENT = "position_dependent"  # the two orders gave different answers
    UNDECIDED = "undecided"  # the repeats gave no majority


@dataclass(frozen=True, slots=True)
class Opinion:
    """One answer of a model to one question. ``by_criterion`` follows the question's criteria.

    ``p_first`` is the model's own probability that the first is better, a tie as half, from the
    log-probabilities of its answer; None where the server gives none. ``calls`` counts retries too.
    """

    outcome: Outcome
    reason: str
    by_criterion: tuple[Outcome | None, ...] = ()
    p_first: float | None = None
    calls: int = 1
    tokens: int = 0
    model: str = ""

    @property
    def swapped(self) -> "Opinion":
        """The same opinion, had the two outputs been shown the other way round."""
        return replace(
            self,
            outcome=self.outcome.swapped,
            by_criterion=tuple(None if said is None else said.swapped for said in self.by_criterion),
            p_first=None if self.p_first is None else 1.0 - self.p_first,
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a judge says of a duel, after all the answers that its mode asks for.

    ``margin`` is by how much of the answers the outcome leads the next likeliest, 0 to 1. ``said`` are the
    answers as they were given, each of what that request showed first and second; where both orders were
    asked, every other one is of the swapped duel.
    """

    outcome: Outcome
    reason: str
    by_criterion: tuple[Outcome | None, ...] = ()
    mark: Mark | None = None
    margin: float = 1.0
    p_first: float | None = None
    said: tuple[Outcome, ...] = ()
    calls: int = 1
    tokens: int = 0
    model: str = ""

    @property
    def certainty(self) -> float:
        """0 (a coin) to 1: the margin of the answers, and of the model's own probability if known."""
        if self.mark is not None:
            return 0.0
        if self.p_first is None or self.outcome not in (Outcome.FIRST, Outcome.SECOND):
            return self.margin
        return self.margin * abs(2.0 * self.p_first - 1.0)


class Judge(Protocol):
    """Gives verdicts; safe to share between threads.

    The contract, checked on every registered mode: a judge that prefers the better output says so
    whichever is shown first; the outcome speaks of the question's own first and second; an answer that
    cannot be read twice raises ``NoVerdict``, a fault of the server ``ProviderError``.
    """

    @property
    def name(self) -> str: ...

    def judge(self, question: Question) -> Verdict: ...
