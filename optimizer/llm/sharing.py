"""What several processes must know of each other's calls: how many there are, and what they take.

A process alone needs neither: a ``Lane`` keeps its connection's limits, a ``Ledger`` its budget, both in
memory. Where replicas and workers share a database, it keeps a ``Gate`` for each connection and a
``Book`` for each account, and the limits hold over all of them together.
"""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from optimizer.domain import Connection

if TYPE_CHECKING:
    from optimizer.llm.budget import Budget, Spend


class Gate(Protocol):
    """One connection's calls, of all processes."""

    def passed(
        self, tokens: int, cancelled: threading.Event
    ) -> AbstractContextManager[Callable[[int], None]]:
        """Waits for room for a call of about so many tokens, and holds it; what it yields is told the tokens
        that the call took. Raises ``CallCancelled``."""
        ...


class Book(Protocol):
    """One account, of all processes. What a process held when it died counts as spent."""

    def spent(self) -> "Spend": ...

    def hold(self, budget: "Budget", most: "Spend") -> int | None:
        """Set aside, under the number returned; None while there is no room beside what others hold."""
        ...

    def settle(self, number: int, took: "Spend") -> None:
        """Give it back and write down what the call took."""
        ...

    def note(self, took: "Spend") -> None:
        """Write down what was spent elsewhere on the same account."""
        ...


class Sharing(Protocol):
    """Where gates and books are kept."""

    def gate(self, connection: Connection) -> Gate: ...

    def book(self, account: str, before: Callable[[], "Spend"]) -> Book:
        """The account of this name; a new one is opened with what was spent ``before``."""
        ...

    def alone(self, what: str, cancelled: threading.Event) -> Callable[[], None]:
        """Waits until no other process does this, and returns what ends that it is done here. Raises
        ``CallCancelled``."""
        ...

    def close(self) -> None: ...
