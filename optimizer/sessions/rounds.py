"""One pair in front of a whole room, and what stage it is in."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from optimizer.domain import Duel, DuelId, InputId, OutputId, PromptId, RaterId, StudyId
from optimizer.sessions.codec import moment, study_of, told
from optimizer.sessions.nouns import SessionId
from optimizer.storage.documents import Document


class Stage(StrEnum):
    VOTING = "voting"
    REVEALED = "revealed"
    AGAIN = "again"  # the second vote, after a discussion
    REVEALED_AGAIN = "revealed_again"


@dataclass(frozen=True, slots=True)
class Round:
    """A pair, the same sides for everybody; ``root`` is the first rater's duel, which all others repeat."""

    id: str
    session: SessionId
    study: StudyId
    number: int  # from 1
    root: DuelId
    input: InputId
    first: OutputId
    second: OutputId
    first_prompt: PromptId
    second_prompt: PromptId
    selector: str
    reason: str
    audit: bool
    opened_at: datetime
    closes_at: datetime
    again_at: datetime | None = None
    again_closes_at: datetime | None = None

    def stage(self, now: datetime) -> Stage:
        if now < self.closes_at:
            return Stage.VOTING
        if self.again_closes_at is None:
            return Stage.REVEALED
        return Stage.AGAIN if now < self.again_closes_at else Stage.REVEALED_AGAIN

    def seconds_left(self, now: datetime) -> float:
        """Of the vote that is going on; 0 when none is."""
        ends = self.closes_at if self.again_closes_at is None else self.again_closes_at
        return max(0.0, (ends - now).total_seconds())

    def duel_id(self, rater: RaterId, again: bool) -> DuelId:
        """The same on every replica: a rater is asked once, whoever asks them."""
        told = f"{self.id}/{rater}/{'again' if again else 'first'}"
        return DuelId(hashlib.sha256(told.encode()).hexdigest()[:16])

    def duel(self, rater: RaterId, again: bool) -> Duel:
        """What this rater is asked. The second vote repeats their first one and never counts."""
        id, own = self.duel_id(rater, again), self.duel_id(rater, False)
        opened, closes = self.opened_at, self.closes_at
        if again:
            assert self.again_at is not None
            assert self.again_closes_at is not None
            opened, closes = self.again_at, self.again_closes_at
        return Duel(
            id,
            self.study,
            self.input,
            self.first,
            self.second,
            self.first_prompt,
            self.second_prompt,
            rater,
            self.selector,
            self.reason,
            self.audit and not again,
            opened,
            closes,
            again,
            own if again else None if id == self.root else self.root,
        )


def round_body(one: Round) -> dict[str, Any]:
    return {
        "session": one.session,
        "number": one.number,
        "root": one.root,
        "input": one.input,
        "first": one.first,
        "second": one.second,
        "first_prompt": one.first_prompt,
        "second_prompt": one.second_prompt,
        "selector": one.selector,
        "reason": one.reason,
        "audit": one.audit,
        "opened_at": told(one.opened_at),
        "closes_at": told(one.closes_at),
        "again_at": told(one.again_at),
        "again_closes_at": told(one.again_closes_at),
    }


def read_round(document: Document) -> Round:
    body = document.body
    return Round(
        document.id,
        SessionId(body["session"]),
        study_of(document),
        int(body["number"]),
        DuelId(body["root"]),
        InputId(body["input"]),
        OutputId(body["first"]),
        OutputId(body["second"]),
        PromptId(body["first_prompt"]),
        PromptId(body["second_prompt"]),
        str(body["selector"]),
        str(body["reason"]),
        bool(body["audit"]),
        datetime.fromisoformat(body["opened_at"]),
        datetime.fromisoformat(body["closes_at"]),
        moment(body.get("again_at")),
        moment(body.get("again_closes_at")),
    )
