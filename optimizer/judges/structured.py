"""Asks a model for one JSON object about material that others wrote; asks once more if it cannot be read.

The material travels as strings of one JSON object, so no quote or line break of it ends the field that it
is in. The fence around it is a digest of everything inside, which nobody can write into a text that it
is the digest of; and the answer must repeat it, so that an object quoted from the material is no answer.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from optimizer.errors import NoVerdict
from optimizer.judges.reading import Unreadable
from optimizer.llm.base import Completion, FinishReason, LanguageModel, Message, Request, Role
from optimizer.llm.errors import NoAnswer, SchemaRefused

log = logging.getLogger(__name__)

T = TypeVar("T")

TRIES = 2
FENCE = "{fence}"  # stands for the fence in rules
REMINDER = (
    "Your last answer could not be read. Answer with exactly one JSON object of the form given above, "
    "nothing before or after it."
)


@dataclass(frozen=True, slots=True)
class Asked(Generic[T]):
    """What was read from an answer, and what the asking took."""

    value: T
    completion: Completion
    calls: int
    tokens: int


@dataclass(slots=True, eq=False)
class Structured:
    """Asks one model. ``temperature`` and ``max_tokens`` None leave them to the connection."""

    model: LanguageModel
    temperature: float | None = None
    top_logprobs: int | None = None
    max_tokens: int | None = None
    # Some servers know no schemas; what one has refused is not sent to it again.
    _with_schema: bool = field(default=True)

    def ask(
        self,
        rules: str,
        material: Mapping[str, object],
        schema: Mapping[str, object],
        read: Callable[[Completion, str], T],
        sample: int = 0,
    ) -> Asked[T]:
        """What ``read(completion, fence)`` makes of the answer; it raises ``Unreadable`` when nothing.

        Raises ``NoVerdict`` when neither answer could be read, ``ProviderError`` when the server fails.
        """
        payload, fence = fenced(material)
        calls = tokens = 0
        fault = ""
        for reminder in ("", f"\n\n{REMINDER}"):
            calls += 1
            messages = (
                Message(Role.SYSTEM, rules.replace(FENCE, fence) + reminder),
                Message(Role.USER, f"{fence}\n{payload}\n{fence}"),
            )
            try:
                completion = self._complete(messages, schema, sample)
                tokens += completion.usage.tokens
                if completion.finish_reason is FinishReason.LENGTH:
                    raise Unreadable("it was cut off at its limit")
                return Asked(read(completion, fence), completion, calls, tokens)
            except NoAnswer as error:
                tokens += error.usage.tokens
                fault = str(error)
            except Unreadable as error:
                fault = f"Its answer could not be read: {error}."
            log.info("unreadable answer model=%s try=%d", self.model.name, calls)
        raise NoVerdict(f"{self.model.name} gave no answer in {TRIES} tries. {fault}", calls, tokens)

    def _complete(
        self, messages: tuple[Message, ...], schema: Mapping[str, object], sample: int
    ) -> Completion:
        request = Request(
            messages,
            temperature=self.temperature,
            max_tokens=self.max_tokens,
            schema=schema if self._with_schema else None,
            top_logprobs=self.top_logprobs,
            sample=sample,
        )
        try:
            return self.model.complete(request)
        except SchemaRefused:
            if request.schema is None:
                raise
            self._with_schema = False
        return self._complete(messages, schema, sample)


def fenced(material: Mapping[str, object]) -> tuple[str, str]:
    """The material as one line of JSON, and its fence: 12 hexadecimal digits that follow from all of it."""
    payload = json.dumps(material, ensure_ascii=False)
    return payload, hashlib.sha256(payload.encode()).hexdigest()[:12]


def object_schema(properties: Mapping[str, object]) -> dict[str, object]:
    """The schema of an object with exactly these keys."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }
