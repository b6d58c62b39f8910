"""An automatic run at work: duels -> proposals -> outputs -> duels, on one thread that keeps what it does.

Each step reads where the run is from its record, does one thing and writes the record again, so that a run
that was stopped, or whose process died, goes on where it was: proposals and outputs that are there are not
asked for again, and judges count the votes that they have.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from optimizer.errors import Conflict, NothingToPropose, PromptDuelError
from optimizer.evolution.record import Phase, Record, State
from optimizer.llm.budget import Ledger
from optimizer.llm.errors import BudgetSpent, CallCancelled

log = logging.getLogger(__name__)

POLL_S = 0.2


Step = Callable[[Record], Record]


class Evolving:
    """One run in this process.

    A step does a part of what its phase consists of and returns the record after it: the same record when
    there is nothing to do but wait, another state than running when the run is over. ``let_go`` ends what
    was begun and is still at work; ``save`` raises ``Conflict`` when another process has the run.
    """

    def __init__(
        self,
        record: Record,
        steps: Mapping[Phase, Step],
        let_go: Callable[[], None],
        ledger: Ledger,
        cancelled: threading.Event,
        save: Callable[[Record], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._record = record
        self._steps = steps
        self._let_go = let_go
        self.ledger = ledger
        self._cancelled = cancelled
        self._save = save
        self._clock = clock
        self._thread = threading.Thread(target=self._work, name=f"evolve-{record.id[:6]}", daemon=True)

    @property
    def record(self) -> Record:
        """As it is now; a value, safe to read from any thread."""
        return replace(self._record, spent=self.ledger.spent)

    @property
    def ended(self) -> bool:
        return not self._thread.is_alive()

    def start(self) -> None:
        self._thread.start()

    def cancel(self) -> None:
        """Make no further call. What is there stays, and the run can go on later."""
        self._cancelled.set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end; False when that took longer."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _work(self) -> None:
        state, told, error = State.STOPPED, "", "A fault of the app ended this run; its log says which."
        try:
            self._loop()
            over = self._record.state is not State.RUNNING
            state = self._record.state if over else State.CANCELLED
            told, error = "" if over else "Stopped by hand.", self._record.error
        except Conflict as fault:
            log.info("evolution run=%s given up: %s", self._record.id, fault)
            state, error = State.STOPPED, str(fault)
        except CallCancelled:
            state, told, error = State.CANCELLED, "Stopped by hand.", ""
        except BudgetSpent as fault:
            state, told, error = State.SPENT, "The budget is spent.", str(fault)
        except NothingToPropose as fault:
            state, told, error = State.DONE, str(fault), ""
        except PromptDuelError as fault:
            state, told, error = State.STOPPED, "Stopped by a fault.", str(fault)
        finally:
            self._let_go()
            self._end(state, told, error)

    def _loop(self) -> None:
        while not self._cancelled.is_set() and self._record.state is State.RUNNING:
            record = self._steps[self._record.phase](self._record)
            moved = record != self._record
            if moved or self.ledger.spent != self._record.spent:
                self._keep(record)
            if not moved:
                self._cancelled.wait(POLL_S)

    def _keep(self, record: Record) -> None:
        if record.phase is not self._record.phase:
            log.info("evolution run=%s round=%d phase=%s", record.id, record.round, record.phase)
        self._record = replace(record, spent=self.ledger.spent)
        self._save(self._record)

    def _end(self, state: State, told: str, error: str) -> None:
        record = replace(self._record, state=state, error=error)
        if told:
            record = record.told(self._clock(), told)
        log.info("evolution run=%s ended state=%s round=%d", record.id, state, record.round)
        try:
            self._keep(record)
        except PromptDuelError as fault:  # another process has the run, or the database is gone
            log.info("evolution run=%s not written: %s", record.id, fault)
