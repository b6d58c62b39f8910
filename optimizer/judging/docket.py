"""What a judge is asked next: what it had not answered, what people voted on, what is wanted, what the
selector chooses. A duel is stored before it is judged, so that selectors know of those in flight.
"""

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from time import monotonic
from typing import Protocol

import numpy as np

from optimizer.domain import (
    Ballot,
    Batch,
    Duel,
    DuelId,
    OutputId,
    Rater,
    RaterId,
    RaterKind,
    Study,
    StudyId,
    new_id,
)
from optimizer.errors import DuelClosed, NothingToAsk
from optimizer.judging.plan import Match, Plan
from optimizer.pairing import Choice, Pairing
from optimizer.storage.base import Store

LEASE = timedelta(hours=1)  # of a judge's duel: a run that dies lets go of its pairs
REMEMBERED = 1_000  # newest duels that are looked through for open ones
PATIENCE_S = 60.0  # with outputs on their way, before a pair meets an input again
PATIENCE_IDLE_S = 1.0  # with none, until it has been looked whether more are needed


class NotYet(Exception):
    """Nothing can be asked now, but outputs are on their way."""


class OutputSource(Protocol):
    """Sees to outputs that duels need."""

    def prepare(self, study: StudyId, rater: RaterId) -> bool:
        """Have made what this rater's next duels need; False when nothing is lacking or on its way."""
        ...


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
        self._waiting_since: float | None = None
        self._matches = deque(plan.matches)
        seen = store.ballots(plan.study, rater.id)
        self.votes = sum(b.vote.withdrawn_at is None and not b.duel.replay for b in seen)
        done = {_pair(ballot.duel) for ballot in seen if ballot.vote.withdrawn_at is None}
        left = [d for d in store.last_duels(plan.study, rater.id, REMEMBERED) if d.closed_at is None]
        self._left = deque(reversed(left))
        self._people = deque(self._to_compare(done | {_pair(duel) for duel in left}))

    def next(self) -> Duel:
        """The next duel, open and stored. Raises ``NothingToAsk`` at the end, ``NotYet`` before it."""
        now = self._clock()
        while self._left:
            duel = self._left.popleft()
            with suppress(DuelClosed):
                self._store.renew_duel(duel.id, now + LEASE)
                return duel
        duel = self._chosen(now)
        self._store.add(Batch(duels=[duel]))
        return duel

    def release(self, duel: Duel) -> None:
        """The duel got no vote; its pair is free again."""
        now = self._clock()
        with suppress(DuelClosed):
            self._store.renew_duel(duel.id, now)
            self._store.release_expired(now)

    def _chosen(self, now: datetime) -> Duel:
        if self._store.rater(self._rater.id).set_aside_at is not None:
            raise NothingToAsk(f"{self._rater.name} was set aside.")
        more = self._prepared()
        # Read after that, so that outputs which have come since are seen.
        desk = self._store.asking.desk(self._plan.study, self._rater.id, now)
        study = self._on_our_terms(desk.study)
        rng = np.random.default_rng([study.seed, desk.counters.duels])
        if self._people:
            return self._compared(self._people.popleft(), now, rng)
        if self._matches:
            return self._matched(self._matches.popleft(), study, now, rng)
        if not self._plan.follow:
            raise NothingToAsk("All duels that were wanted are judged.")
        try:
            choice = self._pairing.choose(study, desk, rng)
        except NothingToAsk as error:
            if more:
                raise NotYet from error
            raise
        if self._outputs is not None and self._too_soon(choice, more):
            raise NotYet
        return choice.duel(study, self._rater.id, now)

    def _too_soon(self, choice: Choice, more: bool) -> bool:
        """Would a pair meet an input again although better may come? A judge may be quicker than whoever
        makes the outputs: without patience it would spend its votes on the few that are there."""
        met = self._store.duels_by_input(self._plan.study, choice.first.prompt, choice.second.prompt)
        if choice.replays is not None or not met.get(choice.input):
            self._waiting_since = None
            return False
        if self._waiting_since is None:
            self._waiting_since = monotonic()
        return monotonic() - self._waiting_since < (PATIENCE_S if more else PATIENCE_IDLE_S)

    def _prepared(self) -> bool:
        """Are outputs on their way for what the selector will choose, where it is its turn?"""
        if self._outputs is None or self._people or self._matches or not self._plan.follow:
            return False
        return self._outputs.prepare(self._plan.study, self._rater.id)

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
