"""So many calls at once, and those that somebody waits for first."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from optimizer.errors import BadInput
from optimizer.llm.errors import CallCancelled

POLL_S = 0.1


class Slots:
    """A counting semaphore with two classes of waiters, which can be cancelled."""

    def __init__(self, count: int) -> None:
        if count < 1:
            raise BadInput(f"A connection needs at least one call at once, not {count}.")
        self._free = count
        self._urgent_waiting = 0
        self._lock = threading.Lock()
        self._urgent = threading.Condition(self._lock)
        self._usual = threading.Condition(self._lock)

    @contextmanager
    def taken(self, cancelled: threading.Event, urgent: bool) -> Iterator[None]:
        """Holds a slot. ``CallCancelled`` when cancelled before one was free."""
        self._take(cancelled, urgent)
        try:
            yield
        finally:
            with self._lock:
                self._free += 1
                self._wake_one()

    def _take(self, cancelled: threading.Event, urgent: bool) -> None:
        with self._lock:
            self._urgent_waiting += urgent
            try:
                while self._free == 0 or (self._urgent_waiting and not urgent):
                    if cancelled.is_set():
                        break
                    (self._urgent if urgent else self._usual).wait(POLL_S)
                if cancelled.is_set():
                    raise CallCancelled("Cancelled before the call was made.")
                self._free -= 1
            finally:
                self._urgent_waiting -= urgent
                self._wake_one()  # there may be more than one, or this one was woken and has left

    def _wake_one(self) -> None:
        if self._free:
            (self._urgent if self._urgent_waiting else self._usual).notify()
