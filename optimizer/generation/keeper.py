"""Stores outputs while their writers go on to the next, together where they come together.

A durable write waits for the disk. If each call waited for its own, the disk would set the pace of the
model server. Outputs wait here for a few milliseconds instead; each writer is told when its output is
durable. A process that is killed loses those that are not stored yet, so their number is bounded.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from optimizer.domain import Batch, Output
from optimizer.errors import PromptDuelError
from optimizer.storage.base import Store

MOST_UNSTORED = 16  # those that wait and those being written


@dataclass(frozen=True, slots=True)
class _Ticket:
    """An output that waits to be stored, and whom to tell: None, or what went wrong."""

    output: Output
    tell: Callable[[PromptDuelError | None], None]


class Keeper:
    """Shared between threads; has a thread of its own while there is something to store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[_Ticket] = []
        self._storing = 0
        self._writing = False
        self._changed = threading.Condition()

    def submit(self, output: Output, tell: Callable[[PromptDuelError | None], None]) -> None:
        """Store the output soon. Waits only when too many others are not stored yet."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._waiting) + self._storing < MOST_UNSTORED)
            self._waiting.append(_Ticket(output, tell))
            if not self._writing:
                self._writing = True
                threading.Thread(target=self._work, name="keep-outputs", daemon=True).start()

    def _work(self) -> None:
        untold: list[_Ticket] = []
        try:
            while untold := self._next():
                faults = self._store_all([ticket.output for ticket in untold])
                while untold:
                    untold.pop(0).tell(faults.pop(0))
        finally:
            if untold:  # a bug, of which the thread's own traceback tells
                with self._changed:
                    untold, self._waiting = untold + self._waiting, []
                    self._storing, self._writing = 0, False
                    self._changed.notify_all()
                for ticket in untold:
                    ticket.tell(PromptDuelError("Storing this output broke off. Try again."))

    def _next(self) -> list[_Ticket]:
        """All that wait; when none do, the thread's work is done."""
        with self._changed:
            taken, self._waiting = self._waiting, []
            self._storing, self._writing = len(taken), bool(taken)
            self._changed.notify_all()
            return taken

    def _store_all(self, outputs: list[Output]) -> list[PromptDuelError | None]:
        """What the store says of each."""
        if len(outputs) > 1:
            try:
                self._store.add(Batch(outputs=outputs))
            except PromptDuelError:
                return [self._store_all([output])[0] for output in outputs]  # which of them is at fault?
            return [None] * len(outputs)
        try:
            self._store.add(Batch(outputs=outputs))
        except PromptDuelError as error:
            return [error]
        return [None]
