"""Stores outputs from many threads, together where they come together.

A durable write waits for the disk. One thread at a time writes, and takes along all that has come
meanwhile, so the number of outputs per second is not bound by the number of such waits. ``keep``
returns when the output is durable.
"""

import threading
from dataclasses import dataclass

from optimizer.domain import Batch, Output
from optimizer.errors import PromptDuelError
from optimizer.storage.base import Store


@dataclass(slots=True, eq=False)
class _Ticket:
    """An output that waits to be stored."""

    output: Output
    done: bool = False
    error: PromptDuelError | None = None


class Keeper:
    """Shared between threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[_Ticket] = []
        self._writing = False
        self._changed = threading.Condition()

    def keep(self, output: Output) -> None:
        """Store the output. Raises what the store says of it, and of it alone."""
        mine = _Ticket(output)
        with self._changed:
            self._waiting.append(mine)
            self._changed.wait_for(lambda: mine.done or not self._writing)
            taken = [] if mine.done else self._waiting
            if taken:
                self._waiting, self._writing = [], True
        if taken:
            self._write(taken, mine)
        if mine.error is not None:
            raise mine.error

    def _write(self, tickets: list[_Ticket], mine: _Ticket) -> None:
        try:
            try:
                self._store.add(Batch(outputs=[ticket.output for ticket in tickets]))
            except PromptDuelError:
                for ticket in tickets:  # one of them is at fault: find out which
                    self._write_one(ticket)
            for ticket in tickets:
                ticket.done = True
        finally:
            with self._changed:
                left = [ticket for ticket in tickets if not ticket.done and ticket is not mine]
                self._waiting = left + self._waiting  # after a fault of the app their threads try themselves
                self._writing = False
                self._changed.notify_all()

    def _write_one(self, ticket: _Ticket) -> None:
        try:
            self._store.add(Batch(outputs=[ticket.output]))
        except PromptDuelError as error:
            ticket.error = error
