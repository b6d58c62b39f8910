"""Outputs being written at this moment. Any number of readers may watch one grow; only one writes it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from optimizer.domain import Output
from optimizer.errors import PromptDuelError
from optimizer.generation.cells import Cell


class Draft:
    """One output on its way. Ends with ``output`` (stored) or ``error``, never with neither."""

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self.output: Output | None = None
        self.error: PromptDuelError | None = None
        self._pieces: list[str] = []
        self._done = False
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

    # -- for the one who writes it --------------------------------------------------------------
    def add(self, piece: str) -> None:
        with self._changed:
            self._pieces.append(piece)
            self._changed.notify_all()

    def finish(self, output: Output) -> None:
        """The output is stored."""
        with self._changed:
            self._pieces = self._pieces or [output.text]
            self.output, self._done = output, True
            self._changed.notify_all()

    def fail(self, error: PromptDuelError) -> None:
        """Nothing was stored."""
        with self._changed:
            self.error, self._done = error, True
            self._changed.notify_all()


class Drafts:
    """The drafts of a process, so that nobody pays for a cell that another one is just writing."""

    def __init__(self) -> None:
        self._open: dict[Cell, Draft] = {}
        self._lock = threading.Condition()

    def open(self, cell: Cell) -> tuple[Draft, bool]:
        """The draft of a cell, and whether the caller is the one to write it, in ``writing``."""
        with self._lock:
            if cell in self._open:
                return self._open[cell], False
            draft = self._open[cell] = Draft(cell)
            return draft, True

    @contextmanager
    def writing(self, draft: Draft) -> Iterator[None]:
        """Around the writing. Errors of ours fail the draft and go on; so does any other fault."""
        try:
            yield
        except PromptDuelError as error:
            draft.fail(error)
            raise
        finally:
            if not draft.done:
                draft.fail(PromptDuelError("Writing this output broke off. Try again."))
            with self._lock:
                del self._open[draft.cell]
                self._lock.notify_all()

    def of(self, cell: Cell) -> Draft | None:
        """The draft of a cell that is being written now."""
        with self._lock:
            return self._open.get(cell)

    def wait_until_none(self, timeout_s: float) -> bool:
        """Wait until nothing is being written; False when that took longer."""
        with self._lock:
            return self._lock.wait_for(lambda: not self._open, timeout_s)
