"""The service that pages and commands call: what will it cost, start, watch, cancel, release.

It owns the background threads. They belong to no page, write each output whole, and end with ``close``.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from time import monotonic

from optimizer.connections import Connections
from optimizer.domain import Batch, Output, OutputId, PromptId, StudyId, new_id, utc_now
from optimizer.errors import Conflict
from optimizer.generation.cells import Cell, Material, Order, missing
from optimizer.generation.costs import Preview, preview, spend_of_output, spent_by_prompt
from optimizer.generation.drafts import Draft, Drafts
from optimizer.generation.job import Job, Running, State
from optimizer.generation.keeper import Keeper
from optimizer.generation.stability import Stability, stability
from optimizer.generation.writer import Writer
from optimizer.llm.base import Embedder, LanguageModel
from optimizer.llm.budget import NO_LIMIT, NOTHING, Budget, Ledger, Spend
from optimizer.llm.errors import CallCancelled
from optimizer.llm.hashed import HashedEmbedder
from optimizer.llm.lane import Lane
from optimizer.llm.sharing import Sharing
from optimizer.storage.base import Store

JOBS_KEPT = 50
REST_AFTER_FAULT_S = 60.0  # before work ahead of need tries a connection again that failed


class Generation:
    """Generates outputs. Safe to share between threads."""

    def __init__(
        self,
        store: Store,
        connections: Connections,
        embedder: Embedder | None = None,
        sharing: Sharing | None = None,
    ) -> None:
        """``sharing``: where other processes generate for the same studies."""
        self._store = store
        self._sharing = sharing
        self._connections = connections
        self._embedder = embedder or HashedEmbedder()
        self._drafts = Drafts()
        self._keeper = Keeper(store)
        self._jobs: dict[str, Running] = {}
        self._ahead: dict[tuple[StudyId, str], tuple[Job, Lane]] = {}
        self._ledgers: dict[StudyId, Ledger] = {}
        self._closing = threading.Event()  # no further call is made
        self._closed = threading.Event()  # nothing more is stored
        self._lock = threading.Lock()

    # -- whole orders -------------------------------------------------------------------------
    def preview(self, order: Order) -> Preview:
        """What an order would take. Calls nobody."""
        material = Material(self._store, order.study)
        connection = self._connections.named(order.connection)
        order.budget.check(connection)
        return preview(self._store, connection, material, order.study, missing(self._store, order, material))

    def start(
        self, order: Order, typed: Mapping[str, str] | None = None, ledger: Ledger | None = None
    ) -> Running:
        """Begin in the background. What is there already is left alone; so a second start resumes.
        ``ledger`` is an account that others spend from, too."""
        material = Material(self._store, order.study)
        cells = missing(self._store, order, material)
        lane = self._connections.lane(order.connection, typed)
        order.budget.check(lane.connection)
        if order.bulk:
            return self._begin_bulk(order, cells, lane, material, ledger or Ledger(order.budget), typed)
        return self._begin(order, cells, lane, material, ledger or Ledger(order.budget))

    def jobs(self, study: StudyId | None = None) -> list[Running]:
        """The jobs of this process, newest first; of one study or of all."""
        with self._lock:
            jobs = list(self._jobs.values())
        return [job for job in reversed(jobs) if study in (None, job.order.study)]

    # -- what the next duels need -------------------------------------------------------------
    def ensure(
        self,
        study: StudyId,
        connection: str,
        cells: Sequence[Cell],
        budget: Budget,
        typed: Mapping[str, str] | None = None,
    ) -> Job:
        """Generate these cells ahead of need, the first ones first, in place of what was still waiting.

        ``budget`` is that of the study: what its outputs took before counts too. A connection that has
        just failed is left alone for a minute.
        """
        material = Material(self._store, study)
        order = Order(study, connection, cells=tuple(cells), budget=budget)
        wanted = missing(self._store, order, material)
        lane = self._connections.lane(connection, typed)
        budget.check(lane.connection)
        ledger = self._study_ledger(study, budget)
        with self._lock:
            running, of_lane = self._ahead.get((study, connection), (None, None))
        if running is not None and of_lane is lane and (running.requeue(wanted) or _resting(running)):
            return running
        if running is not None and of_lane is not lane:  # another key, or an edited connection
            running.cancel()
        job = self._begin(order, wanted, lane, material, ledger)
        with self._lock:
            self._ahead[study, connection] = job, lane
        return job

    def write(
        self,
        study: StudyId,
        connection: str,
        cell: Cell,
        budget: Budget = NO_LIMIT,
        typed: Mapping[str, str] | None = None,
        accept_truncated: bool = False,
        retry: bool = False,
    ) -> Draft:
        """One output now, before all others, to be watched while it grows. Returns at once.

        A cell that is being written already, or is stored, is not paid for again; with ``retry`` one
        whose output is held back gets a further sample. The draft goes on when the page that asked for
        it is gone; it is stored only when it came to its end.
        """
        lane = self._connections.lane(connection, typed)
        budget.check(lane.connection)
        model = lane.under(self._study_ledger(study, budget), self._closing, urgent=True)
        writer = self._writer(study, lane, model, Material(self._store, study), accept_truncated)
        if retry:
            cell = self._after_held(study, cell)
        draft, mine = self._drafts.open(cell)
        if mine:
            threading.Thread(target=writer.write, args=(draft, True), daemon=True).start()
        return draft

    def draft(self, cell: Cell) -> Draft | None:
        """The draft of a cell that is being written at this moment."""
        return self._drafts.of(cell)

    # -- what there is ------------------------------------------------------------------------
    def release(self, output_id: OutputId) -> Output:
        """Let an output that was held back into duels, as a further sample with the same text.

        ``Conflict`` when it was not held back, or has no text to show.
        """
        held = self._store.output(output_id)
        if held.usable or not held.text.strip():
            raise Conflict("Only an output that was held back and has a text can be released.")
        others = self._store.outputs(held.study, held.prompt, held.input)
        released = replace(
            held,
            id=OutputId(new_id()),
            sample=1 + max(other.sample for other in others),
            settings={**held.settings, "reused": held.id},
            usage={},
            error="",
            created_at=utc_now(),
        )
        if any(other.settings.get("reused") == held.id and other.usable for other in others):
            raise Conflict("This output was released already.")
        self._store.add(Batch(outputs=[released]))
        return released

    def spent(self, study: StudyId) -> dict[PromptId, Spend]:
        """What the outputs of each prompt took. Reads them all: not for every run of a page."""
        return spent_by_prompt(self._store, study)

    def stability(self, study: StudyId) -> dict[PromptId, Stability]:
        """Of every prompt that has repeats. Reads all outputs: not for every run of a page."""
        found = {
            prompt.id: stability(self._store.outputs(study, prompt.id), self._embedder)
            for prompt in self._store.prompts(study)
        }
        return {prompt: figure for prompt, figure in found.items() if figure is not None}

    def close(self, patience_s: float = 5.0) -> None:
        """Make no further call and wait for those in flight, but not for long: what comes later is lost."""
        self._closing.set()
        for job in self.jobs():
            job.leave()
        for job in self.jobs():
            if job.order.bulk:
                job.wait(patience_s)
        self._drafts.wait_until_none(patience_s)
        self._closed.set()

    # -- parts --------------------------------------------------------------------------------
    def _begin(self, order: Order, cells: list[Cell], lane: Lane, material: Material, ledger: Ledger) -> Job:
        cancelled = threading.Event()
        writer = self._writer(
            order.study, lane, lane.under(ledger, cancelled), material, order.accept_truncated
        )
        own = ledger is not self._ledgers.get(order.study)
        if own and self._sharing is not None:
            self._account(order.study)  # opened before anything of this job is in it

        def write(cell: Cell, settle: Callable[[Draft, bool], None]) -> None:
            draft, mine = self._drafts.open(cell)
            if mine and own:
                draft.then(self._note)
            draft.then(lambda ended: settle(ended, mine))
            if mine:
                writer.write(draft, streamed=False)

        job = Job(order, cells, write, ledger, cancelled, threads=lane.connection.concurrency)
        self._register(job)
        job.start()
        return job

    def _begin_bulk(
        self,
        order: Order,
        cells: list[Cell],
        lane: Lane,
        material: Material,
        ledger: Ledger,
        typed: Mapping[str, str] | None,
    ) -> Running:
        from optimizer.generation.bulk import BulkJob  # few need it

        bulk = self._connections.bulk(order.connection, typed)
        job = BulkJob(order, cells, self._store, bulk, material, ledger, lane.connection)
        self._register(job)
        job.start()
        return job

    def _register(self, job: Running) -> None:
        with self._lock:
            if self._closing.is_set():
                raise CallCancelled("The app is stopping.")
            self._jobs[job.id] = job
            for old in [id for id, known in self._jobs.items() if known.ended_at is not None][:-JOBS_KEPT]:
                del self._jobs[old]

    def _writer(
        self, study: StudyId, lane: Lane, model: LanguageModel, material: Material, accept_truncated: bool
    ) -> Writer:
        return Writer(
            self._store, study, lane.connection, model, material, accept_truncated,
            self._closed, self._keeper, self._sharing,
        )  # fmt: skip

    def _after_held(self, study: StudyId, cell: Cell) -> Cell:
        """The cell, or its next free sample when what is stored of it may not be shown."""
        outputs = self._store.outputs(study, cell.prompt, cell.input)
        held = any(output.sample == cell.sample and not output.usable for output in outputs)
        return cell._replace(sample=1 + max(output.sample for output in outputs)) if held else cell

    def _study_ledger(self, study: StudyId, budget: Budget) -> Ledger:
        """The study's own account, opened with what its outputs took so far."""
        ledger = self._account(study)
        ledger.budget = budget
        return ledger

    def _account(self, study: StudyId) -> Ledger:
        with self._lock:
            ledger = self._ledgers.get(study)
        if ledger is not None:
            return ledger

        def before() -> Spend:
            return sum(spent_by_prompt(self._store, study).values(), NOTHING)

        if self._sharing is None:
            made = Ledger(NO_LIMIT, before())
        else:
            made = Ledger(book=self._sharing.book(f"study {study}", before))
        with self._lock:
            return self._ledgers.setdefault(study, made)

    def _note(self, draft: Draft) -> None:
        """A call on another account that the study's own must know of."""
        if draft.output is not None and draft.called:
            with self._lock:
                ledger = self._ledgers.get(draft.output.study)
            if ledger is not None:
                ledger.note(spend_of_output(draft.output))


def _resting(job: Job) -> bool:
    """Did the job fail a moment ago? Then its connection is not tried again yet."""
    stopped = job.progress().state is State.STOPPED and job.ended_at is not None
    return stopped and monotonic() - (job.ended_at or 0.0) < REST_AFTER_FAULT_S
