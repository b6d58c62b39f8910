"""Outputs being written at this moment. Any number of readers may watch one grow; only one writes it."""

import threading
from collections.abc import Callable, Iterator

from optimizer.domain import Output
from optimizer.errors import PromptDuelError
from optimizer.generation.cells import Cell


class Draft:
    """One output on its way. Ends once, with ``output`` (stored) or ``error``, never with neither."""

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self.output: Output | None = None
        self.error: PromptDuelError | None = None
        self.called = False  # did the output take a call?
        self._pieces: list[str] = []
        self._done = False
        self._then: list[Callable[[Draft], None]] = []
        self._changed = threading.Condition()

    @property
    def text(self) -> str:
        """What has come so far."""
        return "".join(self._pieces)

    @property
    def done(self) -> bool:
        return self._done

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end; False when it did not come in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._done, timeout_s)

    def __iter__(self) -> Iterator[str]:
        """The text from its beginning, piece by piece as it comes. Ends when the draft does."""
        shown = 0
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._done or len(self._pieces) > shown)  # noqa: B023
                pieces = self._pieces[shown:]
                if not pieces:
                    return
            shown += len(pieces)
            yield from pieces

    def then(self, call: Callable[["Draft"], None]) -> None:
        """Call this at the end, on the thread that ends the draft; at once when it has ended."""
        with self._changed:
            if not self._done:
                self._then.append(call)
                return
        call(self)

    # -- for the one who writes it --------------------------------------------------------------
    def add(self, piece: str) -> None:
        with self._changed:
            self._pieces.append(piece)
            self._changed.notify_all()

    def finish(self, output: Output, called: bool) -> None:
        """The output is stored."""
        self.output, self.called = output, called
        self._pieces = self._pieces or [output.text]
        self._end()

    def fail(self, error: PromptDuelError) -> None:
        """Nothing was stored."""
        self.error = error
        self._end()

    def _end(self) -> None:
        with self._changed:
            self._done = True
            calls, self._then = self._then, []
            self._changed.notify_all()
        for call in calls:
            call(self)


class Drafts:
    """The drafts of a process, so that nobody pays for a cell that another one is just writing."""

    def __init__(self) -> None:
        self._open: dict[Cell, Draft] = {}
        self._changed = threading.Condition()

    def open(self, cell: Cell) -> tuple[Draft, bool]:
        """The draft of a cell, and whether the caller is the one to write it."""
        with self._changed:
            if cell in self._open:
                return self._open[cell], False
            draft = self._open[cell] = Draft(cell)
            draft.then(self._forget)
            return draft, True

    def of(self, cell: Cell) -> Draft | None:
        """The draft of a cell that is being written now."""
        with self._changed:
            return self._open.get(cell)

    def wait_until_none(self, timeout_s: float) -> bool:
        """Wait until nothing is being written; False when that took longer."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._open, timeout_s)

    def _forget(self, draft: Draft) -> None:
        with self._changed:
            del self._open[draft.cell]
            self._changed.notify_all()
