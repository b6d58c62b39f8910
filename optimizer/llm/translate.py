"""What the ``openai`` library raises, as our errors: each with a sentence that says what to do.

Our errors are returned, not raised from theirs: an exception of the library holds the request, its
headers and the server's words, none of which may travel into logs.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx2
import openai

from optimizer.domain import Connection
from optimizer.errors import ProviderError
from optimizer.llm.errors import (
    CutOff,
    KeyMissing,
    KeyRefused,
    ModelNotFound,
    NoPermission,
    NotUnderstood,
    QuotaSpent,
    RateLimited,
    RequestRefused,
    SchemaRefused,
    ServerBusy,
    TimedOut,
    TooLong,
    Unreachable,
    WrongAddress,
)

QUOTED = 300  # characters of the server's own words in a message
SPENT_WORDS = ("insufficient_quota", "billing", "credit balance", "exceeded your current quota")
LENGTH_WORDS = (
    "context_length",
    "context length",
    "maximum context",
    "too many tokens",
    "prompt is too long",
)
SCHEMA_WORDS = ("response_format", "json_schema", "structured output")


def translate(
    error: Exception, connection: Connection, has_key: bool, redact: Callable[[str], str]
) -> ProviderError:
    """The error of ours for one of ``openai`` or of its HTTP library."""
    server = connection.server
    if isinstance(error, openai.APIStatusError):
        return _by_status(error, connection, has_key, redact)
    if isinstance(error, openai.APITimeoutError | httpx2.TimeoutException):
        return TimedOut(
            f"{server} did not answer within {connection.timeout_s:g} s. Try again, or give the connection a "
            "longer time-out."
        )
    if isinstance(error, httpx2.RemoteProtocolError | httpx2.ReadError):
        return CutOff(f"{server} broke off in the middle of its answer. Try again.")
    if isinstance(error, openai.APIConnectionError | httpx2.TransportError | httpx2.InvalidURL):
        cause = error.__cause__ or error
        if isinstance(cause, httpx2.RemoteProtocolError | httpx2.ReadError):
            return CutOff(f"{server} closed the connection without an answer. Try again.")
        words = redact(str(cause))[:QUOTED] or type(cause).__name__
        return Unreachable(
            f"No connection to {server} ({words}). Is the address right, and is the server running?"
        )
    if isinstance(error, openai.APIError):  # an error event inside a stream
        return ServerBusy(f"{server} broke off with an error: {redact(error.message)[:QUOTED]} Try again.")
    return NotUnderstood(f"{server} sent an answer that could not be read. Try again.")


def _by_status(
    error: openai.APIStatusError, connection: Connection, has_key: bool, redact: Callable[[str], str]
) -> ProviderError:
    server, model, status = connection.server, connection.model, error.status_code
    said = _said(error, redact)
    known = f"{error.code} {error.type} {said}".lower()
    if status == 401:
        if not has_key:
            return KeyMissing(f"{server} wants a key and none was given. Enter one for '{connection.name}'.")
        return KeyRefused(f"{server} refuses the key. Enter a valid one for '{connection.name}'.")
    if status == 402 or (status == 429 and any(word in known for word in SPENT_WORDS)):
        return QuotaSpent(
            f"The account at {server} has no credit or quota left. Top it up, then start again."
        )
    if status == 403:
        return NoPermission(f"{server} forbids this key to use '{model}'. Use another key or model.{said}")
    if status == 404:
        if "model" in known:
            return ModelNotFound(f"{server} has no model '{model}'. Choose one from its list.{said}")
        return WrongAddress(f"There is nothing at {server} that answers. The address usually ends in /v1.")
    if status == 429:
        wait = retry_after(error.response.headers)
        asks = f" It asks to wait {_span(wait)}." if wait else ""
        return RateLimited(
            f"{server} takes no more calls for the moment.{asks} Lower the connection's limits.", wait
        )
    if status in (408, 504):
        return TimedOut(f"{server} gave up waiting for '{model}' (HTTP {status}). Try again.")
    if status >= 500:
        wait = retry_after(error.response.headers)
        return ServerBusy(f"{server} is overloaded or broken (HTTP {status}). Try again later.{said}", wait)
    if any(word in known for word in LENGTH_WORDS) or status == 413:
        return TooLong(f"The prompt with this input is too long for '{model}'. Shorten one of them.{said}")
    if any(word in known for word in SCHEMA_WORDS):
        return SchemaRefused(f"'{model}' at {server} does not do structured output.{said}")
    if 300 <= status < 400:
        target = error.response.headers.get("location", "another address")
        return WrongAddress(f"{server} redirects to {redact(target)[:QUOTED]}. Enter that address instead.")
    return RequestRefused(f"{server} refuses the request (HTTP {status}).{said}")


def _said(error: openai.APIStatusError, redact: Callable[[str], str]) -> str:
    """The server's own words, shortened, without the key; empty for a web page."""
    body = error.body
    message = body.get("message", body.get("detail", "")) if isinstance(body, Mapping) else body
    words = " ".join(str(message or "").split())
    if not words or words.startswith("<"):
        return ""
    return f" The server says: {redact(words)[:QUOTED]}"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that a server asks to wait: ``retry-after-ms``, or ``Retry-After`` as seconds or date."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after")
    seconds = _number(value)
    if seconds is not None or value is None:
        return seconds
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _number(value: str | None) -> float | None:
    try:
        number = float(value) if value is not None else None
    except ValueError:
        return None
    return number if number is not None and 0 <= number < float("inf") else None


def _span(seconds: float) -> str:
    """'40 seconds', '60 minutes'."""
    return f"{max(1.0, seconds):.0f} seconds" if seconds < 120 else f"{seconds / 60:.0f} minutes"
