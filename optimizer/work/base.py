"""What screens call to have something done in the background, wherever it is done."""

from collections.abc import Mapping
from typing import Protocol

from optimizer.domain import StudyId
from optimizer.evolution import Evolution
from optimizer.evolution.plan import Plan as EvolutionPlan
from optimizer.generation import Generation
from optimizer.generation.cells import Order
from optimizer.judging import Judging
from optimizer.judging.plan import Plan as JudgingPlan
from optimizer.llm.budget import Budget
from optimizer.work.nouns import Task, What


class Work(Protocol):
    """Generation, judging and evolution in the background."""

    def submit(self, what: What, typed: Mapping[str, str] | None = None) -> str:
        """Have it done, as the service's own ``start`` would, and return a sentence about it. ``typed`` are
        keys of this session: they never leave the process, so what needs them is done here."""
        ...

    def tasks(self, study: StudyId) -> list[Task]:
        """What workers do, or did, newest first. What is done here, its own service knows."""
        ...

    def cancel(self, id: str) -> None: ...

    def resume(self, id: str, budget: Budget | None = None) -> None:
        """Go on with a task that ended early, on the same account; ``budget`` replaces its limit."""
        ...

    def close(self) -> None: ...


class Here:
    """In this process, on the services' own threads."""

    def __init__(self, generation: Generation, judging: Judging, evolution: Evolution) -> None:
        self._generation = generation
        self._judging = judging
        self._evolution = evolution

    def submit(self, what: What, typed: Mapping[str, str] | None = None) -> str:
        match what:
            case Order():
                self._generation.start(what, typed)
                return "Under way."
            case JudgingPlan():
                self._judging.start(what, typed)
                return "The judges are at work."
            case EvolutionPlan():
                self._evolution.start(what, typed)
                return "The run has begun."

    def tasks(self, study: StudyId) -> list[Task]:
        return []

    def cancel(self, id: str) -> None:
        """There are no tasks to cancel: the services' own jobs are."""

    def resume(self, id: str, budget: Budget | None = None) -> None:
        """There are no tasks to resume."""

    def close(self) -> None:
        """The services end their own threads."""
