"""The duels of a round: judges vote, or people are waited for, until the round has said enough."""

from dataclasses import replace
from math import ceil
from time import monotonic

from optimizer.domain import RaterId
from optimizer.evolution.deciding import Look, look_at, rounds_without_new_leader, why_over
from optimizer.evolution.plan import Plan
from optimizer.evolution.record import Phase, Point, Record, State
from optimizer.evolution.tools import PATIENCE_S, Tools
from optimizer.judging.plan import Plan as JudgePlan
from optimizer.judging.plan import Seat, judge_rater
from optimizer.judging.progress import State as Sitting
from optimizer.judging.run import Run as JudgeRun
from optimizer.stats.readouts import interval_of_chance

LOOK_SHARE = 0.25  # of the thread's time may go into working the standings out


class Dueling:
    """The phase of duels of one run."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._judges: list[JudgeRun] = []
        self._seen: tuple[int, int] | None = None
        self._due = 0.0

    def step(self, record: Record) -> Record:
        """Let judges vote, or wait for people; look at the standings now and then."""
        plan = record.plan
        if plan.judges and not self._judges and self._seen is not None:  # not before the first look
            self._judges = [self._seat(plan, seat, record) for seat in plan.judges]
        over = self._judges_over()
        faulty = self._fault_of_judges(record)
        if faulty is not None:
            return faulty
        counters = self._tools.store.counters(plan.study)
        seen = counters.content_version, counters.vote_version
        if not over and (seen == self._seen or monotonic() < self._due):
            return record
        began = monotonic()
        self._seen = seen
        standings = self._tools.results.standings(self._tools.store.study(plan.study), plan.votes.chosen)
        look = look_at(standings)
        record = self._with_point(record, look)
        self._due = monotonic() + (monotonic() - began) * (1 / LOOK_SHARE - 1)
        why = why_over(look, record.votes_before, record.bad_before, plan.round_votes, plan.weak_share)
        if why is None and over:
            why = self._end_of_votes(record, look)
        if why is None:
            return record
        self.let_go()
        return self._round_over(record, look, why)

    def _seat(self, plan: Plan, seat: Seat, record: Record) -> JudgeRun:
        rater = judge_rater(plan.study, self._tools.connections.named(seat.connection), seat.settings)
        target = record.targets.get(rater.id) or self._target(plan, rater.id)
        judged = JudgePlan(plan.study, (seat,), target, until_advised=False, budget=plan.budget)
        return self._tools.judging.start(judged, self._tools.typed, ledger=self._tools.ledger)

    def _target(self, plan: Plan, rater: RaterId) -> int:
        """The votes that a judge shall have at the end of the round: the judges share it evenly."""
        ballots = self._tools.store.ballots(plan.study, rater)
        cast = sum(ballot.vote.withdrawn_at is None and not ballot.duel.replay for ballot in ballots)
        return cast + ceil(plan.round_votes / len(plan.judges))

    def _judges_over(self) -> bool:
        return bool(self._judges) and all(run.ended for run in self._judges)

    def _fault_of_judges(self, record: Record) -> Record | None:
        """The run's end when a judge cannot go on."""
        for run in self._judges:
            progress = run.progress()
            if run.ended and progress.state in (Sitting.SPENT, Sitting.STOPPED):
                state = State.SPENT if progress.state is Sitting.SPENT else State.STOPPED
                return replace(record, state=state, error=progress.last_error)
        return None

    def _end_of_votes(self, record: Record, look: Look) -> str:
        """Why the judges have ended; "" when they have not voted at all."""
        had = look.votes - record.votes_before
        if had > 0:
            return f"The judges have no more duels to judge after {had:,} votes."
        return ""

    def _with_point(self, record: Record, look: Look) -> Record:
        """The chart's next point, where anything was voted since the last one."""
        if (
            look.leader is None
            or look.votes == 0
            or (record.points and record.points[-1].votes == look.votes)
        ):
            return record
        plan = record.plan
        arms = tuple(self._tools.store.prompts(plan.study))
        place = {prompt.id: arm for arm, prompt in enumerate(arms)}
        study = self._tools.store.study(plan.study)
        posterior = self._tools.results.counted(study, plan.votes.chosen, arms).posterior()
        found = interval_of_chance(posterior, place[look.leader], place[record.first])
        chance, low, high = (float(one[0]) for one in (found.value, found.low, found.high))
        return record.with_point(Point(look.votes, record.round, look.leader, chance, low, high))

    def _round_over(self, record: Record, look: Look, why: str) -> Record:
        """On to proposals, or to the end."""
        plan = record.plan
        if not why:
            told = next((run.progress().last_error for run in self._judges), "")
            return replace(record, state=State.STOPPED, error=told or "No vote was cast in this round.")
        self._judges = []
        leaders = (*record.leaders, *([look.leader] if look.leader else []))
        record = replace(record, leaders=leaders).told(self._tools.clock(), why)
        if record.round >= plan.rounds:
            return replace(record, state=State.DONE).told(self._tools.clock(), "All rounds are played.")
        quiet = rounds_without_new_leader(leaders)
        if plan.patience and quiet >= plan.patience:
            told = f"{quiet} rounds in a row brought no better leader: the advice is to stop."
            return replace(record, state=State.ADVISED).told(self._tools.clock(), told)
        return replace(record, phase=Phase.PROPOSE, round=record.round + 1)

    def let_go(self) -> None:
        """Let the judges stop; duels of which all answers are in are still voted on."""
        for run in self._judges:
            run.cancel()
        for run in self._judges:
            run.wait(PATIENCE_S)

    def begun(self, record: Record) -> Record:
        """The duels of the round begin, on what counts so far. Round 0 counts earlier votes as its own,
        unless some prompt in use has not had its first duels.
        """
        plan = record.plan
        targets = {}
        for seat in plan.judges:
            rater = judge_rater(plan.study, self._tools.connections.named(seat.connection), seat.settings)
            targets[rater.id] = self._target(plan, rater.id)
        self._seen, self._judges = None, []
        record = replace(record, phase=Phase.DUELS, targets=targets)
        study = self._tools.store.study(plan.study)
        look = look_at(self._tools.results.standings(study, plan.votes.chosen))
        if record.round == 0 and look.introduced:
            return record
        return replace(record, votes_before=look.votes, bad_before=look.both_bad)
