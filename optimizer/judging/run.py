"""An automatic run: duels asked, judged and voted on by threads of its own; progress, cancel, wait.

Each judge has a few more threads than its connection takes calls at once, so that choosing the next
duel and storing a vote do not keep the server waiting. A vote is stored when its verdict is there; what
is interrupted is released and costs nothing but the calls made.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from time import monotonic

from optimizer.domain import Duel, new_id
from optimizer.errors import NothingToAsk, NoVerdict, PromptDuelError, ProviderError, StorageError
from optimizer.judges.base import Mark, Verdict
from optimizer.judging.docket import Docket
from optimizer.judging.plan import Plan
from optimizer.judging.progress import JudgeProgress, RunProgress, State
from optimizer.llm.budget import Ledger
from optimizer.llm.errors import BudgetSpent, CallCancelled, ConnectionFault
from optimizer.pairing import Wanted
from optimizer.stats.stopping import Advice, AdviceKind

log = logging.getLogger(__name__)

FRUITLESS_IN_A_ROW = 10  # duels without a verdict, after which something is wrong with all of them
RATE_OVER = 50  # votes
WAIT_S = 0.05
ADVICE_SHARE = 0.2  # of one thread's time may go into looking whether the votes suffice


@dataclass(slots=True, eq=False)
class Bench:
    """A judge at work: where its duels come from, what it says of one, and how that becomes a vote."""

    docket: Docket
    judge: Callable[[Duel], Verdict]
    record: Callable[[Duel, Verdict], None]
    threads: int
    answers: int  # that it asks for on one duel
    progress: JudgeProgress
    exhausted: bool = False

    def add(self, **more: int) -> None:
        known = self.progress
        self.progress = replace(known, **{name: getattr(known, name) + n for name, n in more.items()})

    @property
    def full(self) -> bool:
        """Are all its votes cast or in flight?"""
        known = self.progress
        return known.before + known.votes + known.in_flight >= known.wanted


class Run:
    """Works until the plan is done, the advice is to stop, the budget is spent, or it is cancelled."""

    def __init__(
        self,
        plan: Plan,
        benches: Sequence[Bench],
        ledger: Ledger,
        cancelled: threading.Event,
        advise: Callable[[], Advice | None],
    ) -> None:
        self.id = new_id()
        self.plan = plan
        self.ledger = ledger
        self._benches = benches
        self._cancelled = cancelled
        self._advise = advise
        self._advice: Advice | None = None
        self._advice_due = 0.0
        self._looking = threading.Lock()
        self._asking = threading.Lock()  # one duel is chosen after the other, each knowing of those before
        self._changed = threading.Condition()
        self._state = State.RUNNING
        self._threads = self._waiting = self._fruitless = 0
        self._last_error = ""
        self._times: deque[float] = deque(maxlen=RATE_OVER)
        self._began = monotonic()
        self._ended: float | None = None

    # -- for pages and commands ---------------------------------------------------------------
    def progress(self) -> RunProgress:
        """A consistent snapshot; cheap."""
        with self._changed:
            judges = tuple(bench.progress for bench in self._benches)
            rate = self._per_second()
            left = sum(max(0, j.wanted - j.before - j.votes) for j in judges)
            return RunProgress(
                self._state,
                judges,
                self.ledger.spent,
                (self._ended or monotonic()) - self._began,
                rate,
                left / rate if rate and self._state is State.RUNNING else None,
                self._waiting > 0 and self._state is State.RUNNING,
                self._last_error,
                self._advice,
            )

    def cancel(self) -> None:
        """Make no further call. A duel of which all answers are in is still voted on."""
        self._end(State.CANCELLED)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until no thread of the run is at work; False when that took longer."""
        with self._changed:
            return self._changed.wait_for(lambda: self._threads == 0, timeout_s)

    @property
    def ended(self) -> bool:
        return self._ended is not None

    # -- work ---------------------------------------------------------------------------------
    def start(self) -> None:
        """Start the threads; the process need not wait for them."""
        with self._changed:
            for bench in self._benches:
                for _ in range(bench.threads):
                    self._threads += 1
                    name = f"judge-{self.id[:6]}"
                    threading.Thread(target=self._work, args=(bench,), name=name, daemon=True).start()

    def _work(self, bench: Bench) -> None:
        sound = False
        try:
            while self._reserve(bench):
                try:
                    self._one(bench)
                finally:
                    with self._changed:
                        bench.add(in_flight=-1)
                        self._changed.notify_all()
            sound = True
        finally:
            self._leave(sound)

    def _reserve(self, bench: Bench) -> bool:
        """Take a place among the judge's votes; False when there is none left to take."""
        with self._changed:
            while self._state is State.RUNNING and not bench.exhausted:
                if bench.full and bench.progress.in_flight == 0:
                    return False
                if not bench.full and self._has_room(bench):
                    bench.add(in_flight=1)
                    return True
                self._changed.wait(1.0)  # one in flight may come to nothing, which leaves a place
            return False

    def _has_room(self, bench: Bench) -> bool:
        """Can another duel be judged to its end within the calls of the budget, after those in flight?

        A duel that breaks off between its calls has spent for nothing. The last one is tried all the same.
        """
        if self.ledger.budget.calls is None:
            return True
        ahead = sum(other.progress.in_flight * other.answers for other in self._benches)
        return ahead == 0 or self.ledger.spent.calls + ahead + bench.answers <= self.ledger.budget.calls

    def _one(self, bench: Bench) -> None:
        duel = self._ask(bench)
        if duel is None:
            return
        try:
            verdict = bench.judge(duel)
            bench.record(duel, verdict)
        except PromptDuelError as error:
            bench.docket.release(duel)
            self._came_to_nothing(bench, duel, error)
        else:
            self._count(bench, duel, verdict)
            self._look_for_advice()

    def _ask(self, bench: Bench) -> Duel | None:
        wanted: Wanted | None = None
        try:
            while True:
                with self._asking:
                    if self._state is not State.RUNNING:
                        return None
                    found = bench.docket.next(wanted)
                if isinstance(found, Duel):
                    return found
                wanted = found
                self._wait()
        except NothingToAsk as error:
            with self._changed:
                bench.exhausted = True
                self._last_error = str(error)
        except PromptDuelError as error:  # of the store, or of those who make outputs
            self._end(State.SPENT if isinstance(error, BudgetSpent) else State.STOPPED, str(error))
        return None

    def _wait(self) -> None:
        """For outputs of a duel; not at all when the run is cancelled."""
        with self._changed:
            self._waiting += 1
        self._cancelled.wait(WAIT_S)
        with self._changed:
            self._waiting -= 1

    def _came_to_nothing(self, bench: Bench, duel: Duel, error: PromptDuelError) -> None:
        log.info("no vote duel=%s rater=%s fault=%s", duel.id, duel.rater, type(error).__name__)
        if isinstance(error, CallCancelled):
            return
        if isinstance(error, BudgetSpent):
            self._end(State.SPENT, str(error))
            return
        with self._changed:
            bench.add(unread=1) if isinstance(error, NoVerdict) else bench.add(failed=1)
            self._last_error = str(error)
            self._fruitless += isinstance(error, NoVerdict | ProviderError)
        if isinstance(error, ConnectionFault | StorageError) or self._fruitless >= FRUITLESS_IN_A_ROW:
            self._end(State.STOPPED, str(error))

    def _count(self, bench: Bench, duel: Duel, verdict: Verdict) -> None:
        with self._changed:
            self._fruitless = 0
            self._times.append(monotonic())
            # Skips and replays say nothing of the ranking, but they are answers all the same.
            bench.add(
                votes=1,
                moved=int(verdict.mark is Mark.POSITION_DEPENDENT),
                undecided=int(verdict.mark is Mark.UNDECIDED),
            )
        log.info(
            "verdict duel=%s rater=%s outcome=%s margin=%.2f calls=%d tokens=%d",
            duel.id,
            duel.rater,
            verdict.outcome,
            verdict.margin,
            verdict.calls,
            verdict.tokens,
        )

    def _look_for_advice(self) -> None:
        """Whether the votes suffice, now and then, by whichever thread comes along."""
        if not self.plan.until_advised or monotonic() < self._advice_due or not self._looking.acquire(False):
            return
        try:
            began = monotonic()
            self._advice = advice = self._advise()
            took = monotonic() - began
            self._advice_due = began + took / ADVICE_SHARE
            if advice is not None and advice.kind is not AdviceKind.KEEP_GOING:
                self._end(State.ADVISED)
        except PromptDuelError as error:
            self._end(State.STOPPED, str(error))
        finally:
            self._looking.release()

    def _end(self, state: State, error: str = "") -> None:
        with self._changed:
            if self._state is State.RUNNING:
                self._state = state
                self._last_error = error or self._last_error
                if state in (State.CANCELLED, State.STOPPED):  # else duels in flight may come to their end
                    self._cancelled.set()
            self._changed.notify_all()

    def _leave(self, sound: bool) -> None:
        with self._changed:
            self._threads -= 1
            if not sound and self._state is State.RUNNING:
                self._state = State.STOPPED
                self._last_error = "A fault of the app ended this run; its log says which."
                self._cancelled.set()
            if self._threads == 0:
                if self._state is State.RUNNING:
                    self._state = State.DONE
                self._ended = monotonic()
            self._changed.notify_all()

    def _per_second(self) -> float:
        if len(self._times) < 2:
            return 0.0
        return (len(self._times) - 1) / max(self._times[-1] - self._times[0], 1e-3)
