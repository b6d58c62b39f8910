"""Limits of connections and budgets hold over all processes that share a database."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from optimizer.connections import Connections
from optimizer.domain import Batch, Connection, StudyId
from optimizer.generation import Generation
from optimizer.generation.cells import Cell
from optimizer.llm.base import Message, Request, Role
from optimizer.llm.budget import NOTHING, Budget, Ledger, Spend
from optimizer.llm.errors import BudgetSpent, CallCancelled
from optimizer.llm.lane import Lanes
from optimizer.llm.scripted import Scripted
from optimizer.storage import open_store
from optimizer.work.postgres_calls import PostgresCalls
from tests.fakes.openai_server import FakeServer
from tests.optimizer.storage.world import world
from tests.postgresql import PostgresServer

ASKED = Request((Message(Role.USER, "hello"),), max_tokens=10)


@pytest.fixture(scope="module")
def address(postgres: PostgresServer) -> str:
    made = postgres.new_database()
    open_store(made).close()
    return made


@pytest.fixture
def two(address: str) -> Iterator[tuple[PostgresCalls, PostgresCalls]]:
    """The calls of two processes."""
    with psycopg.connect(address) as db:
        db.execute("TRUNCATE calls, holds, accounts")
    one, other = PostgresCalls(address), PostgresCalls(address)
    yield one, other
    one.close()
    other.close()


class Busy:
    """How many are inside at once, at most."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self._lock = threading.Lock()
        self.entered = threading.Semaphore(0)
        self.leave = threading.Event()

    def __call__(self) -> None:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.entered.release()
        assert self.leave.wait(20)
        with self._lock:
            self.now -= 1


def test_no_more_calls_at_once_than_the_connection_allows(two: tuple[PostgresCalls, PostgresCalls]) -> None:
    connection = Connection("c", "http://h/v1", "m", concurrency=3)
    gates = [one.gate(connection) for one in two]
    busy, never = Busy(), threading.Event()

    def call(number: int) -> None:
        with gates[number % 2].passed(5, never):
            busy()

    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(call, number) for number in range(8)]
        for _ in range(3):
            assert busy.entered.acquire(timeout=20)
        assert busy.now == 3
        busy.leave.set()
        for done in calls:
            done.result(20)
    assert busy.most == 3


def test_requests_and_tokens_per_minute_are_of_all_together(two: tuple[PostgresCalls, PostgresCalls]) -> None:
    often = Connection("often", "http://h/v1", "m", requests_per_minute=4)
    cancelled = threading.Event()
    for number in range(4):
        with two[number % 2].gate(often).passed(1, cancelled):
            pass
    cancelled.set()
    with pytest.raises(CallCancelled), two[0].gate(often).passed(1, cancelled):
        pass
    much = Connection("much", "http://h/v1", "m", tokens_per_minute=100)
    with two[0].gate(much).passed(90, threading.Event()) as tell:
        tell(40)  # took less than it might have
    with two[1].gate(much).passed(60, threading.Event()) as tell:
        tell(60)
    with pytest.raises(CallCancelled), two[0].gate(much).passed(1, cancelled):
        pass


def test_the_place_of_a_process_that_died_is_free_again(
    two: tuple[PostgresCalls, PostgresCalls], address: str
) -> None:
    connection = Connection("c", "http://h/v1", "m", concurrency=1)
    died = two[0].gate(connection)._enter(1)
    assert died
    assert two[1].gate(connection)._enter(1) is None
    with psycopg.connect(address) as db:  # its lease is over
        db.execute("UPDATE calls SET held_until = now() - interval '1 second'")
    assert two[1].gate(connection)._enter(1)


def test_a_budget_is_spent_once_by_all_together(two: tuple[PostgresCalls, PostgresCalls]) -> None:
    budget = Budget(calls=25)
    ledgers = [Ledger(budget, book=one.book("job", lambda: NOTHING)) for one in two]
    never = threading.Event()

    def spend(number: int) -> int:
        ledger, made = ledgers[number % 2], 0
        try:
            while True:
                held = ledger.reserve(Spend(1, 10, 5, 0.01), never)
                made += 1
                ledger.settle(held, Spend(1, 8, 4, 0.005))
        except BudgetSpent:
            return made

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(spend, range(4))) == 25
    spent = ledgers[0].spent
    assert (spent.calls, spent.input_tokens, spent.output_tokens) == (25, 200, 100)
    assert spent.money == pytest.approx(0.125)


def test_what_the_dead_had_set_aside_counts_as_spent(
    two: tuple[PostgresCalls, PostgresCalls], address: str
) -> None:
    first, second = (one.book("job", lambda: Spend(2, 20, 20, 0.0)) for one in two)
    assert first.hold(Budget(calls=4), Spend(1, 1, 1, 0.0))
    assert second.hold(Budget(calls=4), Spend(2, 1, 1, 0.0)) is None
    assert second.spent().calls == 2
    with psycopg.connect(address) as db:
        db.execute("UPDATE holds SET held_until = now() - interval '1 second'")
    assert second.spent().calls == 3
    second.note(Spend(1, 0, 0, 0.0))
    with pytest.raises(BudgetSpent):
        Ledger(Budget(calls=4), book=second).reserve(Spend(1, 1, 1, 0.0), threading.Event())


def test_a_lane_keeps_the_limits_of_all(two: tuple[PostgresCalls, PostgresCalls], address: str) -> None:
    connection = Connection("c", "http://h/v1", "m", concurrency=2)
    lane = Lanes(lambda *_: Scripted(lambda _: "hi"), two[0]).lane(connection, None)
    ledger = Ledger(book=two[0].book("job", lambda: NOTHING))
    answer = lane.under(ledger).complete(ASKED)
    assert ledger.spent.calls == 1
    with psycopg.connect(address) as db:
        row = db.execute("SELECT connection, held_until, tokens FROM calls").fetchone()
    assert row == ("c", None, answer.usage.tokens)


def test_an_output_that_two_replicas_foresee_is_paid_for_once(
    two: tuple[PostgresCalls, PostgresCalls], postgres: PostgresServer
) -> None:
    address = postgres.new_database()
    stores = [open_store(address), open_store(address)]
    batch = world(prompts=2, inputs=1)
    stores[0].add(Batch(batch.studies, batch.prompts, batch.inputs))
    with FakeServer(latency_s=0.3) as server:
        stores[0].put_connection(Connection("c", server.url, "fake-model", max_tokens=50))
        shared = [PostgresCalls(address), PostgresCalls(address)]
        replicas = [
            Generation(store, Connections(store, sharing=calls), sharing=calls)
            for store, calls in zip(stores, shared, strict=True)
        ]
        cell = Cell(batch.prompts[0].id, batch.inputs[0].id)
        drafts = [replica.write(StudyId("s"), "c", cell) for replica in replicas]
        outputs = [draft.wait(30) and draft.output for draft in drafts]
        assert server.answered == 1
        assert outputs[0] == outputs[1] == stores[0].outputs(StudyId("s"))[0]
        with psycopg.connect(address, autocommit=True) as db:  # ended a moment after the drafts
            deadline = time.monotonic() + 20
            while db.execute("SELECT count(*) FROM claims").fetchone() != (0,):
                assert time.monotonic() < deadline
        for one in (*replicas, *shared, *stores):
            one.close()
