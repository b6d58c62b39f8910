"""Work for workers on the screen: waiting, how far, cancelled, gone on with."""

import threading
from collections.abc import Iterator

import pytest

import app
from optimizer.assemble import Services, forget_services, services
from optimizer.domain import Connection, PromptId, utc_now
from optimizer.evolution.plan import Plan as EvolutionPlan
from optimizer.evolution.record import Record
from optimizer.evolution.record import document_of as evolution_document
from optimizer.judging.plan import Plan, Seat
from optimizer.llm.budget import Budget, Spend
from optimizer.storage.documents import Document
from optimizer.work.elsewhere import Elsewhere
from optimizer.work.nouns import State, Status
from optimizer.work.tasks import Tasks
from tests.pages.visitor import Visitor
from tests.postgresql import PostgresServer


@pytest.fixture
def running(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    """A replica whose work is for workers, of which there is none."""
    monkeypatch.setenv("PROMPT_DUEL_DATABASE_URL", postgres.new_database())
    monkeypatch.setenv("PROMPT_DUEL_WORK", "queue")
    monkeypatch.setenv("PROMPT_DUEL_KEY_C", "sk-test")
    monkeypatch.setattr("pages.parts.access.person", lambda: "ann")
    monkeypatch.setattr("pages.parts.access.is_local", lambda: True)
    forget_services()
    yield services()
    forget_services()


def test_a_task_is_watched_cancelled_and_gone_on_with(visitor: Visitor) -> None:
    study = visitor.study(["Terse", "Warm"], ["one", "two"])
    visitor.services.connections.put(Connection("c", "http://127.0.0.1:9/v1", "m", max_tokens=50))
    visitor.go("host/outputs.py", study)
    visitor.at.session_state["outputs_tab"] = "Generate"
    visitor.run()
    visitor.click("generate")
    assert "Waiting for a worker" in visitor.shown()
    assert "python -m optimizer worker" in visitor.shown()
    assert visitor.at.button(key="generating").disabled
    (task,) = visitor.services.work.tasks(study.id)

    tasks = Tasks(visitor.services.store)
    assert tasks.claim(task.id, "w")
    tasks.note(task.id, "w", Status(State.RUNNING, 3, 4, 1, Spend(4, 50, 60), "1 held back"))
    visitor.run()
    told = visitor.shown().replace("**", "")
    assert "At work: 3 of 4 outputs" in told
    assert "4 calls, 110 tokens · 1 failed · 1 held back" in told
    visitor.click(f"cancel_{task.id}")
    assert visitor.at.button(key=f"cancel_{task.id}").label == "Stopping…"
    tasks.note(task.id, "w", Status(State.CANCELLED, 3, 4, 0, Spend(4, 50, 60), error="Odd *things*."))
    visitor.run()
    told = visitor.shown().replace("**", "")
    assert "Cancelled: 3 of 4 outputs" in told
    assert [one.value for one in visitor.at.warning] == [
        "Odd \\*things\\*."
    ]  # as it was written, no Markdown
    visitor.click(f"resume_{task.id}")
    assert "Waiting for a worker" in visitor.shown()


def test_a_server_on_a_shared_database_tells_what_it_is_at(
    running: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = threading.Event()
    monkeypatch.setattr("optimizer.work.elsewhere.TOLD_EVERY_S", 0.01)
    monkeypatch.setattr(Elsewhere, "tell", lambda _: told.set())
    app.open_services()
    assert told.wait(20)


def test_a_spent_task_goes_on_within_a_higher_limit(visitor: Visitor) -> None:
    study = visitor.study(["Terse", "Warm"], ["one", "two"])
    tasks = Tasks(visitor.services.store)
    task = tasks.add(Plan(study.id, (Seat("c"),), budget=Budget(calls=2)))
    assert tasks.claim(task.id, "w")
    tasks.note(task.id, "w", Status(State.SPENT, 1, 9, 0, Spend(2), error="No room."))
    visitor.go("host/judge.py", study)
    assert "Stopped by the budget" in visitor.shown()
    visitor.at.number_input(key=f"more_{task.id}_calls").set_value(40)
    visitor.click(f"resume_{task.id}")
    resumed = tasks.get(task.id)
    assert (resumed.status.state, resumed.what.budget) == (State.QUEUED, Budget(calls=40))


def test_what_another_server_does_is_told_and_stopped_and_no_second_run_begins(visitor: Visitor) -> None:
    """A run of evolution that is under way elsewhere is not called interrupted, nor gone on with here."""
    study = visitor.study(["Terse", "Warm"], ["one", "two"])
    store = visitor.services.store
    record = Record("r", EvolutionPlan(study.id, "paraphrase", rounds=3), utc_now(), PromptId("p"), round=1)
    store.documents.put(evolution_document(record, 0))
    visitor.go("host/evolve.py", study)
    visitor.at.session_state["evolve_tab"] = "Run"
    visitor.run()
    assert "Interrupted" in visitor.shown()
    assert "resume_r" in {button.key for button in visitor.at.button}

    body = {"id": "r", "study": study.id, "kind": "evolve", "done": 1, "total": 3}
    told = Document("at_work", "r", {**body, "since": "2026-03-01T12:03:00+00:00"}, study.id)
    store.documents.put(told)
    visitor.run()
    shown = visitor.shown().replace("**", "")
    assert "At work on another server: 1 of 3 rounds" in shown
    assert "Since 12:03." in shown
    assert "Evolving: round 1 of 3" in shown
    assert "Interrupted" not in shown
    assert "resume_r" not in {button.key for button in visitor.at.button}
    visitor.click("stop_elsewhere_r")
    assert store.documents.get("at_work", "r", fresh=True) is None
    visitor.run()
    assert "Interrupted" in visitor.shown()  # until its server has written how it ended
