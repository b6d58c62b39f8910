"""Sessions as a host runs them, and how people take a seat in one."""

import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

from optimizer.checks import check_text, clean_name
from optimizer.domain import Batch, Rater, RaterId, StudyId, utc_now
from optimizer.errors import BadInput, Conflict, NotFound, SessionClosed
from optimizer.selectors import SELECTORS
from optimizer.sessions.codec import PLACE, SEAT, SESSION, read_seat, read_session, seat_body, session_body
from optimizer.sessions.notes import RACES, write_over
from optimizer.sessions.nouns import (
    CODE_LENGTH,
    CODE_LETTERS,
    Goal,
    Seat,
    Session,
    SessionId,
    place_of,
    rater_at,
)
from optimizer.sessions.tries import Limit, Tries
from optimizer.storage.base import Store
from optimizer.storage.documents import Document

MOST_RATERS = 20  # who may see the same duel
MOST_MINUTES = 30 * 24 * 60
MOST_GROUPS = 20
# A room behind one address may mistype as often; of the 31^6 codes so many guesses find none.
WRONG_CODES = Limit("code_tries", "codes", from_one=50, from_all=1000)


class Sessions:
    """Opens, closes and finds sessions. Keeps nothing in the process: any replica may serve any person."""

    def __init__(self, store: Store, clock: Callable[[], datetime] = utc_now) -> None:
        self._store = store
        self._clock = clock
        self._tries = Tries(store, WRONG_CODES, clock)

    # -- the host -----------------------------------------------------------------------------
    def open(self, wanted: Session, minutes: float | None = None) -> Session:
        """Open a session on these terms, under a fresh code, for so many minutes or without a limit."""
        now = self._clock()
        session = check_terms(
            replace(
                wanted,
                name=clean_name("session", wanted.name),
                instructions=check_text("instructions", wanted.instructions.strip()),
                groups=_clean_groups(wanted.groups),
                closes_at=_limit(now, minutes),
                opened_at=now,
                closed_at=None,
                archived_at=None,
            )
        )
        while True:
            code = SessionId("".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH)))
            with suppress(Conflict):  # the code is taken
                return self._put(replace(session, id=code), 0)

    def close(self, id: SessionId) -> Session:
        """Nobody votes in it any more; it can be reopened."""
        return self._change(id, closed_at=self._clock())

    def reopen(self, id: SessionId, minutes: float | None = None) -> Session:
        """Votes are taken again, for so many minutes more or without a limit."""
        return self._change(id, closed_at=None, archived_at=None, closes_at=_limit(self._clock(), minutes))

    def archive(self, id: SessionId) -> Session:
        """Closed, and out of the way; ``reopen`` brings it back."""
        now = self._clock()
        return self._change(id, closed_at=self.session(id).closed_at or now, archived_at=now)

    def lift_goal(self, id: SessionId) -> Session:
        """Votes are asked for until it is closed, whatever its goal was."""
        return self._change(id, goal=Goal.NONE, goal_votes=0)

    def show_names(self, id: SessionId, shown: bool) -> Session:
        """Name the prompts on the board, or hide the names again."""
        return self._change(id, names_hidden=not shown)

    def session(self, id: SessionId) -> Session:
        return read_session(self._document(id))

    def answers(self, session: Session) -> int:
        """How many votes of its people stand: what a goal counts. Skips are left out, and whoever is set
        aside; judges, and people who vote on the study elsewhere, are none of its people."""
        return self._store.asking.answers(session.study, session.raters)

    def all(self, study: StudyId) -> list[Session]:
        """Of a study, newest first, archived ones too."""
        found = [read_session(document) for document in self._store.documents.all(SESSION, study)]
        return sorted(found, key=lambda session: session.opened_at, reverse=True)

    def seats(self, study: StudyId) -> list[Seat]:
        """Everybody who joined a session on this study, in order of arrival."""
        return [read_seat(document) for document in self._store.documents.all(SEAT, study)]

    # -- the rater ----------------------------------------------------------------------------
    def by_code(self, code: str, address: str = "") -> Session:
        """The session of a code, however it was typed. ``NotFound``, or ``SessionClosed`` when it is over;
        ``TooManyTries`` when too many codes were wrong: from this address, or from all."""
        # A right code writes nothing, as a whole room joins at once: guesses that are under way together
        # are checked before any of them counts.
        self._tries.check(address)
        typed = "".join(letter for letter in code.upper() if letter.isalnum())
        try:
            session = self.session(SessionId(typed))
        except NotFound:
            self._tries.add(address)
            raise NotFound(f"No session has the code '{code.strip()[:20]}'. Look at it again.") from None
        if not session.is_open(self._clock()):
            raise SessionClosed(f"The session '{session.name}' is over.")
        return session

    def join(self, code: str, person: str, name: str, group: str = "", address: str = "") -> Seat:
        """Take a seat. Who comes back gets the one they had, with its open duel, under the name given now."""
        session = self.by_code(code, address)
        name = clean_name("rater", name)
        if session.groups and group not in session.groups:
            raise BadInput("Choose the group that you belong to.")
        rater = rater_at(session.id, person)
        name = self._free(name, session, rater)
        known = self._store.documents.get(SEAT, rater)
        old = None if known is None else read_seat(known)
        seat = Seat(
            rater,
            session.id,
            session.study,
            name,
            group if session.groups else "",
            old is not None and old.practised,
            self._clock() if old is None else old.joined_at,
        )
        if old is None:
            with suppress(Conflict):  # the same person's other tab was quicker
                self._store.add(Batch(raters=[Rater(rater, session.study, name, created_at=seat.joined_at)]))
        elif old.name != name:
            self._store.replace(replace(self._store.rater(rater), name=name))
        write_over(self._store, SEAT, rater, seat_body(seat), self._clock(), session.study)
        write_over(self._store, PLACE, place_of(person), {"rater": rater}, self._clock())
        return seat

    def seat(self, person: str) -> Seat | None:
        """Where this person sits; None when they joined nothing, or left."""
        place = self._store.documents.get(PLACE, place_of(person))
        if place is None:
            return None
        seat = self._store.documents.get(SEAT, str(place.body["rater"]))
        return None if seat is None else read_seat(seat)

    def practised(self, seat: Seat) -> None:
        """They have seen how it works: from now on their votes are asked for."""
        body = seat_body(replace(seat, practised=True))
        write_over(self._store, SEAT, seat.rater, body, self._clock(), seat.study)

    def leave(self, person: str) -> None:
        """Give up the seat in this browser. Votes stay; whoever joins again has the same seat."""
        place = self._store.documents.get(PLACE, place_of(person))
        if place is not None:
            with suppress(Conflict):  # left in another tab, or joined elsewhere
                self._store.documents.remove(place)

    def _free(self, name: str, session: Session, rater: RaterId) -> str:
        """The name, or 'Ann 2' where another Ann sits already: the host must tell them apart."""
        others = raters_of(session, self.seats(session.study))
        taken = {seat.name.casefold() for seat in others if seat.rater != rater}
        names = (name if number == 1 else f"{name} {number}" for number in count(1))
        return next(free for free in names if free.casefold() not in taken)

    def _document(self, id: SessionId) -> Document:
        document = self._store.documents.get(SESSION, id)
        if document is None:
            raise NotFound(f"There is no session '{id}'.")
        return document

    # -- writing ------------------------------------------------------------------------------
    def _change(self, id: SessionId, **fields: datetime | Goal | bool | int | None) -> Session:
        """Change a session as it stands now; whoever else changes it at the same time is not overwritten."""
        for _ in range(RACES):
            document = self._document(id)
            session = read_session(document)
            with suppress(Conflict):
                changed = replace(session, **fields)  # type: ignore[arg-type]  # the callers are above
                return self._put(changed, document.version)
        raise Conflict("This session is being changed by others. Try again.")

    def _put(self, session: Session, version: int) -> Session:
        body = session_body(session)
        self._store.documents.put(Document(SESSION, session.id, body, session.study, version, self._clock()))
        return session


def check_terms(session: Session) -> Session:
    """The session itself; ``BadInput`` names what makes no sense."""
    if session.selector and session.selector not in SELECTORS:
        raise BadInput(f"There is no selector '{session.selector}'. Known are {', '.join(SELECTORS)}.")
    if session.goal is Goal.VOTES and session.goal_votes < 1:
        raise BadInput("The goal is a number of votes: at least 1.")
    if not 1 <= session.overlap <= MOST_RATERS:
        raise BadInput(f"A duel may be seen by 1 to {MOST_RATERS} raters, not {session.overlap}.")
    if not 0.0 <= session.overlap_share <= 1.0:
        raise BadInput(f"The share of shared duels is {session.overlap_share:g}; it lies between 0 and 1.")
    if not 1.0 <= session.lease_minutes <= MOST_MINUTES:
        raise BadInput(f"A duel is kept for a rater for 1 to {MOST_MINUTES:,} minutes.")
    return session


def raters_of(session: Session, seats: Sequence[Seat]) -> list[Seat]:
    """Those of the seats that are in this session."""
    return [seat for seat in seats if session.holds(seat.rater)]


def _clean_groups(groups: tuple[str, ...]) -> tuple[str, ...]:
    kept = tuple(dict.fromkeys(clean_name("group", group) for group in groups if group.strip()))
    if len(kept) == 1 or len(kept) > MOST_GROUPS:
        raise BadInput(f"Groups are none, or 2 to {MOST_GROUPS}; there are {len(kept)}.")
    return kept


def _limit(now: datetime, minutes: float | None) -> datetime | None:
    if minutes is None:
        return None
    if not 1.0 <= minutes <= MOST_MINUTES:
        raise BadInput(f"A time limit is 1 to {MOST_MINUTES:,} minutes, not {minutes:g}.")
    return now + timedelta(minutes=minutes)
