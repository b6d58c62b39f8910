"""A study, a clock that moves when told to, and a session on it that people join."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from optimizer.domain import (
    Batch,
    Input,
    InputId,
    Outcome,
    Output,
    OutputId,
    Prompt,
    PromptId,
    RaterId,
    Settings,
    Study,
    StudyId,
)
from optimizer.pairing import Pairing
from optimizer.results import Results
from optimizer.sessions import Session, Sessions
from optimizer.sessions.admission import Admission
from optimizer.sessions.nouns import SessionId
from optimizer.storage import open_store
from optimizer.storage.base import Store
from optimizer.workshop import Workshop

STUDY = StudyId("s")
QUIET = Settings(selector="random", audit_share=0.0, replay_share=0.0)


class Clock:
    def __init__(self) -> None:
        self.now = datetime.fromisoformat("2026-01-01T12:00:00+00:00")

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, **span: float) -> None:
        self.now += timedelta(**span)


def study_of(settings: Settings = QUIET, prompts: int = 4, inputs: int = 6) -> Batch:
    """A study whose every output exists."""
    arms = [Prompt(PromptId(f"p{i}"), STUDY, f"Prompt {i}", "{{x}}") for i in range(prompts)]
    rows = [Input(InputId(f"x{x}"), STUDY, {"x": str(x)}) for x in range(inputs)]
    outputs = [
        Output(OutputId(f"o{i}-{x}"), STUDY, arm.id, row.id, f"{arm.name} on {x}")
        for i, arm in enumerate(arms)
        for x, row in enumerate(rows)
    ]
    return Batch([Study(STUDY, "Test", settings=settings)], arms, rows, outputs)


@dataclass
class World:
    settings: Settings = QUIET
    clock: Clock = field(default_factory=Clock)
    store: Store = field(default_factory=lambda: open_store("memory://"))

    def __post_init__(self) -> None:
        self.store.add(study_of(self.settings))
        self.sessions = Sessions(self.store, self.clock)
        self.pairing = Pairing(self.store)
        self.workshop = Workshop(self.store, self.pairing, self.clock, Admission(self.store))
        self.results = Results(self.store)

    def open(self, minutes: float | None = None, **terms: object) -> Session:
        wanted = Session(SessionId(""), STUDY, "Monday", **terms)  # type: ignore[arg-type]
        return self.sessions.open(wanted, minutes)

    def join(self, session: Session, *names: str, group: str = "") -> list[RaterId]:
        return [self.sessions.join(session.id, f"token of {name}", name, group=group).rater for name in names]

    def vote(self, rater: RaterId, outcome: Outcome = Outcome.FIRST) -> None:
        shown = self.workshop.next_duel(STUDY, rater)
        self.workshop.record_vote(shown.duel.id, rater, outcome)
