"""Language models and embedders. To add one: a file here and a line in a registry.

A connection's address says who answers: ``http`` and ``https`` are servers of the OpenAI dialect,
``scripted:words`` a script. A provider opens a model, and lists what models there are.
"""

from collections.abc import Callable
from dataclasses import dataclass

from optimizer.domain import Connection
from optimizer.errors import BadInput
from optimizer.llm.base import Embedder, LanguageModel
from optimizer.llm.hashed import HashedEmbedder
from optimizer.llm.keys import Key
from optimizer.llm.scripted import SCRIPTS, open_script


@dataclass(frozen=True, slots=True)
class Provider:
    """How to open a connection's model, its embedder, and the list of models on offer."""

    open: Callable[[Connection, Key | None], LanguageModel]
    open_embedder: Callable[[Connection, Key | None], Embedder]
    models: Callable[[Connection, Key | None], tuple[str, ...]]


# The openai package takes most of a second to import; an app that calls no model never waits for it.
def _open_compatible(connection: Connection, key: Key | None) -> LanguageModel:
    from optimizer.llm.openai_compatible import OpenAICompatible

    return OpenAICompatible(connection, key)


def _open_compatible_embedder(connection: Connection, key: Key | None) -> Embedder:
    from optimizer.llm.embedding import OpenAIEmbedder

    return OpenAIEmbedder(connection, key)


def _compatible_models(connection: Connection, key: Key | None) -> tuple[str, ...]:
    from optimizer.llm.openai_compatible import OpenAICompatible

    return OpenAICompatible(connection, key).models()


COMPATIBLE = Provider(_open_compatible, _open_compatible_embedder, _compatible_models)
SCRIPTED = Provider(
    open=lambda connection, _: open_script(connection.server),
    open_embedder=lambda *_: HashedEmbedder(),
    models=lambda *_: tuple(sorted(SCRIPTS)),
)

PROVIDERS: dict[str, Provider] = {"http": COMPATIBLE, "https": COMPATIBLE, "scripted": SCRIPTED}


def provider(connection: Connection) -> Provider:
    """Who answers at a connection's address. ``BadInput`` when nobody does."""
    scheme = connection.server.strip().partition(":")[0].lower()
    if scheme not in PROVIDERS:
        given = (
            f"'{connection.server}' is not the address of a server."
            if scheme
            else "Give the server's address."
        )
        raise BadInput(f"{given} It starts with {', '.join(f'{known}:' for known in PROVIDERS)}.")
    return PROVIDERS[scheme]


def open_model(connection: Connection, key: Key | None) -> LanguageModel:
    """The model behind a connection; calls nobody yet."""
    return provider(connection).open(connection, key)
