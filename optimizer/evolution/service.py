"""The service that pages and commands call: draft proposals, decide on them, run the whole loop."""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from optimizer.connections import Connections
from optimizer.domain import Prompt, PromptId, Study, StudyId, new_id, utc_now
from optimizer.errors import BadInput, Conflict, NotFound
from optimizer.evolution.briefs import Briefs
from optimizer.evolution.dueling import Dueling
from optimizer.evolution.lineage import Node, Step, tree, winning_line
from optimizer.evolution.offers import Offers, OfferState
from optimizer.evolution.plan import Order, Plan
from optimizer.evolution.pool import Leaving, leaving
from optimizer.evolution.proposing import Estimate, Proposing, estimate, limit_of
from optimizer.evolution.record import KIND, Phase, Record, State, document_of, record_of
from optimizer.evolution.remembering import Remembering
from optimizer.evolution.renewing import Renewing
from optimizer.evolution.run import Evolving
from optimizer.evolution.tools import Tools
from optimizer.generation import Generation
from optimizer.judging import Judging
from optimizer.llm.base import Embedder
from optimizer.llm.budget import Budget, Ledger
from optimizer.llm.errors import CallCancelled
from optimizer.llm.hashed import HashedEmbedder
from optimizer.llm.sharing import Sharing
from optimizer.prompts import Prompts
from optimizer.proposers import PROPOSERS
from optimizer.proposers.control import readings_of
from optimizer.proposers.controller import Reading
from optimizer.results import Results, VoteFilter
from optimizer.storage.base import Store

JOBS_KEPT = 20


@dataclass(frozen=True, slots=True)
class Seen:
    """A run as it is kept, and whether this process is at work on it."""

    record: Record
    alive: bool


class Evolution:
    """Proposes and runs. Safe to share between threads; owns their threads, which end with ``close``."""

    def __init__(
        self,
        store: Store,
        results: Results,
        prompts: Prompts,
        judging: Judging,
        generation: Generation,
        connections: Connections,
        embedder: Embedder | None = None,
        clock: Callable[[], datetime] = utc_now,
        sharing: Sharing | None = None,
    ) -> None:
        """``sharing``: where accounts are kept that a run's process may die over."""
        self._embedder = Remembering(embedder or HashedEmbedder())
        self.offers = Offers(store, self._embedder, clock)
        self.briefs = Briefs(store, results, judging.rubrics)
        self._store = store
        self._results = results
        self._prompts = prompts
        self._judging = judging
        self._generation = generation
        self._connections = connections
        self._clock = clock
        self._sharing = sharing
        self._jobs: list[Proposing] = []
        self._runs: dict[str, Evolving] = {}
        self._lock = threading.Lock()
        self._closed = False

    # -- proposals ----------------------------------------------------------------------------
    def estimate(self, order: Order) -> Estimate:
        """What an order takes, about. Calls nobody; ``NothingToPropose`` says what is missing."""
        order.check()
        connection = self._connections.named(order.connection) if order.connection else None
        if connection is not None:
            order.budget.check(connection)
        steps = PROPOSERS[order.proposer].plan(self.briefs.brief(order, self._turn(order.study)))
        return estimate(steps, self._texts(order.study), connection)

    def propose(self, order: Order, typed: Mapping[str, str] | None = None) -> Proposing:
        """Have proposals drafted in the background; each is kept as it comes. ``typed`` are keys."""
        return self._propose(order, Ledger(order.budget), threading.Event(), typed)

    def jobs(self, study: StudyId) -> list[Proposing]:
        """The drafting jobs of this process, newest first, those of runs left out."""
        with self._lock:
            return [job for job in reversed(self._jobs) if job.order.study == study and not job.order.run]

    def _propose(
        self,
        order: Order,
        ledger: Ledger,
        cancelled: threading.Event,
        typed: Mapping[str, str] | None,
    ) -> Proposing:
        order.check()
        steps = PROPOSERS[order.proposer].plan(self.briefs.brief(order, self._turn(order.study)))
        texts = self._texts(order.study)
        if not order.connection:
            job = Proposing(order, steps, self.offers, None, lambda _: None, ledger, cancelled, 1)
        else:
            lane = self._connections.lane(order.connection, typed)
            order.budget.check(lane.connection)
            model, most = lane.under(ledger, cancelled), lane.connection.concurrency
            job = Proposing(
                order, steps, self.offers, model,
                lambda ask: limit_of(ask, texts, lane.connection), ledger, cancelled, most,
            )  # fmt: skip
        with self._lock:
            if self._closed:
                raise CallCancelled("The app is stopping.")
            self._jobs = [*self._jobs[-JOBS_KEPT:], job]
            job.start()
        return job

    def _turn(self, study: StudyId) -> int:
        """How many proposals there were: operators and complaints take turns over all of them."""
        return sum(offer.state is not OfferState.FAILED for offer in self.offers.all(study))

    def _texts(self, study: StudyId) -> dict[PromptId, str]:
        return {prompt.id: prompt.text for prompt in self._store.prompts(study)}

    def readings(self, order: Order) -> tuple[Reading, ...]:
        """The settings of the order's dial that were tried along the leader's line, and what came of each."""
        brief = self.briefs.brief(order, 0)
        return readings_of(brief)[1] if brief.pool and brief.dial is not None else ()

    # -- the pool -----------------------------------------------------------------------------
    def leaving(self, study: Study, most: int, chosen: VoteFilter | None = None) -> tuple[Leaving, ...]:
        """Who should leave the pool by the votes."""
        standings = self._results.standings(study, chosen)
        return leaving(standings.rows, standings.votes, most)

    def retire(self, study: StudyId, one: Leaving) -> Prompt:
        """Out of the pool, with the reason in its note; the screen Prompts brings it back."""
        prompt = self._prompts.get(study, one.prompt)
        return self._prompts.retire(study, prompt.id, "\n".join((prompt.note, one.reason)))

    def tree(self, study: Study, chosen: VoteFilter | None = None) -> tuple[Node, ...]:
        """Every prompt of a study by descent."""
        parents = {offer.prompt: offer.parents for offer in self.offers.all(study.id)}
        rows = self._results.standings(study, chosen).rows
        return tree(self._store.prompts(study.id), rows, parents, self._embedder)

    def winning_line(self, study: Study, chosen: VoteFilter | None = None) -> tuple[Step, ...]:
        """What changed from the first ancestor to the leader."""
        rows = self._results.standings(study, chosen).rows
        leader = next((row.prompt.id for row in rows if row.prompt.retired_at is None), None)
        return winning_line(leader, self._store.prompts(study.id), rows) if leader else ()

    # -- runs ---------------------------------------------------------------------------------
    def start(self, plan: Plan, typed: Mapping[str, str] | None = None, id: str = "") -> str:
        """Begin a run in the background and return its id, a fresh one or the one given. ``BadInput`` for a
        plan that cannot be, ``Conflict`` while another run of the study is at work here."""
        self._check(plan)
        prompts = [prompt for prompt in self._store.prompts(plan.study) if prompt.retired_at is None]
        if not prompts:
            raise BadInput("This study has no prompts yet. Write one, or let induction propose some.")
        rows = self._results.standings(self._store.study(plan.study), plan.votes.chosen).rows
        leading = [row.prompt.id for row in rows if row.prompt.retired_at is None and row.duels]
        record = Record(
            id or new_id(), plan, self._clock(), [*leading, prompts[0].id][0], phase=Phase.GENERATE
        )
        return self._begin(record, 0, typed)

    def resume(self, run: str, typed: Mapping[str, str] | None = None, budget: Budget | None = None) -> str:
        """Go on with a run that ended early, on the same account; ``budget`` replaces its limit."""
        document = self._store.documents.get(KIND, run, fresh=True)
        if document is None:
            raise NotFound("This run is not here any more.")
        record = record_of(document)
        if record.state.finished:
            raise Conflict("This run is over. Begin another one.")
        plan = record.plan if budget is None else replace(record.plan, budget=budget)
        self._check(plan)
        record = replace(record, plan=plan, state=State.RUNNING, error="")
        return self._begin(record, document.version, typed)

    def cancel(self, run: str) -> None:
        """Stop a run; it can be resumed."""
        with self._lock:
            known = self._runs.get(run)
        if known is not None:
            known.cancel()

    def wait(self, run: str, timeout_s: float | None = None) -> bool:
        """Wait for a run of this process to end; False when that took longer."""
        with self._lock:
            known = self._runs.get(run)
        return known is None or known.wait(timeout_s)

    def at_work(self) -> list[Record]:
        """The runs that this process works on at this moment, of all studies."""
        with self._lock:
            runs = list(self._runs.values())
        return [run.record for run in runs if not run.ended]

    def runs(self, study: StudyId) -> list[Seen]:
        """Every run of a study, newest first; those of this process as they are at this moment."""
        found = []
        for document in reversed(self._store.documents.all(KIND, study)):
            with self._lock:
                known = self._runs.get(document.id)
            alive = known is not None and not known.ended
            found.append(Seen(known.record if known and alive else record_of(document), alive))
        return found

    def run(self, run: str) -> Seen:
        """``NotFound`` when there is no such run."""
        document = self._store.documents.get(KIND, run)
        if document is None or document.study is None:
            raise NotFound("This run is not here any more.")
        return next(seen for seen in self.runs(document.study) if seen.record.id == run)

    def close(self, patience_s: float = 5.0) -> None:
        """Make no further call and wait for what is in flight, but not for long."""
        with self._lock:
            self._closed = True
            jobs, runs = list(self._jobs), list(self._runs.values())
        for job in jobs:
            job.cancel()
        for run in runs:
            run.cancel()
        for job in jobs:
            job.wait(patience_s)
        for run in runs:
            run.wait(patience_s)

    def _check(self, plan: Plan) -> None:
        plan.check()
        self._store.study(plan.study)
        names = {plan.writer, plan.outputs, *(seat.connection for seat in plan.judges)} - {""}
        for name in names:
            plan.budget.check(self._connections.named(name))

    def _account(self, record: Record) -> Ledger:
        """With what the run spent; where a book keeps it, also what a killed process had not written down."""
        if self._sharing is None:
            return Ledger(record.plan.budget, record.spent)
        return Ledger(record.plan.budget, book=self._sharing.book(f"run {record.id}", lambda: record.spent))

    def _begin(self, record: Record, version: int, typed: Mapping[str, str] | None) -> str:
        cancelled, ledger = threading.Event(), self._account(record)
        tools = Tools(
            self._store, self._results, self._prompts, self._judging, self._generation, self._connections,
            self.offers, lambda order, account, ends: self._propose(order, account, ends, typed),
            ledger, cancelled, typed, self._clock,
        )  # fmt: skip
        dueling = Dueling(tools)
        renewing = Renewing(tools, dueling.begun)
        versions = [version]

        def save(latest: Record) -> None:
            versions[0] = self._store.documents.put(document_of(latest, versions[0])).version

        def let_go() -> None:
            renewing.let_go()
            dueling.let_go()

        steps = {
            Phase.DUELS: dueling.step,
            Phase.PROPOSE: renewing.propose,
            Phase.REVIEW: renewing.review,
            Phase.GENERATE: renewing.generate,
        }
        run = Evolving(record, steps, let_go, ledger, cancelled, save, self._clock)
        with self._lock:
            if self._closed:
                raise CallCancelled("The app is stopping.")
            busy = [one for one in self._runs.values() if not one.ended]
            if any(one.record.plan.study == record.plan.study for one in busy):
                raise Conflict("A run is at work in this study already. Stop it first.")
            save(record)
            self._runs[record.id] = run
            run.start()
        return record.id


def unfinished(runs: list[Seen]) -> Record | None:
    """The newest run that ended early, or whose process is gone."""
    with suppress(StopIteration):
        return next(seen.record for seen in runs if not seen.alive and not seen.record.state.finished)
    return None
