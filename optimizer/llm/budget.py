"""A budget that cannot be overshot: every call reserves the most it could cost before it is made.

What a call really took is settled afterwards. A call that does not fit only because others in flight
hold reservations waits for them; one that would not fit even then raises ``BudgetSpent``.
"""

import threading
from dataclasses import dataclass

from optimizer.domain import Connection
from optimizer.errors import BadInput
from optimizer.llm.base import Request, Usage
from optimizer.llm.errors import BudgetSpent, CallCancelled
from optimizer.llm.sharing import Book
from optimizer.llm.tokens import cost, most_input

POLL_S = 0.1
UNLIMITED_ANSWER = 16_384  # tokens reserved where a connection sets no limit


@dataclass(frozen=True, slots=True)
class Spend:
    """What calls took. ``money`` is in the currency of the connection's prices, 0 without prices."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    money: float = 0.0

    def __add__(self, other: "Spend") -> "Spend":
        return Spend(
            self.calls + other.calls,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.money + other.money,
        )

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens


NOTHING = Spend()


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that may be spent; None is without limit."""

    calls: int | None = None
    tokens: int | None = None
    money: float | None = None

    def check(self, connection: Connection) -> None:
        """``BadInput`` when the budget could not be kept on this connection."""
        for name, limit in (("calls", self.calls), ("tokens", self.tokens), ("money", self.money)):
            if limit is not None and limit < 0:
                raise BadInput(f"A budget of {limit:g} {name} makes no sense. Give 0 or more.")
        if self.money is not None and (connection.input_price is None or connection.output_price is None):
            raise BadInput(
                f"A budget in money needs prices, and '{connection.name}' has none. Enter its price per "
                "million tokens, or give the budget in calls or tokens."
            )
        if (self.money is not None or self.tokens is not None) and connection.max_tokens is None:
            raise BadInput(
                f"A budget in tokens or money needs a limit on each answer, and '{connection.name}' has "
                "none. Set its max_tokens, or give the budget in calls."
            )

    def holds(self, spend: Spend) -> bool:
        """Is so much within the budget?"""
        return (
            (self.calls is None or spend.calls <= self.calls)
            and (self.tokens is None or spend.tokens <= self.tokens)
            and (self.money is None or spend.money <= self.money + 1e-12)
        )


NO_LIMIT = Budget()


class Ledger:
    """What was spent of a budget, and what calls in flight may still take. Shared between threads."""

    def __init__(self, budget: Budget = NO_LIMIT, spent: Spend = NOTHING, book: Book | None = None) -> None:
        """``book``: where other processes spend on the same account; without one, ``spent`` so far."""
        self.budget = budget
        self._spent = spent
        self._book = book
        self._reserved: dict[int, Spend] = {}
        self._next = 0
        self._changed = threading.Condition()

    @property
    def spent(self) -> Spend:
        return self._spent if self._book is None else self._book.spent()

    def reserve(self, most: Spend, cancelled: threading.Event) -> int:
        """Set aside the most a call can take, under the number returned; waits while others may give back.

        Raises ``BudgetSpent`` when even alone it would not fit, ``CallCancelled`` when cancelled.
        """
        if self._book is not None:
            return self._hold_in(self._book, most, cancelled)
        with self._changed:
            while not self.budget.holds(sum(self._reserved.values(), self._spent + most)):
                if not self._reserved or not self.budget.holds(self._spent + most):
                    raise BudgetSpent(_spent_sentence(self.budget, self._spent))
                if cancelled.is_set():
                    raise CallCancelled("Cancelled before the call was made.")
                self._changed.wait(POLL_S)
            self._next += 1
            self._reserved[self._next] = most
            return self._next

    def _hold_in(self, book: Book, most: Spend, cancelled: threading.Event) -> int:
        while (number := book.hold(self.budget, most)) is None:
            spent = book.spent()
            if not self.budget.holds(spent + most):
                raise BudgetSpent(_spent_sentence(self.budget, spent))
            if cancelled.wait(POLL_S):
                raise CallCancelled("Cancelled before the call was made.")
        return number

    def note(self, took: Spend) -> None:
        """Write down what was spent elsewhere on the same account."""
        if self._book is not None:
            self._book.note(took)
            return
        with self._changed:
            self._spent += took

    def settle(self, number: int, took: Spend) -> None:
        """Give a reservation back and write down what the call took."""
        if self._book is not None:
            self._book.settle(number, took)
            return
        with self._changed:
            del self._reserved[number]
            self._spent += took
            self._changed.notify_all()


def spend_of(connection: Connection, usage: Usage) -> Spend:
    """What one answer took."""
    return Spend(1, usage.input_tokens, usage.output_tokens, cost(connection, usage) or 0.0)


def most_of(connection: Connection, request: Request) -> Spend:
    """The most that one call can take."""
    limit = request.filled(connection).max_tokens
    return spend_of(connection, Usage(most_input(request), UNLIMITED_ANSWER if limit is None else limit))


def _spent_sentence(budget: Budget, spent: Spend) -> str:
    limits = [
        f"{spent.calls} of {budget.calls} calls" if budget.calls is not None else "",
        f"{spent.tokens:,} of {budget.tokens:,} tokens" if budget.tokens is not None else "",
        f"{spent.money:.4g} of {budget.money:.4g} in money" if budget.money is not None else "",
    ]
    used = ", ".join(limit for limit in limits if limit)
    return f"The budget leaves no room for another call: {used} used. Raise it to go on."
