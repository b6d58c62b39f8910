"""Tasks as they are kept: read back as written, taken by one worker at a time, cancelled and resumed."""

from contextlib import closing
from dataclasses import replace

import pytest

from optimizer.domain import Batch, InputId, PromptId, StudyId
from optimizer.errors import BadInput, NotFound
from optimizer.evolution.plan import Plan as EvolutionPlan
from optimizer.evolution.plan import Votes
from optimizer.generation.cells import Cell, Order
from optimizer.judges import JudgeSettings
from optimizer.judging.plan import Match, Seat
from optimizer.judging.plan import Plan as JudgingPlan
from optimizer.llm.budget import Budget, Spend
from optimizer.proposers.dials import Dial
from optimizer.storage import open_store
from optimizer.storage.memory import MemoryStore
from optimizer.work.codec import document_of, task_of
from optimizer.work.nouns import State, Status, Task, What
from optimizer.work.tasks import Tasks
from tests.optimizer.storage.world import study_of
from tests.postgresql import PostgresServer

S = StudyId("s")
SEAT = Seat("c", JudgeSettings("majority", 5, 0.5, True))
WHATS: list[What] = [
    Order(S, "c"),
    Order(
        S, "c", 3, (PromptId("p"),), (), (Cell(PromptId("p"), InputId("i"), 2),), Budget(5, None, 0.25), True
    ),
    JudgingPlan(
        S, (SEAT, Seat("d")), 7, 3, (Match(PromptId("p"), PromptId("q"), InputId("i")),), outputs="o"
    ),
    EvolutionPlan(S, "mutation", "w", (SEAT,), votes=Votes.BOTH, budget=Budget(tokens=9)),
    EvolutionPlan(S, "control", dial=Dial("length", 120.0, 10.0)),
]


@pytest.fixture
def tasks() -> Tasks:
    store = MemoryStore()
    store.add(Batch([study_of()]))
    return Tasks(store)


@pytest.mark.parametrize("what", WHATS, ids=lambda what: type(what).__module__.split(".")[1])
def test_a_task_reads_back_as_it_was(what: What, tasks: Tasks) -> None:
    status = Status(State.RUNNING, 3, 9, 1, Spend(4, 50, 60, 0.5), "well", "bad")
    task = Task("t", what, status, True, "w", "r")
    assert task_of(document_of(task)) == task
    added = tasks.add(what)
    assert tasks.get(added.id) == added
    assert tasks.all(S) == [added]


def test_a_task_of_a_newer_version_says_so() -> None:
    document = document_of(Task("t", Order(S, "c")))
    body = {**document.body, "status": {**document.body["status"], "state": "dreaming"}}
    with pytest.raises(BadInput, match="another version"):
        task_of(replace(document, body=body))


def test_a_worker_takes_a_task_and_loses_it_to_another(tasks: Tasks) -> None:
    task = tasks.add(WHATS[0])
    first = tasks.claim(task.id, "one")
    assert first is not None
    assert (first.worker, first.status.state) == ("one", State.RUNNING)
    assert tasks.note(task.id, "one", Status(State.RUNNING, 1, 2)) is not None
    assert tasks.claim(task.id, "two") is not None
    assert tasks.note(task.id, "one", Status(State.RUNNING, 2, 2)) is None
    assert tasks.get(task.id).status.done == 1
    assert tasks.note(task.id, "two", Status(State.DONE, 2, 2), run="r") is not None
    assert tasks.claim(task.id, "three") is None
    assert (tasks.get(task.id).status.state, tasks.get(task.id).run) == (State.DONE, "r")


def test_cancelling_before_and_while_it_is_done(tasks: Tasks) -> None:
    waiting, begun = tasks.add(WHATS[0]), tasks.add(WHATS[0])
    tasks.claim(begun.id, "one")
    for task in (waiting, begun):
        tasks.cancel(task.id)
    assert tasks.get(waiting.id).status.state is State.CANCELLED
    assert tasks.claim(waiting.id, "one") is None
    known = tasks.note(begun.id, "one", Status(State.RUNNING, 1, 2))
    assert known is not None
    assert known.cancel
    tasks.note(begun.id, "one", Status(State.CANCELLED, 1, 2))
    tasks.cancel(begun.id)
    assert tasks.get(begun.id).status.state is State.CANCELLED


def test_old_tasks_are_forgotten(tasks: Tasks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("optimizer.work.tasks.KEPT", 2)
    made = [tasks.add(WHATS[0]) for _ in range(4)]
    for task in made:
        tasks.cancel(task.id)
    tasks.add(WHATS[0])
    assert [task.id for task in tasks.all(S)][1:] == [made[3].id, made[2].id]
    with pytest.raises(NotFound):
        tasks.get(made[0].id)


def test_a_worker_claims_at_once_what_another_process_has_resumed(postgres: PostgresServer) -> None:
    """Documents are believed for a while; a claim on what was believed would leave the task to nobody."""
    address = postgres.empty_database()
    with closing(open_store(address)) as worker_s, closing(open_store(address)) as screen_s:
        worker_s.add(Batch([study_of("s")]))
        worker, screen = Tasks(worker_s), Tasks(screen_s)
        task = screen.add(Order(S, "c"))
        assert worker.claim(task.id, "w")
        for _ in range(2):  # the second says nothing new, so it is a mere look
            assert worker.note(task.id, "w", Status(State.SPENT))
        screen.change(task.id, lambda known: replace(known, status=Status(State.QUEUED)))
        assert worker.claim(task.id, "w") is not None
