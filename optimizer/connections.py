"""Connections: kept by name, tried out, and opened as lanes for every service that calls models.

Keys are looked up at the moment of use and are no part of a connection. ``typed`` holds the keys that
a person typed in this session, by ``optimizer.llm.keys.origin`` of the server they are for.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from optimizer.domain import Connection
from optimizer.errors import BadInput, Conflict, NotFound
from optimizer.llm import open_model, provider
from optimizer.llm.base import Completion, Embedder, LanguageModel, Message, Request, Role
from optimizer.llm.keys import KEY_PREFIX, Key, KeyRing, key_variable
from optimizer.llm.lane import Lane, Lanes
from optimizer.llm.sharing import Sharing
from optimizer.storage.base import Store

if TYPE_CHECKING:
    from optimizer.llm.bulk import Bulk

TRIAL = Request((Message(Role.USER, "Say hello in one short sentence."),), max_tokens=500)


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of trying a connection."""

    text: str
    model: str
    latency_ms: float


class Connections:
    """The ways to reach a model. Its lanes hold each connection's limits over all services."""

    def __init__(
        self,
        store: Store,
        keys: KeyRing | None = None,
        open: Callable[[Connection, Key | None], LanguageModel] = open_model,
        sharing: Sharing | None = None,
    ) -> None:
        """``sharing``: where other processes use the same connections."""
        self._store = store
        self._keys = keys or KeyRing()
        self._lanes = Lanes(open, sharing)

    def use_secrets(self, secrets: Mapping[str, str]) -> None:
        """Keys by connection name from the app's secrets file, which only the screens can read."""
        self._keys = replace(self._keys, secrets=dict(secrets))

    def all(self) -> list[Connection]:
        """By name."""
        return self._store.connections()

    def named(self, name: str) -> Connection:
        """``NotFound`` lists the known ones."""
        known = {connection.name: connection for connection in self._store.connections()}
        if name not in known:
            listed = ", ".join(f"'{other}'" for other in known) or "none"
            raise NotFound(f"There is no connection '{name}'. Known: {listed}.")
        return known[name]

    def put(self, connection: Connection) -> None:
        """Keep it, in place of the one of the same name. ``BadInput`` says what is wrong with it."""
        check(connection)
        for other in self._store.connections():
            same_variable = key_variable(other.name) == key_variable(connection.name)
            if same_variable and other.name != connection.name:
                raise BadInput(
                    f"'{connection.name}' and '{other.name}' would share the key in "
                    f"{key_variable(other.name)}. Choose a name that differs in more than punctuation."
                )
        self._store.put_connection(connection)

    def add(self, connection: Connection) -> None:
        """Keep a new one. ``Conflict`` when there is one of its name."""
        if any(other.name == connection.name for other in self._store.connections()):
            raise Conflict(
                f"There is a connection '{connection.name}' already. Edit it, or choose another name."
            )
        self.put(connection)

    def remove(self, name: str) -> None:
        self._store.remove_connection(name)

    def has_key(self, connection: Connection, typed: Mapping[str, str] | None = None) -> bool:
        """Is there a key for it, wherever it comes from?"""
        return self._keys.find(connection, typed) is not None

    def key_source(self, connection: Connection, typed: Mapping[str, str] | None = None) -> str | None:
        """Where its key comes from, in words; None without one. Never the key."""
        return self._keys.source(connection, typed)

    def lane(self, name: str, typed: Mapping[str, str] | None = None) -> Lane:
        """The connection, opened; all its users share its limits."""
        connection = self.named(name)
        return self._lanes.lane(connection, self._keys.find(connection, typed))

    def bulk(self, name: str, typed: Mapping[str, str] | None = None) -> "Bulk":
        """The connection's batches. ``BadInput`` where its provider has none."""
        connection = self.named(name)
        if not connection.server.startswith("http"):
            raise BadInput(f"'{name}' is no server, so it takes no batches.")
        from optimizer.llm.bulk import Bulk

        return Bulk(connection, self._keys.find(connection, typed))

    def embedder(self, name: str, typed: Mapping[str, str] | None = None) -> Embedder:
        """The connection's model as an embedder."""
        connection = self.named(name)
        return provider(connection).open_embedder(connection, self._keys.find(connection, typed))

    def models(self, connection: Connection, typed: Mapping[str, str] | None = None) -> tuple[str, ...]:
        """The models on offer at its server. Raises ``ProviderError``."""
        return provider(connection).models(connection, self._keys.find(connection, typed))

    def test(self, connection: Connection, typed: Mapping[str, str] | None = None) -> Trial:
        """One short call, kept or not yet. Raises ``BadInput`` and ``ProviderError``."""
        check(connection)
        key = self._keys.find(connection, typed)
        answer: Completion = provider(connection).open(connection, key).complete(TRIAL)
        return Trial(answer.text.strip(), answer.model, answer.latency_ms)


def check(connection: Connection) -> None:
    """``BadInput`` for a connection that could not work."""
    provider(connection)
    wrong = [
        (key_variable(connection.name) == KEY_PREFIX, "Give the connection a name with a letter in it."),
        (not connection.model.strip(), "Say which model to use."),
        (not _within(connection.temperature, 0, 2), "The temperature lies between 0 and 2."),
        (not _within(connection.max_tokens, 1, 1_000_000), "max_tokens lies between 1 and 1,000,000."),
        (not _within(connection.input_price, 0, 1e6), "A price is 0 or more."),
        (not _within(connection.output_price, 0, 1e6), "A price is 0 or more."),
        (not _within(connection.concurrency, 1, 256), "Calls at once: 1 to 256."),
        (not _within(connection.requests_per_minute, 1, 1e6), "Requests per minute: 1 or more."),
        (not _within(connection.tokens_per_minute, 1, 1e9), "Tokens per minute: 1 or more."),
        (not _within(connection.timeout_s, 1, 3600), "The time-out lies between 1 and 3600 seconds."),
    ]
    faults = [sentence for is_wrong, sentence in wrong if is_wrong]
    if faults:
        raise BadInput(" ".join(dict.fromkeys(faults)))


def _within(value: float | None, least: float, most: float) -> bool:
    return value is None or least <= value <= most
