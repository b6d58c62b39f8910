"""The service that pages and commands call: start a run, watch it, cancel it, go on with it."""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from optimizer.connections import Connections
from optimizer.domain import (
    Batch,
    Connection,
    Duel,
    JudgeVotes,
    Rater,
    RaterKind,
    Rubric,
    Study,
    StudyId,
    Vote,
    VoteId,
    new_id,
    utc_now,
)
from optimizer.errors import AlreadyVoted, BadInput, Conflict, NotFound
from optimizer.generation import Generation
from optimizer.judges import JUDGES, open_judge
from optimizer.judges.base import Verdict
from optimizer.judges.criteria import criteria_of
from optimizer.judging.bar import Bar
from optimizer.judging.criticism import Criticism
from optimizer.judging.docket import Docket, OutputSource
from optimizer.judging.estimate import Estimate, estimate
from optimizer.judging.latest import keep, latest
from optimizer.judging.outputs import MadeOnDemand
from optimizer.judging.plan import Plan, Seat, judge_rater
from optimizer.judging.progress import JudgeProgress
from optimizer.judging.questions import question_of
from optimizer.judging.review import Review
from optimizer.judging.rubrics import Rubrics
from optimizer.judging.rulings import written
from optimizer.judging.run import Bench, Run
from optimizer.llm.budget import NO_LIMIT, Budget, Ledger
from optimizer.llm.errors import CallCancelled
from optimizer.pairing import Pairing
from optimizer.results import Results, VoteFilter
from optimizer.stats.stopping import Advice
from optimizer.storage.base import Store

RUNS_KEPT = 50


class Judging:
    """Runs judges. Safe to share between threads; owns their threads, which end with ``close``."""

    def __init__(
        self,
        store: Store,
        pairing: Pairing,
        results: Results,
        connections: Connections,
        generation: Generation,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.rubrics = Rubrics(store, clock)
        self.bar = Bar(store, clock)
        self.review = Review(store, clock)
        self.critic = Criticism(store, self.rubrics)
        self._store = store
        self._pairing = pairing
        self._results = results
        self._connections = connections
        self._generation = generation
        self._clock = clock
        self._runs: dict[str, Run] = {}
        self._lock = threading.Lock()
        self._closed = False

    def estimate(self, plan: Plan) -> Estimate:
        """What the plan takes at most, about. Calls nobody."""
        known = {seat.connection: self._connections.named(seat.connection) for seat in plan.panel}
        return estimate(self._store, known, plan, self.rubrics.shown(plan.study))

    def start(
        self,
        plan: Plan,
        typed: Mapping[str, str] | None = None,
        generation_budget: Budget = NO_LIMIT,
        ledger: Ledger | None = None,
    ) -> Run:
        """Begin in the background. The same plan again goes on where it stopped, as each judge's votes count.

        ``typed`` are keys as in ``Connections``; ``ledger`` is an account that others spend from, too. Raises
        ``BadInput`` for a plan that cannot be, ``Conflict`` when one of its judges is at work in the study
        already or was set aside.
        """
        run = self._start(plan, ledger or Ledger(plan.budget), typed, generation_budget)
        if plan.follow and ledger is None:
            keep(self._store, plan)
        return run

    def resume(
        self,
        run: Run,
        typed: Mapping[str, str] | None = None,
        budget: Budget | None = None,
        generation_budget: Budget = NO_LIMIT,
    ) -> Run:
        """Go on with a run that has ended, on the same account; ``budget`` raises its limit."""
        plan = run.plan if budget is None else replace(run.plan, budget=budget)
        ledger = run.ledger
        ledger.budget = plan.budget
        return self._start(plan, ledger, typed, generation_budget)

    def latest(self, study: StudyId) -> Plan | None:
        """What the study's last run was to do, also one of a process that is gone; None before the first."""
        return latest(self._store, study)

    def runs(self, study: StudyId | None = None) -> list[Run]:
        """The runs of this process, newest first; of one study or of all."""
        with self._lock:
            runs = list(self._runs.values())
        return [run for run in reversed(runs) if study in (None, run.plan.study)]

    def run(self, run_id: str) -> Run:
        """``NotFound`` when this process knows no such run."""
        with self._lock:
            if run_id not in self._runs:
                raise NotFound("This run is over and forgotten. Its votes are kept.")
            return self._runs[run_id]

    def close(self, patience_s: float = 5.0) -> None:
        """Make no further call and wait for those in flight, but not for long."""
        with self._lock:
            self._closed = True
        for run in self.runs():
            run.cancel()
        for run in self.runs():
            run.wait(patience_s)

    # -- parts --------------------------------------------------------------------------------
    def _start(
        self, plan: Plan, ledger: Ledger, typed: Mapping[str, str] | None, generation_budget: Budget
    ) -> Run:
        study = self._store.study(plan.study)
        if not plan.panel or plan.duels < 1:
            raise BadInput("A run needs at least one judge and one duel.")
        cancelled = threading.Event()
        outputs = None
        if plan.outputs is not None:
            outputs = MadeOnDemand(self._generation, plan.outputs, generation_budget, typed)
        rubric = self.rubrics.current(plan.study)
        benches = [
            self._bench(plan, seat, study, rubric, ledger, cancelled, outputs, typed) for seat in plan.panel
        ]
        raters = [bench.progress.rater for bench in benches]
        if len({rater.id for rater in raters}) < len(raters):
            raise BadInput("A panel cannot hold the same judge twice.")
        run = Run(plan, benches, ledger, cancelled, lambda: self._advice(plan.study))
        with self._lock:
            if self._closed:
                raise CallCancelled("The app is stopping.")
            self._check_free({rater.id for rater in raters})
            self._runs[run.id] = run
            for old in [id for id, known in self._runs.items() if known.ended][:-RUNS_KEPT]:
                del self._runs[old]
            run.start()
        return run

    def _check_free(self, raters: set[str]) -> None:
        for run in self._runs.values():
            if not run.ended:
                for judge in run.progress().judges:
                    if judge.rater.id in raters:
                        raise Conflict(f"{judge.rater.name} is at work in this study already.")

    def _bench(
        self,
        plan: Plan,
        seat: Seat,
        study: Study,
        rubric: Rubric,
        ledger: Ledger,
        cancelled: threading.Event,
        outputs: OutputSource | None,
        typed: Mapping[str, str] | None,
    ) -> Bench:
        lane = self._connections.lane(seat.connection, typed)
        plan.budget.check(lane.connection)
        judge = open_judge(lane.under(ledger, cancelled), seat.settings)
        rater = self._joined(judge_rater(study.id, lane.connection, seat.settings))
        criteria = criteria_of(rubric.text)
        both_orders = JUDGES[seat.settings.mode].both_orders
        docket = Docket(self._store, self._pairing, plan, rater, both_orders, outputs, self._clock)
        most = lane.connection.concurrency
        return Bench(
            docket,
            lambda duel: judge.judge(question_of(self._store, study, criteria, duel)),
            self._recorder(rubric, criteria, lane.connection, seat),
            most + max(2, most // 4),
            JUDGES[seat.settings.mode].answers(seat.settings.repeats),
            JudgeProgress(rater, docket.votes, 0, plan.duels, 0, 0, 0, 0, 0),
        )

    def _joined(self, rater: Rater) -> Rater:
        with suppress(Conflict):
            self._store.add(Batch(raters=[rater]))
        known = self._store.rater(rater.id)
        if known.set_aside_at is not None:
            raise Conflict(f"{known.name} was set aside. Let it vote again first.")
        return known

    def _recorder(
        self, rubric: Rubric, criteria: tuple[str, ...], connection: Connection, seat: Seat
    ) -> Callable[[Duel, Verdict], None]:
        def record(duel: Duel, verdict: Verdict) -> None:
            vote = Vote(
                VoteId(new_id()),
                duel.study,
                duel.id,
                duel.rater,
                verdict.outcome,
                self._clock(),
                comment=verdict.reason,
                verdict=written(verdict, rubric, criteria, connection, seat.settings),
            )
            with suppress(AlreadyVoted):  # another process took the same open duel up
                self._store.add_vote(vote)
            self.bar.look(duel.study, duel.rater)

        return record

    def _advice(self, study_id: StudyId) -> Advice | None:
        """Of the votes that the study's ranking counts; of the judges' own where they stand beside it."""
        study = self._store.study(study_id)
        beside = study.settings.judge_votes == JudgeVotes.BESIDE
        chosen = VoteFilter(kind=RaterKind.JUDGE if beside else None)
        return self._results.standings(study, chosen).advice
