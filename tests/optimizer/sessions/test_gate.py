"""The host's password: hashed, rate-limited over replicas, and a new one ends all logins."""

import pytest
from argon2 import PasswordHasher

from optimizer.errors import BadInput, NotAllowed, TooManyTries
from optimizer.sessions.gate import LOGIN_LASTS, WRONG_PASSWORDS, Gate
from optimizer.sessions.tries import WINDOW
from optimizer.storage import open_store
from optimizer.storage.base import Store
from tests.optimizer.session_world import Clock

GOOD = "correct horse battery"


@pytest.fixture(autouse=True)
def cheap_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same algorithm with the least work, so that fifty wrong passwords take no seconds."""
    monkeypatch.setattr("optimizer.sessions.gate.PasswordHasher", lambda: PasswordHasher(1, 8, 1))


@pytest.fixture
def store() -> Store:
    return open_store("memory://")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gate(store: Store, clock: Clock) -> Gate:
    made = Gate(store, clock)
    made.set_password(GOOD)
    return made


def test_only_the_hash_is_kept(gate: Gate, store: Store) -> None:
    (document,) = store.documents.all("host_password")
    assert str(document.body["hash"]).startswith("$argon2id$")
    assert GOOD not in str(document)
    with pytest.raises(BadInput):
        gate.set_password("short")


def test_who_gave_the_password_hosts_for_a_while_on_every_replica(
    gate: Gate, store: Store, clock: Clock
) -> None:
    other = Gate(store, clock)
    assert not other.is_host("ann")
    gate.log_in(GOOD, "ann", "1.2.3.4")
    assert other.is_host("ann")
    assert not other.is_host("bob")
    clock.now += LOGIN_LASTS
    assert not other.is_host("ann")


def test_logging_out_and_a_new_password_end_it(gate: Gate) -> None:
    gate.log_in(GOOD, "ann", "1.2.3.4")
    gate.log_out("ann")
    assert not gate.is_host("ann")
    gate.log_in(GOOD, "ann", "1.2.3.4")
    gate.set_password(GOOD)  # even to the same one
    assert not gate.is_host("ann")


def test_wrong_passwords_are_limited_wherever_they_are_tried(gate: Gate, store: Store, clock: Clock) -> None:
    replicas = [gate, Gate(store, clock)]
    for number in range(WRONG_PASSWORDS.from_one):
        with pytest.raises(NotAllowed, match="not the host password"):
            replicas[number % 2].log_in("wrong", f"person {number}", "6.6.6.6")
        clock.pass_time(seconds=1)
    with pytest.raises(TooManyTries, match="15 min"):
        gate.log_in(GOOD, "person", "6.6.6.6")  # the right one does not get through either
    gate.log_in(GOOD, "ann", "1.2.3.4")  # another address does
    clock.now += WINDOW
    gate.log_in(GOOD, "person", "6.6.6.6")


def test_many_addresses_together_are_limited_too(gate: Gate, clock: Clock) -> None:
    for number in range(WRONG_PASSWORDS.from_all):
        with pytest.raises(NotAllowed):
            gate.log_in("wrong", "person", f"6.6.6.{number}")
        clock.pass_time(seconds=1)
    with pytest.raises(TooManyTries):
        gate.log_in(GOOD, "ann", "1.2.3.4")


def test_right_passwords_are_not_counted(gate: Gate) -> None:
    for number in range(3 * WRONG_PASSWORDS.from_one):
        gate.log_in(GOOD, f"person {number}", "1.2.3.4")


def test_the_setting_becomes_the_password(store: Store, clock: Clock) -> None:
    gate = Gate(store, clock)
    gate.adopt("")
    assert not gate.has_password()
    with pytest.raises(NotAllowed):
        gate.log_in(GOOD, "ann", "1.2.3.4")
    gate.adopt(GOOD)
    gate.log_in(GOOD, "ann", "1.2.3.4")
    gate.adopt(GOOD)  # another start with the same setting ends no login
    assert gate.is_host("ann")
    gate.adopt(gate.hashed("another password"))
    assert not gate.is_host("ann")
    gate.log_in("another password", "ann", "1.2.3.4")
