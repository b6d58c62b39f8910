"""Real workers on a real queue: killed, replaced, together; nothing is made twice and limits hold."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

import psycopg
import pytest

from optimizer.assemble import Services, build
from optimizer.config import Config
from optimizer.domain import Batch, Connection, Origin, Outcome, RaterKind, StudyId
from optimizer.evolution.plan import Plan as EvolutionPlan
from optimizer.generation.cells import Order
from optimizer.judges import JudgeSettings
from optimizer.judges.scripted import always, answer_by
from optimizer.judging.plan import Plan, Seat
from optimizer.llm.base import Message, Request, Role
from optimizer.llm.budget import Budget
from optimizer.proposers.scripted import propose_by
from optimizer.work.nouns import State, Task, What
from optimizer.work.postgres_calls import LEASE_S
from tests.fakes.openai_server import FakeServer
from tests.optimizer.storage.world import world
from tests.postgresql import PostgresServer

S = StudyId("s")
ROOT = Path(__file__).resolve().parents[3]
AT_ONCE = 2
DEAD_AFTER = "2"
LEASED = ("calls", "holds", "claims")
POINTS = count(1)


@dataclass
class Office:
    """A replica's services, the fake server behind its connection, and workers as processes."""

    services: Services
    server: FakeServer
    environment: dict[str, str]
    folder: Path
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def hire(self) -> subprocess.Popen[bytes]:
        log = (self.folder / "workers.log").open("ab")
        command = [sys.executable, "-m", "optimizer", "worker", "--dead-after", DEAD_AFTER]
        worker = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=log, stderr=log)
        self.workers.append(worker)
        return worker

    def kill(self, worker: subprocess.Popen[bytes]) -> None:
        """As a crash would; and time passes until its sign of life and what it held are out of date."""
        worker.kill()
        worker.wait(20)
        dated = {"procrastinate_workers": "last_heartbeat"} | dict.fromkeys(LEASED, "held_until")
        with psycopg.connect(self.environment["PROMPT_DUEL_DATABASE_URL"]) as db:
            for table, column in dated.items():
                db.execute(f"UPDATE {table} SET {column} = {column} - interval '{LEASE_S} seconds'".encode())

    def submit(self, what: What) -> str:
        said = self.services.work.submit(what)
        assert said == "A worker will see to it."
        return self.services.work.tasks(what.study)[0].id

    def task(self, id: str, study: StudyId = S) -> Task:
        return next(task for task in self.services.work.tasks(study) if task.id == id)

    def until(self, happened: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not happened():
            assert time.monotonic() < deadline, (self.folder / "workers.log").read_text()
            time.sleep(0.02)


def judged_first(body: dict) -> str:
    request = Request((Message(Role.USER, body["messages"][-1]["content"]),))
    return answer_by(always(Outcome.FIRST), request)


def everything(body: dict) -> str:
    """A judge who takes the first, a proposer who adds a line, and otherwise an output."""
    rules, content = body["messages"][0]["content"], body["messages"][-1]["content"]
    if "You write prompts" in rules:
        request = Request((Message(Role.USER, content),))
        return propose_by(lambda given, _: f"{given['prompt']['text']} Point {next(POINTS)}.", request)
    return judged_first(body) if "You compare" in rules else f"text {content}"


def without_outputs(name: str, prompts: int, inputs: int) -> Batch:
    """A study whose prompts all ask something else: an answer to the same request would be used again."""
    batch = world(name, prompts, inputs)
    texts = [replace(prompt, text=f"Do {prompt.id} {{{{it}}}}") for prompt in batch.prompts]
    return Batch(batch.studies, texts, batch.inputs, raters=batch.raters)


@pytest.fixture
def office(postgres: PostgresServer, tmp_path: Path) -> Iterator[Office]:
    ours = {
        "PROMPT_DUEL_DATABASE_URL": postgres.new_database(),
        "PROMPT_DUEL_WORK": "queue",
        "PROMPT_DUEL_DATA_DIR": str(tmp_path),
        "PROMPT_DUEL_SAMPLES_DIR": str(tmp_path),
        "PROMPT_DUEL_KEY_C": "sk-test",
    }
    with FakeServer(latency_s=0.1) as server:
        services = build(Config.load(ours))
        services.store.add(without_outputs("s", 4, 5))
        connection = Connection("c", server.url, "fake-model", max_tokens=50, concurrency=AT_ONCE)
        services.connections.put(connection)
        made = Office(services, server, {**os.environ, **ours}, tmp_path)
        yield made
        for worker in made.workers:
            worker.kill()
            worker.wait(20)
        services.close()


def test_a_killed_worker_s_task_goes_on_and_nothing_is_made_twice(office: Office) -> None:
    first = office.hire()
    id = office.submit(Order(S, "c", budget=Budget(calls=40)))
    office.until(lambda: len(office.services.store.outputs(S)) >= 4)
    office.kill(first)
    stored, answered = len(office.services.store.outputs(S)), office.server.answered
    assert office.task(id).status.state is State.RUNNING
    office.hire()
    office.until(lambda: office.task(id).status.state.over)
    status = office.task(id).status
    assert (status.state, status.error) == (State.DONE, "")
    outputs = office.services.store.outputs(S)
    assert len({(output.prompt, output.input) for output in outputs}) == len(outputs) == 20
    # Asked again can be what was in flight or not stored when it died, and no more; it is not forgotten.
    most = answered + AT_ONCE + 20 - stored
    assert 20 <= office.server.answered <= most
    assert office.server.most_at_once <= AT_ONCE
    book = office.services.sharing.book(f"task {id}", lambda: pytest.fail("no such account"))  # type: ignore[union-attr]
    assert 20 <= book.spent().calls <= most
    assert office.services.store.check() == []


def test_a_killed_worker_s_judges_and_evolution_go_on(office: Office) -> None:
    store, server = office.services.store, office.server
    judged, evolved = StudyId("j"), StudyId("e")
    for study in (judged, evolved):
        store.add(world(study, 3, 4))
    server.reply = everything
    seat = Seat("c", JudgeSettings("one_order"))
    first = office.hire()
    evolution = office.submit(
        EvolutionPlan(
            evolved, "top_mutation", "c", (seat,), "c", rounds=1, round_votes=12, children=2,
            automatic=True, child_inputs=2, patience=0, budget=Budget(calls=50),
        )
    )  # fmt: skip

    def votes(study: StudyId) -> int:
        return store.counters(study).votes

    office.until(lambda: votes(evolved) >= 1)  # which takes a while to begin, unlike the judge
    judging = office.submit(Plan(judged, (seat,), duels=20, until_advised=False, budget=Budget(calls=30)))
    office.until(lambda: votes(judged) >= 4)
    office.kill(first)
    tasks = [(judging, judged), (evolution, evolved)]
    assert {office.task(*one).status.state for one in tasks} == {State.RUNNING}
    office.hire()
    office.until(lambda: all(office.task(*one).status.state.over for one in tasks))
    assert [(office.task(*one).status.state, office.task(*one).status.error) for one in tasks] == [
        (State.DONE, ""),
        (State.DONE, ""),
    ]
    assert votes(judged) == 20
    assert votes(evolved) == 24
    ballots = [ballot for study in (judged, evolved) for ballot in store.ballots(study)]
    assert len({ballot.duel.id for ballot in ballots}) == len(ballots)
    assert len([p for p in store.prompts(evolved) if p.origin is Origin.PROPOSED]) == 2
    assert len(store.outputs(evolved)) == 3 * 4 + 2 * 2
    # Asked again was only what the killed one had not stored: its calls, and answers on the way to the disk.
    needed, threads = 20 + 24 + 2 + 2 * 2, 2 * (AT_ONCE + 2)
    assert needed <= server.answered <= needed + threads
    assert server.most_at_once <= AT_ONCE
    sharing = office.services.sharing
    assert sharing is not None

    def booked() -> int:
        accounts = (f"task {judging}", f"run {evolution}")
        books = [sharing.book(account, lambda: pytest.fail("no such account")) for account in accounts]
        return sum(book.spent().calls for book in books)

    office.until(lambda: server.answered <= booked())  # what the dead held counts when its lease has run out
    assert booked() <= needed + threads + AT_ONCE
    assert store.check() == []


def test_two_workers_share_a_connection_and_one_that_is_stopped_hands_on(office: Office) -> None:
    office.services.store.add(without_outputs("t", 3, 4))
    one, other = office.hire(), office.hire()
    first = office.submit(Order(S, "c"))
    office.services.work.submit(Order(StudyId("t"), "c"))
    office.until(lambda: office.server.answered >= 6)
    one.send_signal(signal.SIGTERM)
    assert one.wait(30) == 0

    def over() -> bool:
        tasks = [*office.services.work.tasks(S), *office.services.work.tasks(StudyId("t"))]
        return all(task.status.state.over for task in tasks)

    office.until(over)
    assert office.task(first).status.state is State.DONE
    assert len(office.services.store.outputs(S)) == 20
    assert len(office.services.store.outputs(StudyId("t"))) == 12
    assert office.server.answered == 32  # in order: calls in flight came to their end, none was made again
    assert office.server.most_at_once <= AT_ONCE
    assert other.poll() is None


def test_cancel_resume_budget_and_judging(office: Office) -> None:
    work, store = office.services.work, office.services.store
    cancelled = office.submit(Order(S, "c"))
    work.cancel(cancelled)
    assert office.task(cancelled).status.state is State.CANCELLED
    office.hire()
    spent = office.submit(Order(S, "c", budget=Budget(calls=7)))
    office.until(lambda: office.task(spent).status.state.over)
    assert (office.task(spent).status.state, office.server.answered) == (State.SPENT, 7)
    work.resume(spent)  # on the same account: there is still no room
    office.until(lambda: office.task(spent).status.state.over)
    assert (office.task(spent).status.state, office.server.answered) == (State.SPENT, 7)
    work.resume(cancelled)
    office.until(lambda: office.task(cancelled).status.state.over)
    assert (office.task(cancelled).status.state, office.server.answered) == (State.DONE, 20)

    office.server.reply = judged_first
    judged = office.submit(Plan(S, (Seat("c"),), duels=3, until_advised=False))
    office.until(lambda: office.task(judged).status.state.over)
    kinds = {rater.id: rater.kind for rater in store.raters(S)}
    by_judge = [ballot for ballot in store.ballots(S) if kinds[ballot.vote.rater] is RaterKind.JUDGE]
    status = office.task(judged).status
    assert (status.state, status.failed, status.error) == (State.DONE, 0, "")
    assert len(by_judge) == status.done == 3


def test_a_typed_key_stays_in_the_process(office: Office) -> None:
    connection = Connection("typed", office.server.url, "fake-model", max_tokens=50)
    office.services.connections.put(connection)
    origin = office.server.url.removesuffix("/v1")
    said = office.services.work.submit(Order(S, "typed"), {origin: "sk-typed"})
    assert "stays here" in said
    assert office.services.work.tasks(S) == []
    (job,) = office.services.generation.jobs(S)
    assert job.wait(30)
    assert len(office.services.store.outputs(S)) == 20
