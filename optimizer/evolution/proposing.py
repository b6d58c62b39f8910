"""Proposals being drafted, on threads of their own: each is kept as it comes; progress, cancel, wait."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from optimizer.domain import Connection, PromptId, new_id
from optimizer.errors import NoVerdict, ProviderError, StorageError
from optimizer.evolution.offers import Offers
from optimizer.evolution.plan import Order
from optimizer.llm.base import LanguageModel, Usage
from optimizer.llm.budget import Ledger, Spend
from optimizer.llm.errors import BudgetSpent, CallCancelled, ConnectionFault
from optimizer.llm.tokens import cost
from optimizer.proposers.asking import ask_model, tokens_in, tokens_out
from optimizer.proposers.base import Ask, Proposal

log = logging.getLogger(__name__)

Step = Ask | Proposal
SPARE = 2  # times the usual length of an answer, where the connection's limit is lower


class State(StrEnum):
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    SPENT = "spent"  # the budget leaves no room for another call
    STOPPED = "stopped"  # a fault that concerns every call; ``last_error`` says which


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an order takes, about; a proposal whose first answer cannot be read takes a second call. ``money``
    is None where the connection has no prices."""

    proposals: int
    calls: int
    tokens: int
    money: float | None


@dataclass(frozen=True, slots=True)
class Progress:
    """A job at one moment."""

    state: State
    wanted: int
    offered: int
    failed: int
    spent: Spend
    last_error: str


def estimate(steps: Sequence[Step], texts: Mapping[PromptId, str], connection: Connection | None) -> Estimate:
    """What a plan takes; ``texts`` are those of the parents. Calls nobody."""
    asks = [step for step in steps if isinstance(step, Ask)]
    usage = Usage(sum(tokens_in(ask) for ask in asks), sum(_answer(ask, texts) for ask in asks))
    money = 0.0 if connection is None else cost(connection, usage)
    return Estimate(len(steps), len(asks), usage.tokens, money)


def limit_of(ask: Ask, texts: Mapping[PromptId, str], connection: Connection) -> int | None:
    """The limit of an answer: the connection's, or more where a prompt as long as its parent needs it."""
    if connection.max_tokens is None:
        return None
    return max(connection.max_tokens, SPARE * _answer(ask, texts))


def _answer(ask: Ask, texts: Mapping[PromptId, str]) -> int:
    return tokens_out(max((texts.get(parent, "") for parent in ask.parents), key=len, default=""))


class Proposing:
    """Asks for proposals and keeps them, until all are there, it is cancelled, or the budget is spent."""

    def __init__(
        self,
        order: Order,
        steps: Sequence[Step],
        offers: Offers,
        model: LanguageModel | None,
        limit: Callable[[Ask], int | None],
        ledger: Ledger,
        cancelled: threading.Event,
        threads: int,
    ) -> None:
        self.id = new_id()
        self.order = order
        self._offers = offers
        self._model = model
        self._limit = limit
        self._ledger = ledger
        self._cancelled = cancelled
        self._todo = deque(steps)
        self._wanted = len(steps)
        self._offered = self._failed = self._threads = 0
        self._most_threads = threads
        self._state = State.RUNNING
        self._last_error = ""
        self._changed = threading.Condition()

    def progress(self) -> Progress:
        """A consistent snapshot."""
        with self._changed:
            spent = self._ledger.spent
            return Progress(self._state, self._wanted, self._offered, self._failed, spent, self._last_error)

    def cancel(self) -> None:
        """Make no further call. What is in flight was paid for and is kept."""
        with self._changed:
            self._cancelled.set()
            if self._state is State.RUNNING:
                self._state = State.CANCELLED

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until no thread is at work; False when that took longer."""
        with self._changed:
            return self._changed.wait_for(lambda: self._threads == 0, timeout_s)

    @property
    def ended(self) -> bool:
        return self._threads == 0

    def start(self) -> None:
        with self._changed:
            for _ in range(min(self._wanted, self._most_threads)):
                self._threads += 1
                threading.Thread(target=self._work, name=f"propose-{self.id[:6]}", daemon=True).start()

    def _work(self) -> None:
        sound = False
        try:
            while (step := self._take()) is not None:
                self._one(step)
            sound = True
        finally:
            with self._changed:
                self._threads -= 1
                if not sound:
                    self._stop(State.STOPPED, "A fault of the app ended this; its log says which.")
                if self._threads == 0 and self._state is State.RUNNING:
                    self._state = State.DONE
                self._changed.notify_all()

    def _take(self) -> Step | None:
        with self._changed:
            if self._state is not State.RUNNING or not self._todo:
                return None
            return self._todo.popleft()

    def _one(self, step: Step) -> None:
        try:
            self._keep(step)
        except CallCancelled:
            return
        except BudgetSpent as error:
            self._stop(State.SPENT, str(error))
        except (ConnectionFault, StorageError) as error:
            self._stop(State.STOPPED, str(error))
        except NoVerdict as error:
            self._fail(step, str(error), error.calls, error.tokens)
        except ProviderError as error:
            self._fail(step, str(error), 1, 0)

    def _keep(self, step: Step) -> None:
        order = self.order
        calls = tokens = 0
        name = ""
        if isinstance(step, Ask):
            assert self._model is not None
            found = ask_model(self._model, step, self._limit(step))
            step, calls, tokens, name = found.proposal, found.calls, found.tokens, found.model
        offer = self._offers.made(
            order.study, order.proposer, text=step.text, parents=step.parents, change=step.change,
            why=step.why, connection=order.connection, model=name, calls=calls, tokens=tokens,
            run=order.run, round=order.round,
        )  # fmt: skip
        log.info("proposal id=%s study=%s calls=%d tokens=%d", offer.id, offer.study, calls, tokens)
        with self._changed:
            self._offered += 1

    def _fail(self, step: Step, error: str, calls: int, tokens: int) -> None:
        """Keep that nothing came of it, so that the answer can be looked for and the price is known."""
        self._offers.failed(self.order, step.parents, error, calls, tokens)
        with self._changed:
            self._failed += 1
            self._last_error = error

    def _stop(self, state: State, error: str) -> None:
        with self._changed:
            if self._state is State.RUNNING:
                self._state, self._last_error = state, error
                if state is State.STOPPED:
                    self._cancelled.set()
