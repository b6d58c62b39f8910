"""Outputs for an automatic run: those that its next duels lack, the first wanted first."""

from collections import Counter
from collections.abc import Mapping, Sequence
from time import monotonic

from optimizer.domain import InputId, PromptId
from optimizer.generation import Generation
from optimizer.generation.cells import Cell
from optimizer.generation.job import Job, Progress, State
from optimizer.llm.budget import Budget
from optimizer.llm.errors import BudgetSpent, ConnectionFault
from optimizer.pairing import Wanted

LOOK_EVERY_S = 0.25  # whether somebody else put other work in the place of ours


class MadeOnDemand:
    """An ``OutputSource`` on the generation service. Not safe for threads: a run asks under its lock."""

    def __init__(
        self,
        generation: Generation,
        connection: str,
        budget: Budget,
        typed: Mapping[str, str] | None = None,
    ) -> None:
        self.given_up: dict[tuple[PromptId, InputId], str] = {}
        self._generation = generation
        self._connection = connection
        self._budget = budget
        self._typed = typed
        self._waiting: list[Wanted] = []
        self._job: Job | None = None
        self._due = 0.0
        self._failed_before: Counter[Cell] = Counter()

    @property
    def waiting(self) -> Sequence[Wanted]:
        return self._waiting

    def want(self, wanted: Wanted) -> None:
        self._waiting.append(wanted)
        self._ask(wanted)

    def making(self, wanted: Wanted) -> bool:
        """Raises ``BudgetSpent`` or ``ConnectionFault`` when nothing more can be made."""
        job = self._job if self._job is not None and monotonic() < self._due else self._ask(wanted)
        progress = job.progress()
        if progress.state is State.SPENT:
            raise BudgetSpent(progress.last_error)
        if progress.state is State.STOPPED:
            raise ConnectionFault(progress.last_error)
        self._note(progress)
        return not any((cell.prompt, cell.input) in self.given_up for cell in _cells(wanted))

    def drop(self, wanted: Wanted) -> None:
        self._waiting.remove(wanted)

    def _ask(self, wanted: Wanted) -> Job:
        """Have the cells made of all that wait, but for those that failed since they were wanted."""
        if self._job is not None:
            self._note(self._job.progress())
        cells = dict.fromkeys(cell for one in self._waiting for cell in _cells(one))
        job = self._generation.ensure(
            wanted.study,
            self._connection,
            [cell for cell in cells if (cell.prompt, cell.input) not in self.given_up],
            self._budget,
            self._typed,
        )
        if job is not self._job:  # it may be one that others had begun, with failures of before
            self._failed_before = _failures(job.progress())
        self._job, self._due = job, monotonic() + LOOK_EVERY_S
        return job

    def _note(self, progress: Progress) -> None:
        why = dict(progress.failures)
        for cell, times in _failures(progress).items():
            if times > self._failed_before[cell]:
                self.given_up[cell.prompt, cell.input] = why[cell]


def _cells(wanted: Wanted) -> tuple[Cell, Cell]:
    return Cell(wanted.first, wanted.input), Cell(wanted.second, wanted.input)


def _failures(progress: Progress) -> Counter[Cell]:
    return Counter(cell for cell, _ in progress.failures)
