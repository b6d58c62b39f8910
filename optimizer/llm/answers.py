"""Reads what a chat completions server sends: the whole answer, or one that came in pieces.

Servers differ in what they leave out, so everything is checked before it is believed.
"""

import json
from collections.abc import Mapping, Sequence

from optimizer.llm.base import Completion, FinishReason, Request, TokenLogprob, Usage
from optimizer.llm.errors import ContentFiltered, EmptyAnswer, NotUnderstood, WrongAddress
from optimizer.llm.tokens import estimate, estimate_input

CUT_AT_LIMIT = frozenset({"length", "max_tokens", "model_length"})


def parse_json(body: bytes, server: str) -> Mapping[str, object]:
    """The body as a JSON object. A web page instead of JSON means that the address is wrong."""
    text = body.decode("utf-8", errors="replace")
    if text.lstrip()[:1] == "<":
        raise WrongAddress(
            f"{server} answers with a web page, not with a model's answer. Check the server's address: "
            "it usually ends in /v1."
        )
    try:
        data = json.loads(text)
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise NotUnderstood(
            f"{server} sent an answer that is not valid JSON ({len(body):,} bytes). Try again; if it "
            "stays so, the server does not speak the OpenAI dialect."
        )
    return data


def read_answer(data: Mapping[str, object], request: Request, server: str, latency_ms: float) -> Completion:
    """A ``chat.completion`` object as a completion."""
    choice = _first(data.get("choices"))
    message = _mapping(choice.get("message")) if choice else {}
    if not message:
        raise NotUnderstood(f"{server} sent an answer without a message in it ({_says(data)}). Try again.")
    refusal = message.get("refusal")
    return finish(
        text=_text(message.get("content")),
        refusal=refusal if isinstance(refusal, str) else "",
        finish_reason=choice.get("finish_reason"),
        usage=data.get("usage"),
        model=data.get("model"),
        logprobs=read_logprobs(choice.get("logprobs")),
        request=request,
        server=server,
        latency_ms=latency_ms,
    )


def finish(
    *,
    text: str,
    refusal: str,
    finish_reason: object,
    usage: object,
    model: object,
    logprobs: tuple[TokenLogprob, ...],
    request: Request,
    server: str,
    latency_ms: float,
) -> Completion:
    """A completion from its parts, or the fault that they make."""
    if not isinstance(finish_reason, str) or not finish_reason:
        raise NotUnderstood(
            f"{server} does not say why its answer ends, so it may be half of one. Try again."
        )
    counted = read_usage(usage, request, text)
    if finish_reason == "content_filter" or refusal:
        said = f": {refusal[:200]}" if refusal else ""
        raise ContentFiltered(
            f"The model refused or the server's content filter withheld the answer{said}. Change the prompt "
            "or the input.",
            counted,
            text or refusal,
            finish_reason,
        )
    if not text.strip():
        cut = finish_reason in CUT_AT_LIMIT
        hint = (
            f"All of max_tokens = {request.max_tokens} went into hidden reasoning; raise it."
            if cut
            else "Change the prompt, or try another sample."
        )
        raise EmptyAnswer(f"The model answered with nothing. {hint}", counted, "", finish_reason)
    return Completion(
        text=text,
        finish_reason=FinishReason.LENGTH if finish_reason in CUT_AT_LIMIT else FinishReason.STOP,
        usage=counted,
        latency_ms=latency_ms,
        model=model if isinstance(model, str) else "",
        logprobs=logprobs,
    )


def read_usage(usage: object, request: Request, text: str) -> Usage:
    """The tokens as the server counts them, else estimated from the texts."""
    counts = _mapping(usage)
    sent, received = counts.get("prompt_tokens"), counts.get("completion_tokens")
    if isinstance(sent, int) and isinstance(received, int) and sent >= 0 and received >= 0:
        return Usage(sent, received)
    return Usage(estimate_input(request), estimate(text), estimated=True)


def read_logprobs(logprobs: object) -> tuple[TokenLogprob, ...]:
    """The tokens' log-probabilities, empty where the server gives none."""
    content = _mapping(logprobs).get("content")
    rows = [_mapping(row) for row in content] if isinstance(content, list) else []
    return tuple(
        TokenLogprob(
            str(row["token"]), float(_number(row["logprob"])), _alternatives(row.get("top_logprobs"))
        )
        for row in rows
        if "token" in row and "logprob" in row
    )


def _alternatives(rows: object) -> dict[str, float]:
    listed = [_mapping(row) for row in rows] if isinstance(rows, list) else []
    return {
        str(row["token"]): _number(row["logprob"]) for row in listed if "token" in row and "logprob" in row
    }


def _number(value: object) -> float:
    if isinstance(value, int | float):
        return float(value)
    raise NotUnderstood("The server sent a log-probability that is not a number.")


def _text(content: object) -> str:
    """The text of a message; some servers send a list of parts."""
    if isinstance(content, list):
        return "".join(str(_mapping(part).get("text", "")) for part in content)
    return content if isinstance(content, str) else ""


def _first(rows: object) -> Mapping[str, object]:
    return _mapping(rows[0]) if isinstance(rows, Sequence) and rows and not isinstance(rows, str) else {}


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _says(data: Mapping[str, object]) -> str:
    """What the answer says of a fault, if it is one in disguise: HTTP 200 with an error inside."""
    error = data.get("error")
    message = _mapping(error).get("message", error)
    return f"it says: {str(message)[:200]}" if message else "it has no choices"
