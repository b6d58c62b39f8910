"""Text in, text out: what a language model and an embedder are, whoever serves them.

A ``Request`` and a ``Completion`` know nothing of servers and keys. Every fault of a server is one
class of ``optimizer.llm.errors``, so callers decide by class what to do, never by reading messages.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from optimizer.domain import Connection

FloatArray = NDArray[np.float64]


class Role(StrEnum):
    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a model. ``None`` leaves the choice to the connection, then to the server.

    ``schema`` is a JSON schema (an object) that the answer must follow. ``top_logprobs`` asks for
    the log-probabilities of every token and of so many alternatives. ``sample`` counts repeats of the
    same request: it is never sent, but makes repeats different requests to whoever remembers answers.
    """

    messages: tuple[Message, ...]
    temperature: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    schema: Mapping[str, object] | None = None
    top_logprobs: int | None = None
    sample: int = 0

    def filled(self, connection: Connection) -> "Request":
        """With the connection's temperature and token limit where the request has none."""
        return replace(
            self,
            temperature=connection.temperature if self.temperature is None else self.temperature,
            max_tokens=connection.max_tokens if self.max_tokens is None else self.max_tokens,
        )


def request_hash(connection: Connection, request: Request) -> str:
    """The identity of an answer: server, model, messages, parameters, sample number; 32 hex digits."""
    what = {
        "server": connection.server.rstrip("/"),
        "model": connection.model,
        **asdict(request.filled(connection)),
    }
    canonical = json.dumps(what, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer; ``estimated`` where the server did not count them."""

    input_tokens: int
    output_tokens: int
    estimated: bool = False

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """A token with its natural log-probability, and the likeliest alternatives at its place."""

    token: str
    logprob: float
    alternatives: Mapping[str, float] = field(default_factory=dict)


class FinishReason(StrEnum):
    """Why a model stopped. Servers have more words for it; all others read as ``STOP``."""

    STOP = "stop"
    LENGTH = "length"  # cut off at max_tokens


@dataclass(frozen=True, slots=True)
class Completion:
    """A complete answer, never empty; ``model`` as the server reports it."""

    text: str
    finish_reason: FinishReason
    usage: Usage
    latency_ms: float
    model: str
    logprobs: tuple[TokenLogprob, ...] = ()


class LanguageModel(Protocol):
    """Answers requests; safe to share between threads. Raises ``ProviderError``."""

    @property
    def name(self) -> str:
        """What people read beside an answer; says so when no real model answers."""
        ...

    def complete(self, request: Request) -> Completion: ...

    def stream(self, request: Request) -> Iterator[str | Completion]:
        """The answer in pieces of text as they come, then once the whole ``Completion``.

        An answer that breaks off raises: an iteration that ends without a completion does not happen.
        """
        ...


class Embedder(Protocol):
    """Maps texts to unit vectors: the same text gets the same row whatever else is in the call."""

    @property
    def name(self) -> str: ...

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """(n, d), unit rows. Raises ``ProviderError``."""
        ...
