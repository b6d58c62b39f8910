"""A model behind any server that speaks OpenAI's chat completions dialect.

Built on the ``openai`` package with its retries off: pacing and retrying are ``optimizer.llm.lane``'s.
Faults of the library are turned into ours outside of the ``except`` clause, so that no exception of
theirs, with its request and headers, hangs on ours as context.
"""

from collections.abc import Iterator
from time import monotonic

import httpx2
import openai
from openai.types.chat import ChatCompletionChunk

from optimizer.domain import Connection
from optimizer.errors import ProviderError
from optimizer.llm.answers import parse_json, read_answer
from optimizer.llm.base import Completion, Request
from optimizer.llm.client import open_client
from optimizer.llm.errors import AnswerTooLong, TimedOut
from optimizer.llm.keys import Key
from optimizer.llm.openai_stream import StreamedAnswer
from optimizer.llm.translate import translate

MAX_ANSWER_BYTES = 4_000_000
STREAM_PATIENCE = 5  # a stream may last so many time-outs, for it shows that it goes on

LibraryFault = openai.OpenAIError | httpx2.HTTPError | httpx2.StreamError | ValueError
FAULTS = (openai.OpenAIError, httpx2.HTTPError, httpx2.StreamError, ValueError)


class OpenAICompatible:
    """One connection with its key. Safe to share between threads."""

    def __init__(self, connection: Connection, key: Key | None) -> None:
        self._connection = connection
        self._key = key
        self._client = open_client(connection, key)
        # Dialects differ in two parameters; what a server has refused once is not sent again.
        self._new_token_limit = False
        self._no_stream_options = False

    def __repr__(self) -> str:
        return f"OpenAICompatible({self._connection.name!r})"

    @property
    def name(self) -> str:
        return self._connection.model

    def complete(self, request: Request) -> Completion:
        """One answer. The whole call, slow drips included, ends within the connection's time-out."""
        request = request.filled(self._connection)
        started = monotonic()
        body = self._post(request, started + self._connection.timeout_s)
        data = parse_json(body, self._connection.server)
        return read_answer(data, request, self._connection.server, _milliseconds(started))

    def stream(self, request: Request) -> Iterator[str | Completion]:
        """The answer as it comes. Each piece comes within the time-out, the last within five."""
        request = request.filled(self._connection)
        started = monotonic()
        deadline = started + STREAM_PATIENCE * self._connection.timeout_s
        answer = StreamedAnswer(self._connection.server, self._key)
        fault: ProviderError | None = None
        try:
            with self._open_stream(request) as chunks:
                for chunk in chunks:
                    piece = answer.add(chunk)
                    if piece:
                        yield piece
                    self._check_limits(answer.length, deadline)
        except FAULTS as error:
            fault = self.translated(error)
        if fault is not None:
            raise fault
        yield answer.completion(request, _milliseconds(started))

    def models(self) -> tuple[str, ...]:
        """The models that the server lists, sorted. Raises ``ProviderError``."""
        names: list[str] = []
        fault: ProviderError | None = None
        try:
            listed = self._client.models.with_raw_response.list().http_response.json()
            rows = listed.get("data") if isinstance(listed, dict) else None
            names = [str(row["id"]) for row in rows or () if isinstance(row, dict) and "id" in row]
        except FAULTS as error:
            fault = self.translated(error)
        if fault is not None:
            raise fault
        return tuple(sorted(names))

    # -- sending ------------------------------------------------------------------------------
    def _post(self, request: Request, deadline: float) -> bytes:
        """The body of the answer, without the key should the server quote it."""
        fault: ProviderError | None = None
        try:
            body = self._receive(request, deadline)
            return body if self._key is None else self._key.redact(body.decode(errors="replace")).encode()
        except FAULTS as error:
            if not self._adapt(error):
                fault = self.translated(error)
        if fault is not None:
            raise fault
        return self._post(request, deadline)

    def _receive(self, request: Request, deadline: float) -> bytes:
        """Read block by block: the library's own time-out starts anew with every byte of a slow drip."""
        body = bytearray()
        with self._client.chat.completions.with_streaming_response.create(
            model=self._connection.model,
            messages=(),
            extra_body=self.body(request),
        ) as response:
            for block in response.iter_bytes():
                body += block
                self._check_limits(len(body), deadline)
        return bytes(body)

    def _open_stream(self, request: Request) -> openai.Stream[ChatCompletionChunk]:
        options: dict[str, object] = {"stream_options": {"include_usage": True}}
        try:
            return self._client.chat.completions.create(
                model=self._connection.model,
                messages=(),
                stream=True,
                extra_body=self.body(request) | ({} if self._no_stream_options else options),
            )
        except openai.BadRequestError as error:
            if not self._adapt(error):
                raise
        return self._open_stream(request)

    @property
    def client(self) -> openai.OpenAI:
        """For what is no chat completion; its faults are told by ``translated``."""
        return self._client

    def body(self, request: Request) -> dict[str, object]:
        """The body but for the model, as plain data: what is passed by name, the library first walks
        through with its type annotations, for longer than all the rest of a call takes."""
        limit = "max_completion_tokens" if self._new_token_limit else "max_tokens"
        wanted: dict[str, object | None] = {
            "temperature": request.temperature,
            limit: request.max_tokens,
            "seed": request.seed,
            "logprobs": True if request.top_logprobs is not None else None,
            "top_logprobs": request.top_logprobs,
        }
        if request.schema is not None:
            schema = {"name": "answer", "strict": True, "schema": dict(request.schema)}
            wanted["response_format"] = {"type": "json_schema", "json_schema": schema}
        messages = [{"role": message.role.value, "content": message.content} for message in request.messages]
        given = {name: value for name, value in wanted.items() if value is not None}
        return {"messages": messages, **given}

    def _adapt(self, error: LibraryFault) -> bool:
        """Does the server want the request in its other dialect? Then the next one is."""
        return isinstance(error, openai.BadRequestError) and self.learn(error.message)

    def learn(self, message: str) -> bool:
        """The same, from what it says of a request that it refused."""
        if "max_completion_tokens" in message and not self._new_token_limit:
            self._new_token_limit = True
            return True
        if "stream_options" in message and not self._no_stream_options:
            self._no_stream_options = True
            return True
        return False

    # -- receiving ----------------------------------------------------------------------------
    def _check_limits(self, received: int, deadline: float) -> None:
        server, patience = self._connection.server, self._connection.timeout_s
        if received > MAX_ANSWER_BYTES:
            most = f"{MAX_ANSWER_BYTES / 1e6:g} MB"
            raise AnswerTooLong(f"{server} sent more than {most} for one answer. Set a lower max_tokens.")
        if monotonic() > deadline:
            raise TimedOut(
                f"{server} began to answer but did not end in time (time-out {patience:g} s). Set a lower "
                "max_tokens or a longer time-out."
            )

    def translated(self, error: LibraryFault) -> ProviderError:
        """A fault of the library as one of ours, without the key."""
        redact = str if self._key is None else self._key.redact
        return translate(error, self._connection, self._key is not None, redact)


def _milliseconds(started: float) -> float:
    return round((monotonic() - started) * 1000, 1)
