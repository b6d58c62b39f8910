"""The nouns of sessions. All are frozen values, kept as documents (``codec.py``)."""

import hashlib
import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from optimizer.domain import RaterId, Study, StudyId, utc_now
from optimizer.storage.asking import Crowd

SessionId = NewType("SessionId", str)  # also the code that people type to join

# Letters and digits that nobody takes for another when read from a wall.
CODE_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
CODE_LENGTH = 6
_RATER = re.compile(rf"([{CODE_LETTERS}]{{{CODE_LENGTH}}})-[0-9a-f]{{12}}")


class Goal(StrEnum):
    """When a session has what it wants."""

    VOTES = "votes"  # so many votes of the people in it
    ADVICE = "advice"  # the advice on the study is to stop
    NONE = "none"  # when the host closes it, or its time is up


class Reveal(StrEnum):
    """When a rater learns which prompts they compared."""

    NEVER = "never"
    AFTER_VOTE = "after_vote"
    AT_END = "at_end"


@dataclass(frozen=True, slots=True)
class Session:
    """A study put to many people, on the host's terms.

    ``overlap`` raters see the same duel, on the share ``overlap_share`` of the duels; 1 means that nobody
    shares one. ``selector`` "" is the study's.
    """

    id: SessionId
    study: StudyId
    name: str
    instructions: str = ""
    room: bool = False  # everyone sees the same pair at the same time
    goal: Goal = Goal.NONE
    goal_votes: int = 0
    overlap: int = 1
    overlap_share: float = 0.0
    reasons: bool = True  # may raters say why?
    reveal: Reveal = Reveal.NEVER
    names_hidden: bool = True  # on the board, until the host shows them
    selector: str = ""
    groups: tuple[str, ...] = ()  # to be chosen from when joining
    lease_minutes: float = 30.0
    closes_at: datetime | None = None  # the time limit
    opened_at: datetime = field(default_factory=utc_now)
    closed_at: datetime | None = None
    archived_at: datetime | None = None

    def is_open(self, now: datetime) -> bool:
        """May people join and vote?"""
        in_time = self.closes_at is None or now < self.closes_at
        return self.closed_at is None and self.archived_at is None and in_time

    def left(self, now: datetime) -> timedelta | None:
        """The time that is left, not below zero; None without a limit."""
        return None if self.closes_at is None else max(self.closes_at - now, timedelta())

    def terms(self, study: Study, now: datetime) -> Study:
        """The study as this session's raters are asked about it and see it."""
        settings = replace(
            study.settings,
            selector=self.selector or study.settings.selector,
            lease_minutes=self.lease_minutes,
            reveal=self.reveals(now),
        )
        return replace(study, settings=settings)

    def reveals(self, now: datetime) -> bool:
        """May a rater see the names of the prompts that they compared?"""
        over = self.reveal is Reveal.AT_END and not self.is_open(now)
        return self.reveal is Reveal.AFTER_VOTE or over

    @property
    def raters(self) -> str:
        """How the ids of all its raters begin."""
        return f"{self.id}-"

    @property
    def crowd(self) -> Crowd:
        """What asking one of them must know of all."""
        return Crowd(self.raters, self.overlap_share if self.overlap > 1 else 0.0, self.goal is Goal.VOTES)

    def holds(self, rater: RaterId) -> bool:
        """Did this rater join here?"""
        return session_of(rater) == self.id


@dataclass(frozen=True, slots=True)
class Seat:
    """One person in one session; ``rater`` is who they are in the vote log."""

    rater: RaterId
    session: SessionId
    study: StudyId
    name: str
    group: str = ""
    practised: bool = False
    joined_at: datetime = field(default_factory=utc_now)


def rater_at(session: SessionId, person: str) -> RaterId:
    """The same person is the same rater whenever they come back; does not give their token away."""
    return RaterId(f"{session}-{hashlib.sha256(f'{session}/{person}'.encode()).hexdigest()[:12]}")


def place_of(person: str) -> str:
    """Where is kept what this browser's person does; does not give their token away."""
    return hashlib.sha256(f"person/{person}".encode()).hexdigest()[:32]


def session_of(rater: RaterId) -> SessionId | None:
    """The session that a rater joined; None for those who vote on a study of their own."""
    found = _RATER.fullmatch(rater)
    return SessionId(found[1]) if found else None
