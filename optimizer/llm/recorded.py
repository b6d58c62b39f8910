"""A model that only repeats what is on record: a study's own outputs, played back without a call."""

from collections.abc import Iterable, Iterator

from optimizer.domain import Output
from optimizer.llm.base import Completion, FinishReason, Message, Request, Usage
from optimizer.llm.errors import NotRecorded


class Recorded:
    """Answers a conversation with the outputs recorded for it, repeat by repeat; never makes one up."""

    def __init__(self, records: Iterable[tuple[tuple[Message, ...], Output]]) -> None:
        self._texts: dict[tuple[Message, ...], dict[int, Output]] = {}
        for messages, output in records:
            if output.usable:
                self._texts.setdefault(messages, {})[output.sample] = output

    @property
    def name(self) -> str:
        return "recorded"

    def complete(self, request: Request) -> Completion:
        """The recorded answer for this conversation and sample number; ``NotRecorded`` if there is none."""
        samples = self._texts.get(request.messages, {})
        output = samples.get(request.sample)
        if output is None:
            raise NotRecorded(
                f"There is no recorded answer for sample {request.sample} of this input "
                f"({len(samples)} on record). Generate it with a live connection."
            )
        return Completion(
            output.text,
            FinishReason.LENGTH if output.finish_reason == FinishReason.LENGTH else FinishReason.STOP,
            Usage(0, 0),
            0.0,
            output.model,
        )

    def stream(self, request: Request) -> Iterator[str | Completion]:
        """The recorded text in one piece."""
        completion = self.complete(request)
        yield completion.text
        yield completion
