"""A whole order as one batch: sent once, waited for by whoever is there, collected once."""

from collections.abc import Callable, Iterator

import pytest

from optimizer.connections import Connections
from optimizer.domain import Connection, StudyId
from optimizer.errors import BadInput
from optimizer.generation import Generation, bulk
from optimizer.generation.bulk import KIND
from optimizer.generation.cells import Order
from optimizer.generation.job import State
from optimizer.llm.budget import Budget
from optimizer.storage.base import Store
from optimizer.storage.memory import MemoryStore
from tests.fakes.openai_server import FakeServer
from tests.optimizer.generation.conftest import fill

S = StudyId("study")
ORDER = Order(S, "c", bulk=True)
Open = Callable[[], Generation]


@pytest.fixture(autouse=True)
def _looking_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "LOOK_EVERY_S", 0.01)


@pytest.fixture
def store() -> Store:
    made = MemoryStore()
    fill(made, 3, 4)
    return made


@pytest.fixture
def open_generation(store: Store) -> Iterator[tuple[Open, FakeServer]]:
    """Each call is another process on the same database."""
    opened: list[Generation] = []
    with FakeServer() as server:
        store.put_connection(
            Connection("c", server.url, "fake-model", max_tokens=50, input_price=1, output_price=1)
        )

        def open_one() -> Generation:
            opened.append(Generation(store, Connections(store)))
            return opened[-1]

        yield open_one, server
        for one in opened:
            one.close(1.0)


def test_one_batch_answers_the_whole_grid(store: Store, open_generation: tuple[Open, FakeServer]) -> None:
    generation, server = open_generation[0](), open_generation[1]
    job = generation.start(ORDER)
    assert job.wait(30)
    progress = job.progress()
    assert (progress.state, progress.done, progress.total, progress.failed) == (State.DONE, 12, 12, 0)
    outputs = store.outputs(S)
    assert len({(output.prompt, output.input) for output in outputs}) == len(outputs) == 12
    assert all(output.usable and output.settings["request_hash"] for output in outputs)
    assert (len(server.batches.batches), server.answered, len(server.requests)) == (1, 12, 0)
    assert progress.spent.calls == 12
    assert progress.spent.money > 0
    assert store.documents.all(KIND) == []
    again = generation.start(ORDER)
    assert again.wait(30)
    assert (again.progress().total, len(server.batches.batches)) == (0, 1)


def test_another_process_goes_on_waiting_for_it(
    store: Store, open_generation: tuple[Open, FakeServer]
) -> None:
    open_one, server = open_generation
    server.batches.looks = 10**9
    first = open_one()
    job = first.start(ORDER)
    while not any(batch["looks"] for batch in server.batches.batches.values()):
        assert not job.wait(0.01)
    first.close()  # the app stops; the server goes on
    assert job.progress().state is State.CANCELLED
    assert [batch["status"] for batch in server.batches.batches.values()] == ["in_progress"]
    server.batches.looks = 0
    resumed = open_one().start(ORDER)
    assert resumed.wait(30)
    assert (resumed.progress().state, len(store.outputs(S))) == (State.DONE, 12)
    assert (len(server.batches.batches), server.answered) == (1, 12)


def test_a_batch_whose_creation_was_not_heard_of_is_found(
    store: Store, open_generation: tuple[Open, FakeServer]
) -> None:
    open_one, server = open_generation
    server.batches.silent = True
    lost = open_one().start(ORDER)
    assert lost.wait(30)
    assert lost.progress().state is State.STOPPED
    server.batches.silent = False
    found = open_one().start(ORDER)
    assert found.wait(30)
    assert (found.progress().state, len(store.outputs(S))) == (State.DONE, 12)
    assert (len(server.batches.batches), server.answered) == (1, 12)


def test_cancelling_keeps_what_was_answered(store: Store, open_generation: tuple[Open, FakeServer]) -> None:
    open_one, server = open_generation
    server.batches.looks = 10**9
    job = open_one().start(ORDER)
    while not any(batch["looks"] for batch in server.batches.batches.values()):
        assert not job.wait(0.01)
    job.cancel()
    assert job.wait(30)
    assert job.progress().state is State.CANCELLED
    assert len(store.outputs(S)) == server.answered == 6
    server.batches.looks = 0
    rest = open_one().start(ORDER)
    assert rest.wait(30)
    assert (rest.progress().total, rest.progress().done, len(store.outputs(S))) == (6, 6, 12)


def test_refused_lines_fail_and_are_asked_again_in_the_dialect_of_the_server(
    store: Store, open_generation: tuple[Open, FakeServer]
) -> None:
    open_one, server = open_generation
    generation = open_one()
    server.batches.refused = {"number 1": "This topic is not answered."}
    job = generation.start(ORDER)
    assert job.wait(30)
    progress = job.progress()
    assert (progress.state, progress.done, progress.failed) == (State.DONE, 9, 3)
    assert "not answered" in progress.last_error
    server.batches.refused = {}
    again = generation.start(ORDER)
    assert again.wait(30)
    assert (again.progress().done, len(store.outputs(S))) == (3, 12)


def test_a_budget_that_the_batch_might_overshoot_sends_nothing(
    open_generation: tuple[Open, FakeServer],
) -> None:
    open_one, server = open_generation
    job = open_one().start(Order(S, "c", budget=Budget(calls=11), bulk=True))
    assert job.wait(30)
    assert job.progress().state is State.SPENT
    assert (server.batches.files, server.answered) == ({}, 0)


def test_a_script_takes_no_batches(store: Store, open_generation: tuple[Open, FakeServer]) -> None:
    store.put_connection(Connection("script", "scripted:words", "words"))
    with pytest.raises(BadInput, match="no server"):
        open_generation[0]().start(Order(S, "script", bulk=True))
