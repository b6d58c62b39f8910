"""A study without outputs, a fake server, and services on a store of either kind."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from optimizer.connections import Connections
from optimizer.domain import Batch, Connection, Input, InputId, Prompt, PromptId, Study, StudyId
from optimizer.generation import Generation
from optimizer.llm import lane
from optimizer.llm.keys import KeyRing
from optimizer.storage.base import Store
from optimizer.storage.memory import MemoryStore
from optimizer.storage.sqlite import SqliteStore
from tests.fakes.openai_server import FakeServer

STUDY = StudyId("study")


def fill(store: Store, prompts: int, inputs: int) -> None:
    """A study of so many prompts and inputs."""
    store.add(
        Batch(
            studies=[Study(STUDY, "Study", seed=5)],
            prompts=[
                Prompt(PromptId(f"p{n}"), STUDY, f"Prompt {n}", f"Style {n}. {{{{question}}}}")
                for n in range(prompts)
            ],
            inputs=[
                Input(InputId(f"i{n}"), STUDY, {"question": f"What is number {n}?"}) for n in range(inputs)
            ],
        )
    )


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane, "FIRST_WAIT_S", 0.01)


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as running:
        yield running


@pytest.fixture
def store() -> MemoryStore:
    filled = MemoryStore()
    fill(filled, 4, 5)
    return filled


@pytest.fixture
def file_store(tmp_path: Path) -> Iterator[SqliteStore]:
    filled = SqliteStore(tmp_path / "study.db")
    fill(filled, 10, 20)
    yield filled
    filled.close()


@pytest.fixture
def generation_on(server: FakeServer) -> Iterator[Callable[..., Generation]]:
    """A service on a store, with a connection "fake" to the server."""
    opened: list[Generation] = []

    def open_on(store: Store, keys: KeyRing | None = None, **changed: object) -> Generation:
        connections = Connections(store, keys)
        fields: dict[str, object] = {
            "server": server.url, "model": "fake-model", "input_price": 1.0, "output_price": 2.0,
            "max_tokens": 100, "timeout_s": 5.0, "concurrency": 8,
        } | changed  # fmt: skip
        connections.put(Connection(name="fake", **fields))  # type: ignore[arg-type]
        opened.append(Generation(store, connections))
        return opened[-1]

    yield open_on
    for generation in opened:
        generation.close(1.0)
