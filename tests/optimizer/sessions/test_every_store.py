"""A whole session on each registered store: what other tests check in memory must hold on disk as well."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from optimizer.domain import Outcome
from optimizer.errors import NotAllowed, SessionClosed
from optimizer.sessions.board import Board
from optimizer.sessions.gate import Gate
from optimizer.sessions.quality import Quality
from optimizer.sessions.room import Room
from optimizer.storage import STORES, open_store
from optimizer.storage.base import Store
from tests.optimizer.session_world import STUDY, World


@pytest.fixture(params=sorted(STORES))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "postgresql":
        address = request.getfixturevalue("postgres").empty_database()
    else:
        address = f"{request.param}:///{tmp_path / 'duels.db'}"
    made = open_store(address)
    yield made
    assert made.check() == []
    made.close()


def test_people_vote_on_shared_duels_until_it_is_closed(store: Store) -> None:
    world = World(store=store)
    session = world.open(overlap=2, overlap_share=1.0, groups=("Sales", "Support"))
    ann, bob = world.join(session, "Ann", "Bob", group="Sales")
    for _ in range(4):
        world.vote(ann)
        world.vote(bob)
    figures = Board(store, world.clock).figures(session, world.sessions.seats(STUDY))
    assert figures.votes == 8
    assert figures.agreed.n == 4
    assert [report.votes for report in Quality(store, world.clock).reports(STUDY)] == [4, 4]
    world.sessions.close(session.id)
    with pytest.raises(SessionClosed):
        world.vote(ann)
    seat = world.sessions.seat("token of Ann")
    assert seat is not None
    assert (seat.rater, seat.group) == (ann, "Sales")
    world.sessions.leave("token of Ann")
    assert world.sessions.seat("token of Ann") is None


def test_a_room_votes_twice(store: Store) -> None:
    world = World(store=store)
    session = world.open(room=True)
    people = world.join(session, "Ann", "Bob")
    room = Room(store, world.pairing, world.clock)
    shown = room.show_next(session, world.sessions.seats(STUDY), 30)
    for again in (False, True):
        for rater, outcome in zip(people, (Outcome.FIRST, Outcome.SECOND), strict=True):
            duel = room.duel(shown, rater)
            assert duel is not None
            world.workshop.record_vote(duel.id, rater, Outcome.FIRST if again else outcome)
        world.clock.pass_time(seconds=31)
        if not again:
            shown = room.vote_again(session, world.sessions.seats(STUDY), 30)
    (both,) = room.rounds(session)
    assert both.before.counts == (1, 0, 0, 1)
    assert both.after is not None
    assert both.after.counts == (2, 0, 0, 0)


def test_the_gate_opens_for_the_password(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("optimizer.sessions.gate.PasswordHasher", lambda: PasswordHasher(1, 8, 1))  # quick
    gate = Gate(store)
    gate.set_password("correct horse battery")
    with pytest.raises(NotAllowed):
        gate.log_in("wrong", "ann", "")
    gate.log_in("correct horse battery", "ann", "")
    assert Gate(store).is_host("ann")
