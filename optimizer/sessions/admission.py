"""What a session says of one of its raters: may they be asked, may they vote, and on what terms.

The workshop asks before every duel and every vote, so a rater can do no more through a service than
through a screen. The rater's id names the session; for all others nothing is read.
"""

from collections.abc import Callable
from datetime import datetime

from optimizer.domain import InputId, PromptId, RaterId, Study
from optimizer.errors import GoalReached, NotAllowed, SessionClosed
from optimizer.sessions.codec import SESSION, read_session
from optimizer.sessions.nouns import Goal, Session, session_of
from optimizer.sessions.overlap import Shared, choose_shared
from optimizer.storage.base import Store

# Is the advice on this study to stop? None where that is not known here.
Advised = Callable[[Study], bool]


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

    def asks(self, study: Study, rater: RaterId, now: datetime) -> Study:
        """The study on the terms that this rater is asked about it. ``SessionClosed`` when the session is
        over, ``GoalReached`` when it has what it wants, ``NotAllowed`` on another study or in a room."""
        session = self.admit(rater, now)
        if session is None:
            return study
        if session.study != study.id:
            raise NotAllowed("This rater joined a session on another study.")
        if session.room:
            raise NotAllowed("In this session everyone sees the same pair, when the host shows it.")
        if self.reached(session, study):
            raise GoalReached("The goal of this session is reached. Thank you for your votes.")
        return session.terms(study, now)

    def reached(self, session: Session, study: Study) -> bool:
        """Does the session have what it wants?"""
        if session.goal is Goal.VOTES:
            return self._store.asking.answers(study.id, session.raters) >= session.goal_votes
        return session.goal is Goal.ADVICE and self._advised is not None and self._advised(study)

    def shared(
        self, rater: RaterId, now: datetime, holds: Callable[[InputId, PromptId, PromptId], bool]
    ) -> Shared | None:
        """A duel of somebody else that this rater should see too; ``holds`` says whether it may be asked
        still, or its input or one of its prompts was retired since."""
        session = self.session(rater)
        if session is None or session.overlap < 2 or session.overlap_share <= 0.0:
            return None
        turns = self._store.asking.turns(session.study, session.raters, session.overlap_share, now)
        newest = [turn for turn in turns if holds(turn.input, turn.first, turn.second)]
        return choose_shared(newest, rater, session.overlap, session.overlap_share)

    @staticmethod
    def _admit(session: Session | None, now: datetime) -> Session | None:
        if session is not None and not session.is_open(now):
            raise SessionClosed("The session is over. Thank you for your votes.")
        return session
