"""Work on a queue in PostgreSQL: Procrastinate keeps the jobs, their locks and the workers' heartbeats.

A job is no more than the id of a task; what the task is and how far, the store knows. A worker whose
heartbeat stopped is taken for dead, and others do its jobs from where they are. Delivery is at least
once: a worker that was only slow finds that its task is another one's now, and lets go of it.
"""

import asyncio
import logging
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

import psycopg
from procrastinate import App, JobContext, PsycopgConnector, RetryStrategy, SyncPsycopgConnector

from optimizer.connections import Connections
from optimizer.domain import StudyId, new_id
from optimizer.errors import Conflict, StorageError
from optimizer.evolution.plan import Plan as EvolutionPlan
from optimizer.generation.cells import Order
from optimizer.judging.plan import Plan as JudgingPlan
from optimizer.llm.budget import Budget
from optimizer.storage.postgres_server import connection_info
from optimizer.work.base import Work
from optimizer.work.foreman import Foreman, Interrupted
from optimizer.work.nouns import State, Task, What
from optimizer.work.tasks import Tasks

QUEUE, JOB = "prompt-duel", "prompt-duel.work"
DEAD_AFTER_S = 30.0
LOOK_EVERY_S = 1.0  # for work that others let go of: only what is new is announced
_SCHEMA_LOCK = 7_218_640_020

log = logging.getLogger(__name__)


class PostgresQueue:
    """The ``Work`` protocol for workers on other machines. Safe for threads."""

    def __init__(self, address: str, tasks: Tasks, here: Work, connections: Connections) -> None:
        self._tasks = tasks
        self._here = here
        self._connections = connections
        make_tables(address)
        self._app = App(connector=SyncPsycopgConnector(conninfo=connection_info(address)))
        self._app.open()

    def submit(self, what: What, typed: Mapping[str, str] | None = None) -> str:
        if typed and self._needs(what, typed):
            return (
                f"{self._here.submit(what, typed)} The key that you typed stays here, so this server works."
            )
        task = self._tasks.add(what)
        self._defer(task.id)
        return "A worker will see to it."

    def tasks(self, study: StudyId) -> list[Task]:
        return self._tasks.all(study)

    def cancel(self, id: str) -> None:
        self._tasks.cancel(id)

    def resume(self, id: str, budget: Budget | None = None) -> None:
        def queued(task: Task) -> Task:
            if not task.status.state.over or task.status.state is State.DONE:
                raise Conflict("This task is not one that ended early.")
            what = task.what if budget is None else replace(task.what, budget=budget)
            status = replace(task.status, state=State.QUEUED, error="")
            return replace(task, what=what, cancel=False, status=status)

        self._tasks.change(id, queued)
        self._defer(id)

    def close(self) -> None:
        self._app.close()

    def _defer(self, id: str) -> None:
        try:
            self._app.configure_task(JOB, queue=QUEUE, lock=id, allow_unknown=True).defer(task=id)
        except psycopg.Error as fault:
            raise StorageError(f"The task could not be queued: {fault}. Try again.") from fault

    def _needs(self, what: What, typed: Mapping[str, str]) -> bool:
        """Does a connection of it have no key but one that was typed in this session?"""
        for name in names_of(what):
            connection = self._connections.named(name)
            if not self._connections.has_key(connection) and self._connections.has_key(connection, typed):
                return True
        return False


def names_of(what: What) -> set[str]:
    """The connections that a piece of work calls."""
    match what:
        case Order():
            return {what.connection}
        case JudgingPlan():
            return {seat.connection for seat in what.panel} | ({what.outputs} if what.outputs else set())
        case EvolutionPlan():
            return {what.writer, what.outputs, *(seat.connection for seat in what.judges)} - {""}


def make_tables(address: str) -> None:
    """The queue's tables, once however many processes start together."""
    with psycopg.connect(connection_info(address)) as db:
        db.execute("SELECT pg_advisory_xact_lock(%s)", (_SCHEMA_LOCK,))
        if db.execute("SELECT to_regclass('procrastinate_jobs')").fetchone() == (None,):
            app = App(connector=SyncPsycopgConnector())
            db.execute(app.schema_manager.get_schema())


async def run_worker(
    address: str, foreman: Foreman, at_once: int, dead_after_s: float = DEAD_AFTER_S
) -> None:
    """Do tasks, so many at once, until SIGTERM or SIGINT; what is under way then is left to other workers."""
    make_tables(address)
    app = App(connector=PsycopgConnector(conninfo=connection_info(address)))

    @app.task(name=JOB, queue=QUEUE, pass_context=True, retry=RetryStrategy(retry_exceptions={Interrupted}))
    async def work(_: JobContext, task: str) -> None:
        log.info("task begins task=%s", task)
        await asyncio.to_thread(foreman.do, task, new_id())
        log.info("task ends task=%s", task)

    async def look_after_the_dead() -> None:
        while True:
            for job in await app.job_manager.get_stalled_jobs(
                queue=QUEUE, seconds_since_heartbeat=dead_after_s
            ):
                log.warning("task of a dead worker task=%s", job.task_kwargs.get("task"))
                await app.job_manager.retry_job(job)
            await asyncio.sleep(dead_after_s / 3)

    async with app.open_async():
        working = asyncio.ensure_future(
            app.run_worker_async(
                queues=[QUEUE],
                concurrency=at_once,
                install_signal_handlers=False,
                fetch_job_polling_interval=LOOK_EVERY_S,
                update_heartbeat_interval=dead_after_s / 4,
                stalled_worker_timeout=dead_after_s,
                delete_jobs="successful",
            )
        )
        looking = asyncio.ensure_future(look_after_the_dead())

        def stop() -> None:
            foreman.stopping.set()
            working.cancel()

        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop)
        try:
            with suppress(asyncio.CancelledError):
                await working
        finally:
            looking.cancel()
