"""Many requests as one batch, where a server has OpenAI's batch API: a file of requests goes up, the server
works it off within a day, files of answers come down. Often at half the price, and outside of rate limits.

A batch carries a mark of ours, so that one whose creation was not heard of is found again and not paid for
twice.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from optimizer.domain import Connection
from optimizer.errors import ProviderError
from optimizer.llm.answers import read_answer
from optimizer.llm.base import Completion, Request
from optimizer.llm.errors import NotUnderstood
from optimizer.llm.keys import Key
from optimizer.llm.openai_compatible import FAULTS, OpenAICompatible

ENDPOINT: Final = "/v1/chat/completions"
WINDOW: Final = "24h"
MARK = "prompt_duel"
LOOKED_THROUGH = 500  # of the server's batches, for one with our mark
ENDED = frozenset({"completed", "failed", "expired", "cancelled"})

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Look:
    """A batch at one moment, in requests; ``answers`` and ``faults`` are files, "" without one."""

    state: str
    total: int = 0
    done: int = 0
    failed: int = 0
    answers: str = ""
    faults: str = ""
    said: str = ""

    @property
    def ended(self) -> bool:
        return self.state in ENDED


class Bulk:
    """A connection's batches. Every method raises ``ProviderError``."""

    def __init__(self, connection: Connection, key: Key | None) -> None:
        self._connection = connection
        self._model = OpenAICompatible(connection, key)

    def send(self, requests: Mapping[str, Request], mark: str) -> str:
        """Send the requests, by names of ours, and return the id of the batch."""
        model, connection = self._model, self._connection
        lines = (
            {
                "custom_id": name,
                "method": "POST",
                "url": ENDPOINT,
                "body": {"model": connection.model, **model.body(request.filled(connection))},
            }
            for name, request in requests.items()
        )
        content = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines).encode()

        def create() -> str:
            sent = model.client.files.create(file=("requests.jsonl", content), purpose="batch")
            return model.client.batches.create(
                completion_window=WINDOW, endpoint=ENDPOINT, input_file_id=sent.id, metadata={MARK: mark}
            ).id

        return self._told(create)

    def find(self, mark: str) -> str | None:
        """The id of the batch with this mark, if the server has one."""

        def look() -> str | None:
            for seen, batch in enumerate(self._model.client.batches.list(limit=100)):
                if (batch.metadata or {}).get(MARK) == mark:
                    return batch.id
                if seen >= LOOKED_THROUGH:
                    break
            return None

        return self._told(look)

    def look(self, batch: str) -> Look:
        found = self._told(lambda: self._model.client.batches.retrieve(batch))
        counts, errors = found.request_counts, found.errors.data if found.errors else None
        return Look(
            found.status,
            counts.total if counts else 0,
            counts.completed if counts else 0,
            counts.failed if counts else 0,
            found.output_file_id or "",
            found.error_file_id or "",
            next((error.message for error in errors or () if error.message), ""),
        )

    def cancel(self, batch: str) -> None:
        """Ask the server to stop; what is answered by then is kept and paid for."""
        self._told(lambda: self._model.client.batches.cancel(batch))

    def results(
        self, look: Look, requests: Mapping[str, Request]
    ) -> Iterator[tuple[str, Completion | ProviderError]]:
        """What became of each request of an ended batch, as far as the files say."""
        for file in filter(None, (look.answers, look.faults)):
            content = self._told(lambda file=file: self._model.client.files.content(file).content)  # type: ignore[misc]
            for line in content.decode(errors="replace").splitlines():
                try:
                    row = json.loads(line)
                    name, request = row["custom_id"], requests[row["custom_id"]]
                except (ValueError, KeyError, TypeError):
                    continue  # not one of ours: its request has no answer, and is asked again
                yield name, self._read(row, request)

    def _read(self, row: Mapping[str, object], request: Request) -> Completion | ProviderError:
        response = row.get("response")
        body = response.get("body") if isinstance(response, dict) else None
        if isinstance(response, dict) and response.get("status_code") == 200 and isinstance(body, dict):
            try:
                return read_answer(body, request.filled(self._connection), self._connection.server, 0.0)
            except ProviderError as error:
                return error
        fault = row.get("error") or (body.get("error") if isinstance(body, dict) else None)
        said = str(fault.get("message")) if isinstance(fault, dict) else "no reason was given"
        again = " Send it again." if self._model.learn(said) else ""
        return NotUnderstood(
            f"{self._connection.server} did not answer a request of the batch: {said}.{again}"
        )

    def _told(self, ask: Callable[[], T]) -> T:
        fault: ProviderError
        try:
            return ask()
        except FAULTS as error:
            fault = self._model.translated(error)
        raise fault
