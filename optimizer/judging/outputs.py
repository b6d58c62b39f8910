"""Outputs for an automatic run: what its next duels need, generated ahead of them."""

from collections.abc import Mapping
from time import monotonic

from optimizer.domain import RaterId, StudyId
from optimizer.generation import Generation
from optimizer.generation.ahead import Ahead
from optimizer.generation.job import Job, State
from optimizer.llm.budget import Budget
from optimizer.llm.errors import BudgetSpent, ConnectionFault

LOOK_EVERY_S = 0.25


class GeneratedAhead:
    """An ``OutputSource`` on the generation service: a forecast of the next duels, a few times a second."""

    def __init__(
        self,
        ahead: Ahead,
        generation: Generation,
        connection: str,
        budget: Budget,
        typed: Mapping[str, str] | None = None,
    ) -> None:
        self._ahead = ahead
        self._generation = generation
        self._connection = connection
        self._budget = budget
        self._typed = typed
        self._job: Job | None = None
        self._due = 0.0

    def prepare(self, study: StudyId, rater: RaterId) -> bool:
        """Raises ``BudgetSpent`` or ``ConnectionFault`` when what is lacking cannot be made."""
        if monotonic() >= self._due:
            self._due = monotonic() + LOOK_EVERY_S
            cells = self._ahead.cells(study, rater)
            if cells:
                self._job = self._generation.ensure(study, self._connection, cells, self._budget, self._typed)
            elif self._job is not None and self._job.progress().state is not State.RUNNING:
                self._job = None
        if self._job is None:
            return False
        progress = self._job.progress()
        if progress.state is State.SPENT:
            raise BudgetSpent(progress.last_error)
        if progress.state is State.STOPPED:
            raise ConnectionFault(progress.last_error)
        return progress.state is State.RUNNING
