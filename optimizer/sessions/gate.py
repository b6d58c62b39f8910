"""Who may host: one password, kept as an argon2id hash, and the browsers that gave it.

Everything is a document, so any replica lets in whom another let in, and wrong passwords count wherever
they were tried. A login belongs to the browser's secret token and to the password of its time: a new
password ends all of them.
"""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from optimizer.domain import utc_now
from optimizer.errors import BadInput, Conflict, NotAllowed
from optimizer.sessions.codec import told
from optimizer.sessions.notes import write_over
from optimizer.sessions.nouns import place_of
from optimizer.sessions.tries import Limit, Tries
from optimizer.storage.base import Store

PASSWORD, LOGIN = "host_password", "host_login"  # kinds of documents
SHORTEST, LONGEST = 10, 1000  # characters of a password
LOGIN_LASTS = timedelta(days=7)
WRONG_PASSWORDS = Limit("host_tries", "passwords", from_one=5, from_all=50)
HASHED = "$argon2"


class Gate:
    """Sets and checks the host's password. Keeps nothing in the process."""

    def __init__(self, store: Store, clock: Callable[[], datetime] = utc_now) -> None:
        self._store = store
        self._clock = clock
        self._tries = Tries(store, WRONG_PASSWORDS, clock)
        self._hasher = PasswordHasher()  # RFC 9106, low-memory profile

    def adopt(self, setting: str) -> None:
        """Let the installation's setting, a password or its argon2 hash, be the password from now on."""
        if not setting:
            return
        known = self._hash()
        if setting.startswith(HASHED):
            if known != setting:
                self._keep(setting)
        elif known is None or not self._matches(known, setting):
            self.set_password(setting)

    def has_password(self) -> bool:
        return self._hash() is not None

    def set_password(self, password: str) -> None:
        """The password from now on; whoever logged in with another must do so again."""
        self._keep(self.hashed(password))

    def hashed(self, password: str) -> str:
        """Its argon2id hash, as it may stand in the installation's settings. ``BadInput`` when too short."""
        if not SHORTEST <= len(password) <= LONGEST:
            raise BadInput(f"A host password has {SHORTEST} to {LONGEST:,} characters.")
        return self._hasher.hash(password)

    def log_in(self, password: str, person: str, address: str) -> None:
        """This browser may host from now on. ``NotAllowed`` when the password is wrong, ``TooManyTries`` when
        too many were: from this address, or from all."""
        known = self._hash()
        if known is None:
            raise NotAllowed("No host password is set.")
        # Counted before the password is looked at: tries at the same moment cannot slip by together.
        counted = self._tries.add(address)
        if not self._matches(known, password):
            raise NotAllowed("That is not the host password.")
        self._tries.take_back(address, counted)
        body = {"until": told(self._clock() + LOGIN_LASTS), "of": _print(known)}
        write_over(self._store, LOGIN, place_of(person), body, self._clock())

    def is_host(self, person: str) -> bool:
        """Did this browser give the present password, not too long ago?"""
        login = self._store.documents.get(LOGIN, place_of(person))
        if login is None or datetime.fromisoformat(str(login.body["until"])) <= self._clock():
            return False
        known = self._hash()
        return known is not None and login.body["of"] == _print(known)

    def log_out(self, person: str) -> None:
        login = self._store.documents.get(LOGIN, place_of(person))
        if login is not None:
            with suppress(Conflict):  # logged out in another tab
                self._store.documents.remove(login)

    def _hash(self) -> str | None:
        document = self._store.documents.get(PASSWORD, PASSWORD)
        return None if document is None else str(document.body["hash"])

    def _keep(self, hashed: str) -> None:
        write_over(self._store, PASSWORD, PASSWORD, {"hash": hashed}, self._clock())

    def _matches(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password[: LONGEST + 1])
        except (VerificationError, InvalidHashError):
            return False


def _print(hashed: str) -> str:
    """Which password it is, without giving it away."""
    return hashlib.sha256(hashed.encode()).hexdigest()[:16]
