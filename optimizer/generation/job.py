"""Many cells in the background, on threads of their own: progress, cancel, wait."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from time import monotonic
from typing import Protocol

from optimizer.domain import new_id
from optimizer.errors import ProviderError, StorageError
from optimizer.generation.cells import Cell, Order
from optimizer.generation.drafts import Draft
from optimizer.llm.budget import Ledger, Spend
from optimizer.llm.errors import BudgetSpent, CallCancelled, ConnectionFault

FAILURES_IN_A_ROW = 8  # of different cells; after so many the server is taken to be down
FAILURES_KEPT = 50
RATE_OVER = 50  # calls


class State(StrEnum):
    RUNNING = "running"
    DONE = "done"  # nothing is left to do; some may have failed
    CANCELLED = "cancelled"
    SPENT = "spent"  # the budget leaves no room for another call
    STOPPED = "stopped"  # a fault that concerns every call; ``last_error`` says which


@dataclass(frozen=True, slots=True)
class Progress:
    """A job at one moment. ``done`` includes ``reused`` (without a call) and ``held`` (not for duels)."""

    state: State
    total: int
    done: int
    reused: int
    held: int
    failed: int
    in_flight: int
    spent: Spend
    per_second: float
    seconds_left: float | None
    last_error: str
    failures: tuple[tuple[Cell, str], ...]

    @property
    def share(self) -> float:
        """How much of the work is behind us, 0 to 1."""
        return (self.done + self.failed) / self.total if self.total else 1.0


class Running(Protocol):
    """Background generation as those see it who watch: call by call (``Job``), or as one batch."""

    id: str
    order: Order
    ended_at: float | None

    def progress(self) -> Progress: ...

    def cancel(self) -> None: ...

    def leave(self) -> None:
        """The app stops: as ``cancel``, but what goes on without us may go on."""
        ...

    def wait(self, timeout_s: float | None = None) -> bool: ...


class Job:
    """Writes cells until none is left, it is cancelled, the budget is spent or the connection fails."""

    def __init__(
        self,
        order: Order,
        cells: Sequence[Cell],
        write: Callable[[Cell, Callable[[Draft, bool], None]], None],
        ledger: Ledger,
        cancelled: threading.Event,
        threads: int,
    ) -> None:
        """``write(cell, settle)`` sees to it that ``settle(draft, mine)`` is called once, at the draft's
        end, on any thread; ``mine`` says whether this job wrote the draft or somebody else did."""
        self.id = new_id()
        self.order = order
        self.ended_at: float | None = None  # of the monotonic clock
        self._write = write
        self._ledger = ledger
        self._cancelled = cancelled
        self._most_threads = threads
        self._threads = 0
        self._todo = deque(cells)
        self._in_flight = self._done = self._reused = self._held = self._failed = self._in_a_row = 0
        self._state = State.RUNNING
        self._last_error = ""
        self._failures: deque[tuple[Cell, str]] = deque(maxlen=FAILURES_KEPT)
        self._times: deque[float] = deque(maxlen=RATE_OVER)
        self._changed = threading.Condition()

    # -- for pages and commands ---------------------------------------------------------------
    def progress(self) -> Progress:
        """A consistent snapshot."""
        with self._changed:
            left = len(self._todo) + self._in_flight
            per_second = self._per_second()
            return Progress(
                self._state,
                self._done + self._failed + left,
                self._done,
                self._reused,
                self._held,
                self._failed,
                self._in_flight,
                self._ledger.spent,
                per_second,
                left / per_second if per_second and self._state is State.RUNNING else None,
                self._last_error,
                tuple(self._failures),
            )

    def cancel(self) -> None:
        """Make no further call. Those in flight were paid for: they are finished and stored."""
        with self._changed:
            self._cancelled.set()
            if self._state is State.RUNNING:
                self._state = State.CANCELLED

    def leave(self) -> None:
        """The same: without this process nothing goes on."""
        self.cancel()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until nothing of the job is under way; False when that took longer."""
        with self._changed:
            return self._changed.wait_for(self._idle, timeout_s)

    # -- for the service ----------------------------------------------------------------------
    def start(self) -> None:
        """Start the threads that the work is worth. They end with it; the process need not wait."""
        with self._changed:
            wanted = min(len(self._todo), self._most_threads) - self._threads
            for _ in range(max(0, wanted)):
                self._threads += 1
                threading.Thread(target=self._work, name=f"generate-{self.id[:6]}", daemon=True).start()
            self._look_for_end()

    def requeue(self, cells: Sequence[Cell]) -> bool:
        """Do these next, and nothing else that was waiting; False when the job was ended early."""
        with self._changed:
            if self._state not in (State.RUNNING, State.DONE):
                return False
            self._todo = deque(cells)
            self._state = State.RUNNING
            self.start()
            return True

    # -- the work -----------------------------------------------------------------------------
    def _work(self) -> None:
        sound = False
        try:
            while (cell := self._take()) is not None:
                self._write(cell, self._settle)
            sound = True
        finally:
            with self._changed:
                self._threads -= 1
                if not sound:
                    self._stop(State.STOPPED, "A fault of the app ended this job; its log says which.")
                self._look_for_end()

    def _take(self) -> Cell | None:
        with self._changed:
            if self._state is not State.RUNNING or self._cancelled.is_set() or not self._todo:
                return None
            self._in_flight += 1
            return self._todo.popleft()

    def _settle(self, draft: Draft, mine: bool) -> None:
        """Write down what became of a cell."""
        with self._changed:
            self._in_flight -= 1
            if draft.output is not None:
                self._count(draft, mine)
            elif isinstance(draft.error, CallCancelled) or not mine:
                self._put_back(draft.cell)
            elif isinstance(draft.error, ConnectionFault | BudgetSpent | StorageError):
                self._put_back(draft.cell)
                spent = isinstance(draft.error, BudgetSpent)
                self._stop(State.SPENT if spent else State.STOPPED, str(draft.error))
            else:
                self._fail(draft)
            self._look_for_end()

    def _count(self, draft: Draft, mine: bool) -> None:
        self._done += 1
        self._reused += not (mine and draft.called)
        self._held += draft.output is not None and not draft.output.usable
        self._in_a_row = 0
        if draft.called:
            self._times.append(monotonic())

    def _put_back(self, cell: Cell) -> None:
        """The cell took no call of this job's and is still to do."""
        self._todo.appendleft(cell)
        if not self._cancelled.is_set():
            self.start()

    def _fail(self, draft: Draft) -> None:
        reason = str(draft.error)
        self._failed += 1
        self._failures.append((draft.cell, reason))
        if self._state is State.RUNNING:
            self._last_error = reason
        self._in_a_row += isinstance(draft.error, ProviderError)
        if self._in_a_row >= FAILURES_IN_A_ROW:
            self._stop(State.STOPPED, reason)

    def _stop(self, state: State, reason: str) -> None:
        """End early; the first reason stands. Within a budget, smaller calls in flight may still fit."""
        if self._state is State.RUNNING:
            self._state, self._last_error = state, reason
            if state is not State.SPENT:
                self._cancelled.set()

    def _idle(self) -> bool:
        return self._threads == 0 and self._in_flight == 0

    def _look_for_end(self) -> None:
        if self._idle():
            if self._state is State.RUNNING:
                self._state = State.CANCELLED if self._cancelled.is_set() else State.DONE
            self.ended_at = monotonic()
            self._changed.notify_all()

    def _per_second(self) -> float:
        if len(self._times) < 2:
            return 0.0
        return len(self._times) / max(monotonic() - self._times[0], 1e-3)
