"""A chat completion that comes in pieces, put together."""

from openai.types.chat import ChatCompletionChunk

from optimizer.llm.answers import finish, read_logprobs
from optimizer.llm.base import Completion, Request, TokenLogprob
from optimizer.llm.errors import CutOff, NotUnderstood
from optimizer.llm.keys import Key


class StreamedAnswer:
    """What has come so far. The library ends a broken stream silently, so ``completion`` checks."""

    def __init__(self, server: str, key: Key | None) -> None:
        self._server = server
        self._key = key
        self._chunks = 0
        self._texts: list[str] = []
        self._refusals: list[str] = []
        self._logprobs: list[TokenLogprob] = []
        self._finish_reason: str | None = None
        self._usage: object = None
        self._model = ""
        self.length = 0  # characters

    def add(self, chunk: ChatCompletionChunk) -> str:
        """Take in a chunk; returns its text, often empty."""
        self._chunks += 1
        data = chunk.to_dict()
        self._usage = data.get("usage") or self._usage
        self._model = str(data.get("model") or self._model)
        choices = data.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else {}
        delta = choice.get("delta") or {}
        piece = str(delta.get("content") or "")
        self._texts.append(piece)
        self.length += len(piece)
        self._refusals.append(str(delta.get("refusal") or ""))
        self._logprobs.extend(read_logprobs(choice.get("logprobs")))
        self._finish_reason = choice.get("finish_reason") or self._finish_reason
        return self._redacted(piece)

    def completion(self, request: Request, latency_ms: float) -> Completion:
        """The whole answer. ``CutOff`` when the stream stopped before the model did."""
        if not self._chunks:
            raise NotUnderstood(f"{self._server} sent no stream. Check the address; it usually ends in /v1.")
        if self._finish_reason is None:
            raise CutOff(
                f"{self._server} broke off after {self.length:,} characters of its answer. Try again."
            )
        return finish(
            text=self._redacted("".join(self._texts)),
            refusal=self._redacted("".join(self._refusals)),
            finish_reason=self._finish_reason,
            usage=self._usage,
            model=self._model,
            logprobs=tuple(self._logprobs),
            request=request,
            server=self._server,
            latency_ms=latency_ms,
        )

    def _redacted(self, text: str) -> str:
        return text if self._key is None else self._key.redact(text)
