"""A task is one piece of background work as it is kept, for whoever does it and whoever watches."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from optimizer.domain import StudyId, utc_now
from optimizer.evolution.plan import Plan as EvolutionPlan
from optimizer.generation.cells import Order
from optimizer.judging.plan import Plan as JudgingPlan
from optimizer.llm.budget import NOTHING, Spend

What = Order | JudgingPlan | EvolutionPlan


class Kind(StrEnum):
    GENERATE = "generate"
    JUDGE = "judge"
    EVOLVE = "evolve"


KINDS: Mapping[type, Kind] = {
    Order: Kind.GENERATE,
    JudgingPlan: Kind.JUDGE,
    EvolutionPlan: Kind.EVOLVE,
}


class State(StrEnum):
    QUEUED = "queued"  # no worker has it, or the one that had it is gone
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    SPENT = "spent"  # the budget leaves no room for another call
    STOPPED = "stopped"  # a fault; ``error`` says which

    @property
    def over(self) -> bool:
        return self not in (State.QUEUED, State.RUNNING)


@dataclass(frozen=True, slots=True)
class Status:
    """How far a task is. ``note``: what else there is to say, in a few words."""

    state: State = State.QUEUED
    done: int = 0
    total: int = 0
    failed: int = 0
    spent: Spend = NOTHING
    note: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """``worker``: who has it, or had it last; ``run``: the automatic run that it began, if it did."""

    id: str
    what: What
    status: Status = field(default_factory=Status)
    cancel: bool = False
    worker: str = ""
    run: str = ""
    asked_at: datetime = field(default_factory=utc_now)
    version: int = 0

    @property
    def kind(self) -> Kind:
        return KINDS[type(self.what)]

    @property
    def study(self) -> StudyId:
        return self.what.study
