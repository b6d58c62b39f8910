"""A whole order as one batch of the server: sent, waited for, collected; whoever started it may be gone.

What was sent is a document, written before anything is sent. Starting the same order again, here or in
another process, finds the batch by it and goes on waiting: nothing is sent or paid for twice.
"""

import logging
import threading
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import TYPE_CHECKING

from optimizer.domain import Batch, Connection, Output, new_id
from optimizer.errors import Conflict, PromptDuelError, ProviderError
from optimizer.generation.admission import admit, hold
from optimizer.generation.cells import Cell, Material, Order
from optimizer.generation.costs import spend_of_output
from optimizer.generation.job import Progress, State
from optimizer.llm.base import Completion, Request
from optimizer.llm.budget import NOTHING, Ledger, most_of
from optimizer.llm.errors import BudgetSpent, NoAnswer
from optimizer.storage.base import Store
from optimizer.storage.documents import Document

if TYPE_CHECKING:  # the openai package takes most of a second to import
    from optimizer.llm.bulk import Bulk, Look

KIND = "bulk"
LOOK_EVERY_S = 15.0
log = logging.getLogger(__name__)


class BulkJob:
    """A ``Job`` to those who watch it. ``cancel`` has the server stop; ``leave`` only stops waiting."""

    def __init__(
        self,
        order: Order,
        cells: Sequence[Cell],
        store: Store,
        bulk: "Bulk",
        material: Material,
        ledger: Ledger,
        connection: Connection,
        look_every_s: float | None = None,
    ) -> None:
        self.id = new_id()
        self.order = order
        self.ended_at: float | None = None  # of the monotonic clock
        self._wanted = list(cells)
        self._store = store
        self._bulk = bulk
        self._material = material
        self._ledger = ledger
        self._connection = connection
        self._look_every_s = LOOK_EVERY_S if look_every_s is None else look_every_s
        self._look: Look | None = None
        self._state = State.RUNNING
        self._done = self._held = 0
        self._failures: list[tuple[Cell, str]] = []
        self._error = ""
        self._cancelled, self._left = threading.Event(), threading.Event()
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name=f"bulk-{self.id[:6]}", daemon=True)

    # -- for pages and commands ---------------------------------------------------------------
    def progress(self) -> Progress:
        """A consistent snapshot; until the batch has ended, what the server says of it."""
        with self._changed:
            waiting = self._state is State.RUNNING
            return Progress(
                self._state,
                len(self._wanted),
                self._done or (self._look.done if waiting and self._look else 0),
                0,
                self._held,
                len(self._failures),
                len(self._wanted) if waiting else 0,
                self._ledger.spent,
                0.0,
                None,
                self._error,
                tuple(self._failures),
            )

    def cancel(self) -> None:
        """Have the server stop. What it has answered by then is kept: it was paid for."""
        self._cancelled.set()

    def leave(self) -> None:
        """Wait no longer; the server goes on, and the next start collects what it did."""
        self._left.set()
        self._cancelled.set()

    def wait(self, timeout_s: float | None = None) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self.ended_at is not None, timeout_s)

    def start(self) -> None:
        self._thread.start()

    # -- the work -----------------------------------------------------------------------------
    def _work(self) -> None:
        try:
            state = self._run()
        except BudgetSpent as error:
            state, self._error = State.SPENT, str(error)
        except PromptDuelError as error:
            state, self._error = State.STOPPED, str(error)
        with self._changed:
            self._state = state
            self.ended_at = monotonic()
            self._changed.notify_all()

    def _run(self) -> State:
        document, reserved = self._begun(), None
        if document is None:
            if not self._wanted:
                return State.DONE
            reserved = self._ledger.reserve(
                sum((most_of(self._connection, one) for one in self._requests().values()), NOTHING),
                self._cancelled,
            )
            document = self._note("")
        else:
            self._wanted = [Cell(*cell) for cell in document.body["cells"]]
        requests = self._requests()
        mark = document.body["mark"]
        batch = document.body["batch"] or self._bulk.find(mark)
        if not batch:
            batch = self._bulk.send(requests, mark)
            log.info("batch sent study=%s batch=%s requests=%d", self.order.study, batch, len(requests))
        document = self._note(batch, document)
        look = self._until_ended(batch)
        if not look.ended:
            return State.CANCELLED  # left: the document stays, and so does the reservation, for whoever comes
        self._collect(look, requests, reserved)
        self._store.documents.remove(document)
        if self._cancelled.is_set():
            return State.CANCELLED
        if not self._done and look.said:
            self._error = look.said
            return State.STOPPED
        return State.DONE

    def _until_ended(self, batch: str) -> "Look":
        asked = False
        while True:
            self._look = look = self._bulk.look(batch)
            if look.ended or self._left.is_set():
                return look
            if self._cancelled.is_set() and not asked:
                self._bulk.cancel(batch)
                asked = True
            (self._left if asked else self._cancelled).wait(self._look_every_s)

    def _collect(self, look: "Look", requests: Mapping[str, Request], reserved: int | None) -> None:
        cells = {_name(cell): cell for cell in self._wanted}
        took = NOTHING
        for name, result in self._bulk.results(look, requests):
            output = self._output(cells[name], requests[name], result)
            if output is None:
                with self._changed:
                    self._failures.append((cells[name], str(result)))
                    self._error = str(result)
                continue
            took += spend_of_output(output)
            try:
                self._store.add(Batch(outputs=[output]))
            except Conflict:  # collected already, by a process that did not come to its end
                log.info("output there already prompt=%s input=%s sample=%d", *cells[name])
            with self._changed:
                self._done += 1
                self._held += not output.usable
        if reserved is None:
            self._ledger.note(took)
        else:
            self._ledger.settle(reserved, took)

    def _output(self, cell: Cell, request: Request, result: Completion | ProviderError) -> Output | None:
        order, connection = self.order, self._connection
        if isinstance(result, Completion):
            prompt = self._material.prompts[cell.prompt]
            return admit(result, request, cell, order.study, prompt, connection, order.accept_truncated)
        if isinstance(result, NoAnswer):
            return hold(result, request, cell, order.study, connection)
        return None

    def _requests(self) -> dict[str, Request]:
        return {_name(cell): self._material.request(cell) for cell in self._wanted}

    # -- what is remembered -------------------------------------------------------------------
    @property
    def _key(self) -> str:
        return f"{self.order.study} {self.order.connection}"

    def _begun(self) -> Document | None:
        """The batch of this study and connection that is under way, or whose creation was not heard of."""
        return self._store.documents.get(KIND, self._key)

    def _note(self, batch: str, known: Document | None = None) -> Document:
        """Keep what was sent. ``Conflict`` where another process is at it in this moment."""
        if known is not None and known.body["batch"] == batch:
            return known
        mark = new_id() if known is None else known.body["mark"]
        body = {"mark": mark, "batch": batch, "cells": [list(cell) for cell in self._wanted]}
        version = 0 if known is None else known.version
        return self._store.documents.put(Document(KIND, self._key, body, self.order.study, version))


def _name(cell: Cell) -> str:
    return f"{cell.prompt}/{cell.input}/{cell.sample}"
