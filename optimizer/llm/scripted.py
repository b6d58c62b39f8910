"""A model that follows a script: for tests, and for trying things out where no server is at hand.

Its name says "scripted", so that no screen can show its answers as those of a real model.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from time import monotonic

from optimizer.errors import BadInput
from optimizer.llm.base import Completion, FinishReason, Request, Usage
from optimizer.llm.errors import EmptyAnswer, NotRecorded
from optimizer.llm.tokens import estimate, estimate_input


class Scripted:
    """Answers with ``reply(request)``; a reply may raise any ``ProviderError``."""

    def __init__(self, reply: Callable[[Request], str], label: str = "test") -> None:
        self._reply = reply
        self._label = label

    @property
    def name(self) -> str:
        return f"scripted ({self._label})"

    def complete(self, request: Request) -> Completion:
        started = monotonic()
        text = self._reply(request)
        usage = Usage(estimate_input(request), estimate(text))
        if not text.strip():
            raise EmptyAnswer("The script answered with nothing.", usage, finish_reason="stop")
        latency_ms = (monotonic() - started) * 1000
        return Completion(text, FinishReason.STOP, usage, latency_ms, self.name)

    def stream(self, request: Request) -> Iterator[str | Completion]:
        """Word by word."""
        completion = self.complete(request)
        for start in range(0, len(completion.text), 16):
            yield completion.text[start : start + 16]
        yield completion


def table(replies: Mapping[str, str], label: str = "table") -> Scripted:
    """A script that looks the last message up; ``NotRecorded`` when it is not there."""

    def reply(request: Request) -> str:
        asked = request.messages[-1].content
        if asked not in replies:
            raise NotRecorded(f"The script '{label}' has no reply to '{asked[:60]}'.")
        return replies[asked]

    return Scripted(reply, label)


def words(request: Request) -> str:
    """Words of the last message in an order that depends on the request alone; no meaning at all."""
    rng = random.Random(repr((request.messages, request.sample)))
    found = list(dict.fromkeys(request.messages[-1].content.split())) or ["nothing"]
    chosen = rng.choices(found, k=rng.randint(12, 60))
    return " ".join(chosen).capitalize() + "."


SCRIPTS: dict[str, Callable[[Request], str]] = {"words": words}


def open_script(server: str) -> Scripted:
    """The script of an address such as ``scripted:words``. ``BadInput`` lists the known ones."""
    name = server.partition(":")[2].strip("/")
    if name not in SCRIPTS:
        raise BadInput(f"There is no script '{name}'. Known are {', '.join(sorted(SCRIPTS))}.")
    return Scripted(SCRIPTS[name], name)
