"""One connection's calls, whoever makes them: how many at once, how fast, how often, for how much.

Generation, judging and proposing each get a ``LanguageModel`` from ``Lane.under`` and need not know
that calls wait for a slot, for the pace and for the budget, or that passing faults are tried again.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from time import monotonic

from optimizer.domain import Connection
from optimizer.errors import ProviderError
from optimizer.llm.base import Completion, LanguageModel, Request, Usage
from optimizer.llm.budget import NOTHING, Ledger, Spend, most_of, spend_of
from optimizer.llm.errors import (
    AnswerTooLong,
    CallCancelled,
    CutOff,
    NoAnswer,
    NotUnderstood,
    Passing,
    QuotaSpent,
    RateLimited,
    TimedOut,
)
from optimizer.llm.keys import Key
from optimizer.llm.pace import Pace, Start
from optimizer.llm.sharing import Gate, Sharing
from optimizer.llm.slots import Slots
from optimizer.llm.tokens import estimate_input
from optimizer.metrics import TOKENS, model_call

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 60.0
PATIENCE_S = 300.0  # a server that asks to wait longer is not waited for
MAYBE_BILLED = (TimedOut, CutOff, NotUnderstood, AnswerTooLong)


class Lane:
    """A connection with its key and its limits. Shared between threads."""

    def __init__(self, connection: Connection, model: LanguageModel, gate: Gate | None = None) -> None:
        """``gate``: where other processes call over the same connection."""
        self.connection = connection
        self.model = model
        self.gate = gate
        self.pace = Pace(connection.requests_per_minute, connection.tokens_per_minute)
        self.slots = Slots(connection.concurrency)

    def under(
        self,
        ledger: Ledger | None = None,
        cancelled: threading.Event | None = None,
        urgent: bool = False,
    ) -> "Metered":
        """The model, within a budget, until cancelled; urgent calls (somebody waits) go first."""
        return Metered(self, ledger or Ledger(), cancelled or threading.Event(), urgent)


@dataclass(slots=True, eq=False)
class Metered:
    """A ``LanguageModel`` whose calls keep a lane's limits. Raises ``BudgetSpent``, ``CallCancelled``."""

    lane: Lane
    ledger: Ledger
    cancelled: threading.Event
    urgent: bool = False
    _rng: random.Random = field(default_factory=random.Random)

    @property
    def name(self) -> str:
        return self.lane.model.name

    def complete(self, request: Request) -> Completion:
        failures: Counter[type[Passing]] = Counter()
        while True:
            try:
                with self._call(request) as settle:
                    completion = self.lane.model.complete(request)
                    settle(completion.usage)
                    return completion
            except Passing as error:
                self._wait_after(error, failures)

    def stream(self, request: Request) -> Iterator[str | Completion]:
        """Tried again only while nothing has come: what was shown is not taken back."""
        failures: Counter[type[Passing]] = Counter()
        begun = False
        while True:
            try:
                with self._call(request) as settle:
                    for piece in self.lane.model.stream(request):
                        begun = True
                        if isinstance(piece, Completion):
                            settle(piece.usage)
                        yield piece
                    return
            except Passing as error:
                if begun:
                    raise
                self._wait_after(error, failures)

    @contextmanager
    def _call(self, request: Request) -> Iterator[Callable[[Usage], None]]:
        """Room in the budget, a slot and the moment for one call; settles what it took, whatever happens."""
        connection, pace = self.lane.connection, self.lane.pace
        most = most_of(connection, request)
        number = self.ledger.reserve(most, self.cancelled)
        took = NOTHING

        def settle(usage: Usage) -> None:
            nonlocal took
            took = spend_of(connection, usage)
            pace.accepted(start, monotonic(), usage.tokens)
            tell_others(usage.tokens)
            TOKENS.labels(connection.name).inc(usage.tokens)

        tokens = estimate_input(request) + (most.output_tokens if connection.max_tokens else 0)
        try:
            with (
                self.lane.slots.taken(self.cancelled, self.urgent),
                self._among_others(tokens) as tell_others,
            ):
                start = self._start(tokens)
                took = most  # until it is known what became of it
                try:
                    with model_call(connection.name):
                        yield settle
                except ProviderError as error:
                    took = _took(error, connection, most)
                    self._tell_pace(error, start)
                    raise
        finally:
            self.ledger.settle(number, took)

    def _among_others(self, tokens: int) -> AbstractContextManager[Callable[[int], None]]:
        if self.lane.gate is None:
            return nullcontext(lambda _: None)
        return self.lane.gate.passed(tokens, self.cancelled)

    def _start(self, tokens: int) -> Start:
        while True:
            start = self.lane.pace.start(monotonic(), tokens)
            if isinstance(start, Start):
                return start
            self._check_patience(start)
            self._sleep(start)

    def _tell_pace(self, error: ProviderError, start: Start) -> None:
        pace, now = self.lane.pace, monotonic()
        if isinstance(error, RateLimited):
            pace.refused(start, now, FIRST_WAIT_S if error.retry_after is None else error.retry_after)
        elif isinstance(error, Passing):
            pace.failed(start, now, FIRST_WAIT_S if error.retry_after is None else error.retry_after)
        else:
            pace.accepted(start, now, error.usage.tokens if isinstance(error, NoAnswer) else 0)

    def _wait_after(self, error: Passing, failures: Counter[type[Passing]]) -> None:
        """Sleep before the next try, or raise the error when it was the last."""
        failures[type(error)] += 1
        if failures[type(error)] >= error.tries:
            raise error
        self._check_patience(error.retry_after or 0.0)
        self._sleep(wait_after(error.retry_after, failures.total(), self._rng))

    def _check_patience(self, seconds: float) -> None:
        """``QuotaSpent`` when the server asks to wait for so long that nobody stands by: at the refusal, and
        when somebody begins again before that time is over. The connection's own limits never ask for it."""
        if seconds > PATIENCE_S:
            server = self.lane.connection.server
            raise QuotaSpent(
                f"{server} takes no calls for the next {seconds / 60:.0f} minutes. Start again then: what is "
                "done stays done."
            )

    def _sleep(self, seconds: float) -> None:
        if self.cancelled.wait(seconds):
            raise CallCancelled("Cancelled before the call was made.")


def wait_after(asked: float | None, failures: int, rng: random.Random) -> float:
    """Seconds until the next try: what the server asks and up to a tenth more, else doubling with jitter."""
    if asked is not None:
        return asked * rng.uniform(1.0, 1.1) + rng.uniform(0.0, 0.05)
    return min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** (failures - 1)) * rng.uniform(0.5, 1.0)


def _took(error: ProviderError, connection: Connection, most: Spend) -> Spend:
    """What a failed call took: nothing when it was refused, the most when nobody can tell."""
    if isinstance(error, NoAnswer):
        return spend_of(connection, error.usage)
    return most if isinstance(error, MAYBE_BILLED) else NOTHING


class Lanes:
    """The lanes of an app: one per connection as it is now, so that its limits hold over all services."""

    def __init__(
        self,
        open_model: Callable[[Connection, Key | None], LanguageModel],
        sharing: Sharing | None = None,
    ) -> None:
        self._open_model = open_model
        self._sharing = sharing
        self._lanes: dict[str, dict[Key | None, Lane]] = {}
        self._lock = threading.Lock()

    def lane(self, connection: Connection, key: Key | None) -> Lane:
        """The lane of a connection; a new one when the connection was edited. ``BadInput`` for nonsense."""
        with self._lock:
            known = self._lanes.get(connection.name, {})
            if any(lane.connection != connection for lane in known.values()):
                known = {}
            if key not in known:
                gate = self._sharing.gate(connection) if self._sharing else None
                lane = Lane(connection, self._open_model(connection, key), gate)
                for other in known.values():  # another key, the same limits
                    lane.pace, lane.slots = other.pace, other.slots
                known = {**known, key: lane}
            self._lanes[connection.name] = known
            return known[key]
