"""Connections: checked before they are kept, opened with the right key, tried out."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from optimizer.config import KEY_PREFIX as CONFIG_PREFIX
from optimizer.config import Config
from optimizer.connections import Connections, check
from optimizer.domain import Connection
from optimizer.errors import BadInput, NotFound
from optimizer.llm.errors import KeyMissing, KeyRefused, ModelNotFound
from optimizer.llm.keys import KEY_PREFIX, KeyRing, origin
from optimizer.storage.memory import MemoryStore
from tests.fakes.openai_server import MODELS, FakeServer, Fault

GOOD = Connection("My GPT", "http://localhost:1/v1", "m")


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer(key="right-key") as running:
        yield running


@pytest.fixture
def connections() -> Connections:
    return Connections(MemoryStore())


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"name": "  "}, "a name with a letter"),
        ({"model": ""}, "which model"),
        ({"server": "localhost:8000"}, "not the address of a server"),
        ({"temperature": 2.5}, "between 0 and 2"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"input_price": -1.0}, "A price is 0 or more"),
        ({"concurrency": 0}, "1 to 256"),
        ({"requests_per_minute": 0}, "Requests per minute"),
        ({"timeout_s": 0.0}, "time-out"),
    ],
)
def test_what_could_not_work_is_not_kept(
    connections: Connections, changes: dict[str, object], complaint: str
) -> None:
    with pytest.raises(BadInput, match=complaint):
        connections.put(replace(GOOD, **changes))  # type: ignore[arg-type]
    assert connections.all() == []


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(BadInput, match=r"between 0 and 2\..*1 to 256"):
        check(replace(GOOD, temperature=9.0, concurrency=-1))


def test_two_connections_cannot_share_a_key_by_the_likeness_of_their_names(connections: Connections) -> None:
    connections.put(GOOD)
    with pytest.raises(BadInput, match="PROMPT_DUEL_KEY_MY_GPT"):
        connections.put(replace(GOOD, name="my-gpt"))
    connections.put(replace(GOOD, model="other"))
    assert [(one.name, one.model) for one in connections.all()] == [("My GPT", "other")]
    connections.remove("My GPT")
    with pytest.raises(NotFound, match="Known: none"):
        connections.named("My GPT")


def test_a_trial_shows_the_answer_or_says_what_to_do(server: FakeServer) -> None:
    connection = replace(GOOD, server=server.url)
    connections = Connections(MemoryStore(), KeyRing({"PROMPT_DUEL_KEY_MY_GPT": "right-key"}))
    trial = connections.test(connection)
    assert trial.text.startswith("Answer")
    assert trial.model == "m-2026"
    assert connections.models(connection) == MODELS
    with pytest.raises(KeyRefused):
        connections.test(connection, {origin(server.url): "wrong-key"})
    with pytest.raises(KeyMissing):
        Connections(MemoryStore()).test(connection)
    server.faults.append(Fault.NO_MODEL)
    with pytest.raises(ModelNotFound, match="no model 'm'"):
        connections.test(connection)


def test_keys_come_from_the_environment_and_from_the_secrets_file(server: FakeServer) -> None:
    config = Config.load({"PROMPT_DUEL_KEY_MY_GPT": "wrong-key", "OPENAI_API_KEY": "sk-openai", "HOME": "/"})
    assert set(config.keys) == {"PROMPT_DUEL_KEY_MY_GPT", "OPENAI_API_KEY"}
    assert "wrong-key" not in repr(config)
    assert CONFIG_PREFIX == KEY_PREFIX
    connection = replace(GOOD, server=server.url)
    connections = Connections(MemoryStore())
    assert not connections.has_key(connection)
    connections.use_secrets({"My GPT": "right-key"})
    assert connections.has_key(connection)
    assert connections.test(connection).text
    assert "right-key" not in repr(vars(connections))
