"""Does a task, with the services that would do it in the server, and keeps how far it is.

A task that is done again goes on where it stopped: what was generated or voted on is stored, and what
was spent is in the book of its account. What a killed worker loses is the calls that were in flight;
they count as spent.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from optimizer.errors import NotFound, PromptDuelError
from optimizer.evolution import Evolution
from optimizer.evolution.plan import Plan as EvolutionPlan
from optimizer.evolution.record import State as Evolving
from optimizer.generation import Generation
from optimizer.generation.cells import Order
from optimizer.judging import Judging
from optimizer.judging.plan import Plan as JudgingPlan
from optimizer.llm.budget import NOTHING, Budget, Ledger
from optimizer.llm.sharing import Sharing
from optimizer.work.nouns import State, Status, Task
from optimizer.work.tasks import Tasks

LOOK_EVERY_S = 0.5
PATIENCE_S = 10.0  # for calls in flight when the worker shall stop


class Interrupted(Exception):
    """The worker stops; the task is to be done by another one."""


@dataclass(frozen=True, slots=True)
class Doing:
    """A task under way."""

    wait: Callable[[float], bool]
    cancel: Callable[[], None]
    leave: Callable[[], None]  # the worker stops: what goes on without it may go on
    status: Callable[[], Status]
    run: str = ""


class Foreman:
    """Safe to share between threads."""

    def __init__(
        self,
        tasks: Tasks,
        generation: Generation,
        judging: Judging,
        evolution: Evolution,
        sharing: Sharing | None,
    ) -> None:
        self._tasks = tasks
        self._generation = generation
        self._judging = judging
        self._evolution = evolution
        self._sharing = sharing
        self.stopping = threading.Event()

    def do(self, id: str, worker: str) -> None:
        """The task from where it is to its end. Raises ``Interrupted`` when the worker shall stop first."""
        task = self._tasks.claim(id, worker)
        if task is None:
            return
        try:
            doing = self._begin(task)
        except PromptDuelError as error:  # whoever watches the task reads it there
            self._tasks.note(id, worker, Status(State.STOPPED, error=str(error)))
            return
        self._watch(task, worker, doing)

    def _watch(self, task: Task, worker: str, doing: Doing) -> None:
        while True:
            ended = doing.wait(LOOK_EVERY_S)
            known = self._tasks.note(task.id, worker, doing.status(), doing.run)
            if known is None:
                doing.cancel()
                return
            if ended:
                return
            if known.cancel:
                doing.cancel()
            if self.stopping.is_set():
                doing.leave()
                doing.wait(PATIENCE_S)
                status = doing.status()
                if status.state is State.CANCELLED and not known.cancel:
                    self._tasks.note(task.id, worker, _queued(status), doing.run)
                    raise Interrupted
                self._tasks.note(task.id, worker, status, doing.run)
                return

    def _begin(self, task: Task) -> Doing:
        match task.what:
            case Order() as order:
                return self._generate(order, self._ledger(task, order.budget))
            case JudgingPlan() as plan:
                return self._judge(plan, self._ledger(task, plan.budget))
            case EvolutionPlan() as plan:
                return self._evolve(plan, task.run or task.id)

    def _ledger(self, task: Task, budget: Budget) -> Ledger:
        book = self._sharing.book(f"task {task.id}", lambda: NOTHING) if self._sharing else None
        return Ledger(budget, task.status.spent, book)

    def _generate(self, order: Order, ledger: Ledger) -> Doing:
        job = self._generation.start(order, ledger=ledger)

        def status() -> Status:
            now = job.progress()
            note = f"{now.held:,} held back" if now.held else ""
            state = State(now.state.value)
            return Status(state, now.done, now.total, now.failed, now.spent, note, now.last_error)

        return Doing(job.wait, job.cancel, job.leave, status)

    def _judge(self, plan: JudgingPlan, ledger: Ledger) -> Doing:
        run = self._judging.start(plan, ledger=ledger)

        def status() -> Status:
            now = run.progress()
            advised = now.state.value == "advised"
            return Status(
                State.DONE if advised else State(now.state.value),
                sum(judge.before + judge.votes for judge in now.judges),
                sum(judge.wanted for judge in now.judges),
                sum(judge.failed + judge.unread for judge in now.judges),
                now.spent,
                "the votes suffice" if advised else "waiting for outputs" if now.waiting else "",
                now.last_error,
            )

        return Doing(run.wait, run.cancel, run.cancel, status)

    def _evolve(self, plan: EvolutionPlan, run: str) -> Doing:
        """The run of a task is known before it begins, so that no moment is left in which a worker could be
        killed and its successor would begin another one."""
        evolution = self._evolution
        try:
            over = evolution.run(run).record.state.finished  # and only the note of it was lost
        except NotFound:
            evolution.start(plan, id=run)
        else:
            if not over:
                evolution.resume(run, budget=plan.budget)

        def status() -> Status:
            record = evolution.run(run).record
            state = State.DONE if record.state.finished else State(record.state.value)
            ended = record.state is not Evolving.RUNNING  # before, the newest news may be of an earlier stop
            news = record.news[-1].text if record.news and ended else ""
            return Status(state, record.round, plan.rounds, 0, record.spent, news, record.error)

        def cancel() -> None:
            evolution.cancel(run)

        return Doing(lambda seconds: evolution.wait(run, seconds), cancel, cancel, status, run)


def _queued(status: Status) -> Status:
    return Status(State.QUEUED, status.done, status.total, status.failed, status.spent)
