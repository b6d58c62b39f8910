"""How often somebody guessed wrong of late: at the host's password, or at the code of a session.

The notes are documents, so guesses count wherever they were made, whichever replica took them. One note is
kept of each address, under its hash, and one of all of them: who guesses from many addresses is stopped too.
"""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from optimizer.errors import Conflict, TooManyTries
from optimizer.sessions.notes import RACES
from optimizer.storage.base import Store
from optimizer.storage.documents import Document

WINDOW = timedelta(minutes=15)
ALL = "all"


@dataclass(frozen=True, slots=True)
class Limit:
    """How many wrong guesses are borne within the window, at what (as people call them)."""

    kind: str  # of the documents
    guesses: str
    from_one: int
    from_all: int


class Tries:
    """Counts wrong guesses. Keeps nothing in the process."""

    def __init__(self, store: Store, limit: Limit, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._limit = limit
        self._clock = clock

    def check(self, address: str) -> None:
        """``TooManyTries`` when there were too many wrong ones, from this address or from all."""
        now = self._clock()
        for whose, most in self._limits(address):
            known = self._store.documents.get(self._limit.kind, _id(whose))
            self._check(_recent(known, now), most, now)

    def add(self, address: str) -> datetime:
        """Note one; returns when, for ``take_back``. ``TooManyTries`` when there were too many before."""
        now = self._clock()
        for whose, most in self._limits(address):
            self._note(whose, most, now)
        return now

    def take_back(self, address: str, at: datetime) -> None:
        """The one that was noted then was not wrong."""
        for whose, _ in self._limits(address):
            self._forget(whose, at)

    def _limits(self, address: str) -> tuple[tuple[str, int], tuple[str, int]]:
        return (f"address/{address}", self._limit.from_one), (ALL, self._limit.from_all)

    def _check(self, recent: list[str], most: int, now: datetime) -> None:
        if len(recent) >= most:
            wait = datetime.fromisoformat(recent[0]) + WINDOW - now
            minutes = max(1, round(wait.total_seconds() / 60))
            raise TooManyTries(f"Too many wrong {self._limit.guesses}. Try again in {minutes} min.")

    def _note(self, whose: str, most: int, now: datetime) -> None:
        for _ in range(RACES):
            known = self._store.documents.get(self._limit.kind, _id(whose))
            recent = _recent(known, now)
            self._check(recent, most, now)
            with suppress(Conflict):
                self._put(whose, known, [*recent, now.isoformat()], now)
                return
        raise TooManyTries(
            f"Too many people try {self._limit.guesses} at this moment. Try again in a minute."
        )

    def _forget(self, whose: str, at: datetime) -> None:
        for _ in range(RACES):
            known = self._store.documents.get(self._limit.kind, _id(whose))
            left = _recent(known, at)
            if at.isoformat() not in left:
                return
            left.remove(at.isoformat())
            with suppress(Conflict):
                self._put(whose, known, left, at)
                return

    def _put(self, whose: str, known: Document | None, at: list[str], now: datetime) -> None:
        version = 0 if known is None else known.version
        self._store.documents.put(Document(self._limit.kind, _id(whose), {"at": at}, None, version, now))


def _id(whose: str) -> str:
    """Does not give the address away."""
    return hashlib.sha256(whose.encode()).hexdigest()[:32]


def _recent(tries: Document | None, now: datetime) -> list[str]:
    if tries is None:
        return []
    return [at for at in tries.body["at"] if datetime.fromisoformat(at) > now - WINDOW]
