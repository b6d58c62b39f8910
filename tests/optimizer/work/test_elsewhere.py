"""Runs of one server as others see them: told of, stopped, silent when it was killed, taken over."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from optimizer.domain import Outcome
from optimizer.evolution.record import State as Evolving
from optimizer.judges.scripted import always, judging_model
from optimizer.llm.base import Completion, Request
from optimizer.work.elsewhere import SILENT_S, Elsewhere
from optimizer.work.nouns import Kind
from tests.optimizer.evolution_world import Evolved, make_evolved
from tests.optimizer.judging_world import STUDY, ended


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, 3, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class Held:
    """A model that answers when the test lets it."""

    name = "held"

    def __init__(self) -> None:
        self.go = threading.Event()
        self.model = judging_model(always(Outcome.FIRST), "held")

    def complete(self, request: Request) -> Completion:
        assert self.go.wait(20)
        return self.model.complete(request)


class Idle:
    """A service without runs."""

    def jobs(self) -> list[object]:
        return []

    def runs(self) -> list[object]:
        return []

    def at_work(self) -> list[object]:
        return []


def server(evolved: Evolved, clock: Clock) -> Elsewhere:
    judging = evolved.world.judging
    return Elsewhere(
        evolved.store,
        judging._generation,
        judging,
        evolved.evolution,
        clock,
    )


def other(evolved: Evolved, clock: Clock) -> Elsewhere:
    """A server on the same database that does nothing itself."""
    idle = cast(Any, Idle())
    return Elsewhere(evolved.store, idle, idle, idle, clock)


def test_a_run_is_seen_and_stopped_from_another_server() -> None:
    evolved, clock, held = make_evolved(), Clock(), Held()
    here, there = server(evolved, clock), other(evolved, clock)
    evolved.world.connect("held", cast(Any, held))
    run = evolved.world.judging.start(evolved.world.plan("held", duels=12))
    here.tell()
    clock.now += timedelta(seconds=2)
    here.tell()
    (seen,) = there.runs(STUDY, Kind.JUDGE)
    assert (seen.id, seen.done, seen.total) == (run.id, 0, 12)
    assert seen.since == clock.now - timedelta(seconds=2)
    assert there.runs(STUDY, Kind.GENERATE) == there.runs(STUDY, Kind.EVOLVE) == []
    assert here.runs(STUDY, Kind.JUDGE) == []  # it is no other's

    there.stop(seen)
    here.tell()
    held.go.set()
    assert ended(run).state.value == "cancelled"
    here.tell()
    assert there.runs(STUDY, Kind.JUDGE) == []
    assert evolved.store.documents.all("at_work") == []


def test_a_server_that_was_killed_falls_silent() -> None:
    evolved, clock, held = make_evolved(), Clock(), Held()
    here, there = server(evolved, clock), other(evolved, clock)
    evolved.world.connect("held", cast(Any, held))
    run = evolved.world.judging.start(evolved.world.plan("held", duels=12))
    here.tell()
    clock.now += timedelta(seconds=SILENT_S)
    assert there.runs(STUDY, Kind.JUDGE)
    clock.now += timedelta(seconds=1)
    assert there.runs(STUDY, Kind.JUDGE) == []
    assert evolved.store.documents.all("at_work") == []
    run.cancel()
    held.go.set()
    ended(run)


def test_a_run_of_evolution_is_told_of_and_what_ends_is_forgotten() -> None:
    evolved, clock, held = make_evolved(), Clock(), Held()
    here, there = server(evolved, clock), other(evolved, clock)
    evolved.world.connect("judge", cast(Any, held))
    id = evolved.evolution.start(evolved.plan(rounds=1))
    here.tell()
    (seen,) = there.runs(STUDY, Kind.EVOLVE)
    assert (seen.id, seen.total) == (id, 1)
    there.stop(seen)
    here.tell()
    held.go.set()
    assert evolved.ended(id).record.state is Evolving.CANCELLED
    resumed = evolved.evolution.resume(id)  # on this server again, or on another one
    here.tell()
    evolved.ended(resumed)
    here.tell()
    assert evolved.store.documents.all("at_work") == []
