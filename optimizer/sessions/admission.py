"""What a session says of one of its raters: may they be asked, may they vote, and on what terms.

The workshop asks before every duel and every vote, so a rater can do no more through a service than
through a screen. The rater's id names the session; for all others nothing is read.
"""

from collections.abc import Callable
from datetime import datetime

from optimizer.domain import RaterId, Study
from optimizer.errors import GoalReached, NotAllowed, SessionClosed
from optimizer.sessions.codec import SESSION, read_session
from optimizer.sessions.nouns import Goal, Session, session_of
from optimizer.storage.asking import Desk
from optimizer.storage.base import Counters, Store

# Is the advice on this study, which stands at these counters, to stop? None where that is not known here.
Advised = Callable[[Study, Counters], bool]


class Admission:
    """Reads sessions from the store; holds nothing of its own."""

    def __init__(self, store: Store, advised: Advised | None = None) -> None:
        self._store = store
        self._advised = advised

    def session(self, rater: RaterId, fresh: bool = False) -> Session | None:
        """The session that a rater joined; None for those who vote on a study of their own."""
        id = session_of(rater)
        document = None if id is None else self._store.documents.get(SESSION, id, fresh)
        return None if document is None else read_session(document)

    def admit(self, rater: RaterId, now: datetime) -> Session | None:
        """Their session, if they are in one; ``SessionClosed`` when it is over."""
        return self._admit(self.session(rater), now)

    def admit_vote(self, rater: RaterId, now: datetime) -> Session | None:
        """The same for what changes a vote: no replica takes one of a session that another one closed."""
        return self._admit(self.session(rater, fresh=True), now)

    def asks(self, session: Session | None, desk: Desk, now: datetime, votes_ahead: int = 0) -> Study:
        """The study of the desk on the terms that this session's raters are asked about it, or will be once
        so many votes ahead are cast.

        ``GoalReached`` when the session has what it wants, ``NotAllowed`` on another study or in a room.
        """
        if session is None:
            return desk.study
        if session.study != desk.study.id:
            raise NotAllowed("This rater joined a session on another study.")
        if session.room:
            raise NotAllowed("In this session everyone sees the same pair, when the host shows it.")
        if self.reached(session, desk.study, desk, votes_ahead):
            raise GoalReached("The goal of this session is reached. Thank you for your votes.")
        return session.terms(desk.study, now)

    def reached(self, session: Session, study: Study, desk: Desk | None = None, votes_ahead: int = 0) -> bool:
        """Does the session have what it wants? As the ``desk`` says, or else as the store says now."""
        if session.goal is Goal.VOTES:
            answers = desk.answers if desk else self._store.asking.answers(study.id, session.raters)
            return answers + votes_ahead >= session.goal_votes
        if session.goal is Goal.NONE or self._advised is None:
            return False
        return self._advised(study, desk.counters if desk else self._store.counters(study.id))

    @staticmethod
    def _admit(session: Session | None, now: datetime) -> Session | None:
        if session is not None and not session.is_open(now):
            raise SessionClosed("The session is over. Thank you for your votes.")
        return session
