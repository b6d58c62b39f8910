"""An automatic run as it is kept: the plan, where it is, and what happened; enough to go on after a crash."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from optimizer.domain import PromptId, RaterId
from optimizer.evolution.plan import Plan, plan_body, plan_of
from optimizer.llm.budget import NOTHING, Spend
from optimizer.storage.documents import Document

KIND = "evolution"
MOST_POINTS = 400
MOST_NEWS = 200


class Phase(StrEnum):
    DUELS = "duels"
    PROPOSE = "propose"
    REVIEW = "review"  # proposals wait for a person
    GENERATE = "generate"


class State(StrEnum):
    RUNNING = "running"
    DONE = "done"  # all rounds are played, or the proposer has reached its goal
    ADVISED = "advised"  # rounds brought no better leader: the advice is to stop
    CANCELLED = "cancelled"
    SPENT = "spent"  # the budget leaves no room for another call
    STOPPED = "stopped"  # a fault; ``error`` says which

    @property
    def finished(self) -> bool:
        """Is there nothing to go on with?"""
        return self in (State.DONE, State.ADVISED)


@dataclass(frozen=True, slots=True)
class Point:
    """The chance (with its 90 % interval) of whoever led at that moment to beat the first prompt."""

    votes: int
    round: int
    leader: PromptId
    chance: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class News:
    """Something that happened, in a sentence."""

    at: datetime
    round: int
    text: str


@dataclass(frozen=True, slots=True)
class Record:
    """A run. ``round`` counts rounds of proposals begun; round 0 is the duels before the first one.

    first        the prompt that the leader is compared with: who led, or stood first, at the start
    votes_before, bad_before   that counted when the round's duels began
    targets      votes that each judge shall have when they end
    leaders      at the end of each round's duels
    retired      by this run; those of them that are in use again were brought back by a person
    """

    id: str
    plan: Plan
    began: datetime
    first: PromptId
    state: State = State.RUNNING
    phase: Phase = Phase.DUELS
    round: int = 0
    votes_before: int = 0
    bad_before: int = 0
    targets: Mapping[RaterId, int] = field(default_factory=dict)
    leaders: tuple[PromptId, ...] = ()
    retired: tuple[PromptId, ...] = ()
    points: tuple[Point, ...] = ()
    news: tuple[News, ...] = ()
    spent: Spend = NOTHING
    error: str = ""

    def told(self, at: datetime, text: str) -> "Record":
        """With a piece of news."""
        return replace(self, news=(*self.news, News(at, self.round, text))[-MOST_NEWS:])

    def with_point(self, point: Point) -> "Record":
        """With a point of the chart; when there are very many, every other one of the older ones goes."""
        points = (*self.points, point)
        if len(points) > MOST_POINTS:
            points = (*points[: MOST_POINTS // 2 : 2], *points[MOST_POINTS // 2 :])
        return replace(self, points=points)


def document_of(record: Record, version: int) -> Document:
    body = {**asdict(record), "plan": plan_body(record.plan), "began": record.began.isoformat()}
    body["news"] = [{**asdict(one), "at": one.at.isoformat()} for one in record.news]
    return Document(KIND, record.id, body, record.plan.study, version)


def record_of(document: Document) -> Record:
    """The run as it was written."""
    body: dict[str, Any] = dict(document.body)
    return Record(
        **{
            **body,
            "plan": plan_of(body["plan"]),
            "began": datetime.fromisoformat(body["began"]),
            "state": State(body["state"]),
            "phase": Phase(body["phase"]),
            "leaders": tuple(body["leaders"]),
            "retired": tuple(body["retired"]),
            "points": tuple(Point(**point) for point in body["points"]),
            "news": tuple(
                News(datetime.fromisoformat(one.pop("at")), **one) for one in map(dict, body["news"])
            ),
            "spent": Spend(**body["spent"]),
        }
    )
