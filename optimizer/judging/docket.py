"""What a judge is asked next: what it had not answered, what people voted on, what is wanted, what the
selector chooses. A duel is stored before it is judged, so that selectors know of those in flight; one
that waits for its outputs is not, but those chosen after it know of it, too.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

import numpy as np

from optimizer.domain import (
    Ballot,
    Batch,
    Duel,
    DuelId,
    InputId,
    OutputId,
    PromptId,
    Rater,
    RaterId,
    RaterKind,
    Study,
    new_id,
)
from optimizer.errors import DuelClosed, NothingToAsk
from optimizer.judging.plan import Match, Plan
from optimizer.pairing import Pairing, Wanted
from optimizer.storage.asking import Desk
from optimizer.storage.base import Store

LEASE = timedelta(hours=1)  # of a judge's duel: a run that dies lets go of its pairs
REMEMBERED = 1_000  # newest duels that are looked through for open ones


class OutputSource(Protocol):
    """Sees to outputs that duels of a run lack.

    waiting    the duels that wait for theirs, of all judges of the run
    given_up   where none could be made, and why
    """

    @property
    def waiting(self) -> Sequence[Wanted]: ...

    @property
    def given_up(self) -> Mapping[tuple[PromptId, InputId], str]: ...

    def want(self, wanted: Wanted) -> None:
        """Have made what it lacks; it waits until it is dropped."""
        ...

    def making(self, wanted: Wanted) -> bool:
        """Is it still being made? False when it was given up. Raises what stops all of them."""
        ...

    def drop(self, wanted: Wanted) -> None: ...


class Docket:
    """The duels of one judge in one run. Not safe for threads: a run asks under its lock."""

    def __init__(
        self,
        store: Store,
        pairing: Pairing,
        plan: Plan,
        rater: Rater,
        both_orders: bool,
        outputs: OutputSource | None,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._pairing = pairing
        self._plan = plan
        self._rater = rater
        self._both_orders = both_orders
        self._outputs = outputs
        self._clock = clock
        self._matches = deque(plan.matches)
        seen = store.ballots(plan.study, rater.id)
        self.votes = sum(b.vote.withdrawn_at is None and not b.duel.replay for b in seen)
        done = {_pair(ballot.duel) for ballot in seen if ballot.vote.withdrawn_at is None}
        left = [d for d in store.last_duels(plan.study, rater.id, REMEMBERED) if d.closed_at is None]
        self._left = deque(reversed(left))
        self._people = deque(self._to_compare(done | {_pair(duel) for duel in left}))

    def next(self, wanted: Wanted | None = None) -> Duel | Wanted:
        """The next duel, open and stored, or one that waits for its outputs: whoever asks hands it back
        until they are there. Raises ``NothingToAsk`` at the end."""
        now = self._clock()
        while self._left and wanted is None:
            duel = self._left.popleft()
            with suppress(DuelClosed):
                self._store.renew_duel(duel.id, now + LEASE)
                return duel
        chosen = self._chosen(now, wanted)
        if isinstance(chosen, Duel):
            self._store.add(Batch(duels=[chosen]))
        return chosen

    def release(self, duel: Duel) -> None:
        """The duel got no vote; its pair is free again."""
        now = self._clock()
        with suppress(DuelClosed):
            self._store.renew_duel(duel.id, now)
            self._store.release_expired(now)

    def _chosen(self, now: datetime, wanted: Wanted | None) -> Duel | Wanted:
        if self._store.rater(self._rater.id).set_aside_at is not None:
            if self._outputs is not None and wanted is not None:
                self._outputs.drop(wanted)
            raise NothingToAsk(f"{self._rater.name} was set aside.")
        desk = self._store.asking.desk(self._plan.study, self._rater.id, now)
        study = self._on_our_terms(desk.study)
        if self._outputs is not None and wanted is not None:
            choice = self._pairing.placed(wanted) if self._pairing.stands(wanted) else None
            if choice is None and self._may_come(wanted) and self._outputs.making(wanted):
                return wanted
            self._outputs.drop(wanted)
            if choice is not None:
                return choice.duel(study, self._rater.id, now)
        rng = np.random.default_rng([study.seed, desk.counters.duels])
        if self._people:
            return self._compared(self._people.popleft(), now, rng)
        if self._matches:
            return self._matched(self._matches.popleft(), study, now, rng)
        if not self._plan.follow:
            raise NothingToAsk("All duels that were wanted are judged.")
        if self._outputs is not None:
            return self._live(study, desk, self._outputs, now)
        return self._pairing.choose(study, desk, rng).duel(study, self._rater.id, now)

    def _may_come(self, wanted: Wanted) -> bool:
        """Can its outputs still come? Not when one was held back, or something was retired meanwhile."""
        return self._pairing.content(wanted.study).makeable_on(wanted.input, wanted.first, wanted.second)

    def _live(self, study: Study, desk: Desk, outputs: OutputSource, now: datetime) -> Duel | Wanted:
        """The selector's choice, its outputs there or not; the duels that wait are as good as asked."""
        waiting = outputs.waiting
        pending = [*desk.pending, *((one.first, one.second, 1) for one in waiting)]
        counters = replace(desk.counters, duels=desk.counters.duels + len(waiting))
        rng = np.random.default_rng([study.seed, counters.duels])
        desk = replace(desk, pending=pending, counters=counters)
        try:
            choice = self._pairing.choose_live(study, desk, rng, waiting, outputs.given_up.keys())
        except NothingToAsk as error:
            if outputs.given_up:
                why = [*outputs.given_up.values()][-1]
                raise NothingToAsk(f"No more outputs could be made: {why}") from error
            raise
        if isinstance(choice, Wanted):
            outputs.want(choice)
            return choice
        return choice.duel(study, self._rater.id, now)

    def _on_our_terms(self, study: Study) -> Study:
        """The study with leases for judges; replays tell nothing of one that is asked in both orders."""
        share = 0.0 if self._both_orders else study.settings.replay_share
        minutes = LEASE.total_seconds() / 60
        return replace(study, settings=replace(study.settings, replay_share=share, lease_minutes=minutes))

    def _to_compare(self, done: set[frozenset[OutputId]]) -> list[Duel]:
        """People's newest duels that this judge has not voted on, oldest first."""
        people = {r.id for r in self._store.raters(self._plan.study) if r.kind is RaterKind.HUMAN}
        found: dict[frozenset[OutputId], Duel] = {}
        for ballot in self._store.ballots(self._plan.study) if self._plan.calibrate else ():
            if len(found) == self._plan.calibrate:
                break
            if _counts(ballot, people) and _pair(ballot.duel) not in done:
                found.setdefault(_pair(ballot.duel), ballot.duel)
        return list(reversed(found.values()))

    def _compared(self, duel: Duel, now: datetime, rng: np.random.Generator) -> Duel:
        """A person's duel, put to the judge with its sides drawn anew."""
        mine = replace(
            duel,
            id=DuelId(new_id()),
            rater=self._rater.id,
            selector="comparison",
            reason="people voted on it",
            asked_at=now,
            expires_at=now + LEASE,
            replay=False,
            repeats=duel.id,
            closed_at=None,
        )
        return swapped(mine) if rng.random() < 0.5 else mine

    def _matched(self, match: Match, study: Study, now: datetime, rng: np.random.Generator) -> Duel:
        first, second = (match.one, match.other) if rng.random() < 0.5 else (match.other, match.one)
        shown = []
        for prompt in (first, second):
            outputs = [o for o in self._store.outputs(study.id, prompt, match.input) if o.usable]
            if not outputs:
                raise NothingToAsk(
                    "A prompt has no output on an input that it shall be judged on. Generate it."
                )
            shown.append(outputs[0].id)
        return Duel(
            DuelId(new_id()), study.id, match.input, shown[0], shown[1], first, second, self._rater.id,
            "match", "wanted", False, now, now + LEASE,
        )  # fmt: skip


def swapped(duel: Duel) -> Duel:
    """The same duel with the two outputs on each other's side."""
    return replace(
        duel,
        first=duel.second,
        second=duel.first,
        first_prompt=duel.second_prompt,
        second_prompt=duel.first_prompt,
    )


def _pair(duel: Duel) -> frozenset[OutputId]:
    return frozenset((duel.first, duel.second))


def _counts(ballot: Ballot, people: Sequence[RaterId] | set[RaterId]) -> bool:
    standing = ballot.vote.withdrawn_at is None and not ballot.duel.replay
    return standing and ballot.vote.rater in people and ballot.vote.outcome != "skip"
