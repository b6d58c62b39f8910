"""What to run, as plain data: who judges, how much, within which limits. It never holds a key."""

import hashlib
from dataclasses import dataclass, field
from typing import NamedTuple

from optimizer.domain import Connection, InputId, PromptId, Rater, RaterId, RaterKind, StudyId
from optimizer.judges import JUDGES, JudgeSettings
from optimizer.llm.budget import NO_LIMIT, Budget


@dataclass(frozen=True, slots=True)
class Seat:
    """One judge of a panel: a connection and how it is asked. Each is a rater of its own."""

    connection: str
    settings: JudgeSettings = field(default_factory=JudgeSettings)


class Match(NamedTuple):
    """A duel that is wanted whatever the selector thinks."""

    one: PromptId
    other: PromptId
    input: InputId


@dataclass(frozen=True, slots=True)
class Plan:
    """An automatic run.

    duels          votes that each judge shall have in the study when it ends, earlier ones included: the
                   same plan again goes on where it stopped
    calibrate      so many of the people's duels are judged first, so that the two can be compared
    matches        duels to be judged next, whatever the selector thinks
    follow         go on with the selector's choice after that
    until_advised  stop when the advice is to stop
    budget         of the run, over all judges; generated outputs have the study's own
    outputs        the connection that generates what is missing; None where all is there
    """

    study: StudyId
    panel: tuple[Seat, ...]
    duels: int = 100
    calibrate: int = 0
    matches: tuple[Match, ...] = ()
    follow: bool = True
    until_advised: bool = True
    budget: Budget = NO_LIMIT
    outputs: str | None = None


def judge_rater(study: StudyId, connection: Connection, settings: JudgeSettings) -> Rater:
    """The rater that a seat votes as: another model or way of judging is another rater."""
    what = "\n".join((study, connection.server.rstrip("/"), connection.model, settings.mode))
    digest = hashlib.sha256(what.encode()).hexdigest()[:16]
    name = f"{connection.model} ({JUDGES[settings.mode].label.lower()})"
    return Rater(RaterId(f"judge-{digest}"), study, name, RaterKind.JUDGE)
