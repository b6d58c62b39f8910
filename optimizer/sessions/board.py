"""A session in figures, for the host's live board."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from optimizer.domain import utc_now
from optimizer.sessions.nouns import Goal, Seat, Session
from optimizer.sessions.quality import ratings, shared
from optimizer.sessions.service import raters_of
from optimizer.stats.agreement import Coefficient, krippendorff_alpha
from optimizer.stats.judge_bias import Rate, rate
from optimizer.storage.base import Answered, Store

RECENTLY = timedelta(minutes=3)  # over which votes per minute are counted


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one rater is."""

    seat: Seat
    votes: int
    last_at: datetime | None  # of the newest vote


@dataclass(frozen=True, slots=True)
class Figures:
    """A session at one moment. Votes are standing ones, skips and replays included; those of raters who are
    set aside are no part of what was agreed."""

    votes: int
    per_minute: float
    raters: tuple[Progress, ...]  # who voted most first
    agreed: Rate  # pairs of answers to shared duels that are the same
    goal_share: float | None  # how much of the goal is reached; None without a number

    @property
    def active(self) -> int:
        """Raters with at least one vote."""
        return sum(rater.votes > 0 for rater in self.raters)


class Board:
    """Reads a session's votes. Safe to share between threads."""

    def __init__(self, store: Store, clock: Callable[[], datetime] = utc_now) -> None:
        self._store = store
        self._clock = clock

    def figures(self, session: Session, seats: Sequence[Seat]) -> Figures:
        """As things are now. Reads all votes of the study: for the few who look at a board."""
        rows = self._rows(session)
        now = self._clock()
        votes = Counter(row.rater for row in rows)
        last = {row.rater: row.at for row in rows}  # in order of arrival
        here = [Progress(seat, votes[seat.rater], last.get(seat.rater)) for seat in raters_of(session, seats)]
        return Figures(
            len(rows),
            _per_minute(session, rows, now),
            tuple(sorted(here, key=lambda one: -one.votes)),
            _agreed(_trusted(rows)),
            self._goal_share(session),
        )

    def alpha(self, session: Session) -> Coefficient:
        """Krippendorff's coefficient on the session's shared duels. Takes a moment: once per state."""
        return krippendorff_alpha(ratings(_trusted(self._rows(session))), np.random.default_rng(0))

    def _rows(self, session: Session) -> list[Answered]:
        return [row for row in self._store.answered(session.study) if session.holds(row.rater)]

    def _goal_share(self, session: Session) -> float | None:
        if session.goal is not Goal.VOTES:
            return None
        return min(1.0, self._store.asking.answers(session.study, session.raters) / session.goal_votes)


def _trusted(rows: Sequence[Answered]) -> list[Answered]:
    """Without replays and without raters who are set aside, as the screen Raters compares them."""
    return [row for row in rows if row.counts]


def _per_minute(session: Session, rows: Sequence[Answered], now: datetime) -> float:
    """Over the last minutes, or since the opening where that was later."""
    since = max(now - RECENTLY, session.opened_at)
    minutes = max((now - since) / timedelta(minutes=1), 1 / 6)
    return sum(row.at > since for row in rows) / minutes


def _agreed(rows: Sequence[Answered]) -> Rate:
    hits = pairs = 0
    for said in shared(rows).values():
        counts = Counter(said.values()).values()
        hits += sum(n * (n - 1) // 2 for n in counts)
        pairs += len(said) * (len(said) - 1) // 2
    return rate(hits, pairs)
