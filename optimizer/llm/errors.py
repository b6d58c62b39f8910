"""What can go wrong between us and a model server: one class per fault.

    ProviderError
    |- ConnectionFault      this connection cannot work until a person mends it: stop
    |  |- KeyMissing           no key was given
    |  |- KeyRefused           401
    |  |- NoPermission         403
    |  |- WrongAddress         not an API, or nothing at that path
    |  |- ModelNotFound        404, naming the model
    |  `- QuotaSpent           402, or 429 that waiting does not cure
    |- RequestRefused       400, 413, 422: this request, not the connection
    |  |- TooLong              more tokens than the model's context
    |  `- SchemaRefused        the server or model knows no structured output
    |- Passing              likely gone on the next try
    |  |- RateLimited          429, with the seconds to wait if the server says so
    |  |- ServerBusy           5xx
    |  |- TimedOut             no answer, or no end of it, in time
    |  |- Unreachable          no connection to the host
    |  |- CutOff               the connection broke in mid-answer
    |  `- NotUnderstood        the answer is not what the protocol says
    |- NoAnswer             paid for, but nothing that could be shown
    |  |- EmptyAnswer          no text
    |  `- ContentFiltered      withheld by the server's filter, or refused by the model
    |- AnswerTooLong        more than anybody would read; not read to its end
    |- BudgetSpent          ours: the next call might exceed the budget
    |- CallCancelled        ours: somebody pressed cancel
    `- NotRecorded          a recorded model was asked for what it has no record of

``tries`` is how often one call may fail in this way before it is given up. Each message says what
happened and what to do; keys never appear in one.
"""

from typing import ClassVar

from optimizer.errors import ProviderError
from optimizer.llm.base import Usage


class ConnectionFault(ProviderError):
    """This connection cannot work until a person mends it."""


class KeyMissing(ConnectionFault):
    """No key was given, and the server wants one."""


class KeyRefused(ConnectionFault):
    """The server does not accept the key."""


class NoPermission(ConnectionFault):
    """The key is valid but may not do this."""


class WrongAddress(ConnectionFault):
    """No such API at this address."""


class ModelNotFound(ConnectionFault):
    """The server has no such model."""


class QuotaSpent(ConnectionFault):
    """The account's credit or quota is used up."""


class RequestRefused(ProviderError):
    """The server understood the request and will not serve it."""


class TooLong(RequestRefused):
    """The request does not fit into the model's context."""


class SchemaRefused(RequestRefused):
    """No structured output here: ask without a schema and parse strictly."""


class Passing(ProviderError):
    """Likely gone on the next try; ``tries`` is how often a call may fail so."""

    tries: ClassVar[int] = 4
    retry_after: float | None = None  # seconds, where the server says so

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RateLimited(Passing):
    """Too many calls or tokens at once."""

    tries = 10


class ServerBusy(Passing):
    """The server failed or is overloaded."""

    tries = 6


class TimedOut(Passing):
    """No answer in time. It may have been paid for all the same, so it is not tried often."""

    tries = 2


class Unreachable(Passing):
    """No connection to the host."""


class CutOff(Passing):
    """The connection broke in mid-answer."""

    tries = 3


class NotUnderstood(Passing):
    """The answer is not what the protocol says."""

    tries = 3


class NoAnswer(ProviderError):
    """Paid for, but nothing that could be shown; ``text`` holds what there is of it."""

    def __init__(self, message: str, usage: Usage, text: str = "", finish_reason: str = "") -> None:
        super().__init__(message)
        self.usage = usage
        self.text = text
        self.finish_reason = finish_reason


class EmptyAnswer(NoAnswer):
    """No text."""


class ContentFiltered(NoAnswer):
    """Withheld by the server's filter, or refused by the model."""


class AnswerTooLong(ProviderError):
    """More than anybody would read; reading was broken off."""


class BudgetSpent(ProviderError):
    """The next call might exceed the budget."""


class CallCancelled(ProviderError):
    """Cancelled before the call was made."""


class NotRecorded(ProviderError):
    """A recorded model has no record of this request."""
