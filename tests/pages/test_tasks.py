"""Work for workers on the screen: waiting, how far, cancelled, gone on with."""

from collections.abc import Iterator

import pytest

from optimizer.assemble import Services, forget_services, services
from optimizer.domain import Connection
from optimizer.llm.budget import Spend
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
