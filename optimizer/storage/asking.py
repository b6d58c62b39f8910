"""What handing out a duel needs of a store, in as few questions as it can be asked in.

A store on the same machine answers ten small questions nearly as fast as one large one; over a network
each is a round trip. So the path of an ask has questions of its own, ``store.asking``, of which at
most three are put for one ask: ``begin``, ``meetings``, ``hand_out``; or ``begin``, ``shown``. In a session
the desk also holds what its raters have done together, and a duel that is shared takes the place of
``meetings``.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from optimizer.domain import (
    Batch,
    Duel,
    DuelId,
    Input,
    InputId,
    Outcome,
    Output,
    PromptId,
    RaterId,
    RaterKind,
    Study,
    StudyId,
)

if TYPE_CHECKING:
    from optimizer.storage.base import Counters, PairCount, Store

SHARED = 150  # newest duels that were or may be shared, among which one is looked for
LOOKED_AT = 2000  # newest duels of a study among which those are
RECENT = 50  # newest votes of a rater from whose duels one is asked again


@dataclass(frozen=True, slots=True)
class Shown:
    """What a duel is drawn from."""

    input: Input
    first: Output
    second: Output


@dataclass(frozen=True, slots=True)
class Crowd:
    """Raters who vote together, and what asking one of them must know of all.

    raters    how their ids begin
    share     of their duels are to be seen by several (``is_shared``): the desk holds ``turns``
    counted   there is a goal: the desk holds ``answers``
    """

    raters: str
    share: float = 0.0
    counted: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """A duel reduced to what sharing it out must know. ``held``: answered, or open; not given back."""

    duel: DuelId
    repeats: DuelId | None
    rater: RaterId
    input: InputId
    first: PromptId
    second: PromptId
    held: bool


@dataclass(frozen=True, slots=True)
class Desk:
    """What choosing a rater's next duel needs; nothing in it grows with the number of votes.

    ``pending``: (first, second, how many) of open duels; ``last``: the newest duel asked of the rater;
    ``recent()``: the duels of the rater's newest votes, at most ``RECENT``, newest first. Of a crowd:
    ``turns``, its newest ``SHARED`` duels that are to be seen by several, and those that repeat others,
    newest first and without replays, among the newest ``LOOKED_AT`` of the study; ``answers``, as by
    ``Asking.answers``.
    """

    study: Study
    counters: "Counters"
    kind: RaterKind
    pending: Sequence[tuple[PromptId, PromptId, int]]
    last: Duel | None
    pair_counts: Sequence["PairCount"]
    recent: Callable[[], Sequence[Duel]]
    turns: Sequence[Turn] = ()
    answers: int = 0

    def after(self, duel: Duel) -> "Desk":
        """As it is once this duel has been asked of the desk's rater, whatever others do meanwhile."""
        first, second = duel.first_prompt, duel.second_prompt
        turn = Turn(duel.id, duel.repeats, duel.rater, duel.input, first, second, held=True)
        return replace(
            self,
            counters=replace(self.counters, duels=self.counters.duels + 1),
            pending=[*self.pending, (first, second, 1)],
            last=duel,
            turns=self.turns if duel.replay else [turn, *self.turns],
        )


@dataclass(frozen=True, slots=True)
class Meetings:
    """How many duels were asked on each input: between two prompts, either way round, and in all."""

    met: Mapping[InputId, int]
    asked: Mapping[InputId, int]


class Asking(Protocol):
    """Kept by every store as ``store.asking``; the contract tests check it against the single reads."""

    def begin(self, study: StudyId, rater: RaterId, now: datetime, crowd: Crowd | None = None) -> Duel | Desk:
        """The rater's open duel, or what choosing a new one needs. ``NotFound`` without study or rater."""
        ...

    def desk(self, study: StudyId, rater: RaterId | None, now: datetime, crowd: Crowd | None = None) -> Desk:
        """The same whether a duel is open or not; without a rater, as for any person."""
        ...

    def meetings(self, study: StudyId, one: PromptId, other: PromptId) -> Meetings: ...

    def hand_out(self, duel: Duel) -> Shown:
        """Store the duel as ``add`` would, and close duels whose expiry has passed when it is asked."""
        ...

    def shown(self, duel: Duel) -> Shown: ...

    def answers(self, study: StudyId, raters: str) -> int:
        """How many votes stand of raters whose ids begin so, who are not set aside; without skips."""
        ...


def bound(share: float) -> str:
    """Ids of duels are drawn evenly, so those below this one are such a share of them."""
    return f"{round(share * 2**32):08x}" if share < 1.0 else "~"


def is_shared(duel: DuelId, share: float) -> bool:
    """Is this one of the duels that several raters are to see? Decided by its id, evenly."""
    return duel < bound(share)


def beyond(prefix: str) -> str:
    """The least text that stands behind all that begin so."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


class ComposedAsking:
    """The same put together from single reads, for a store in memory."""

    def __init__(self, store: "Store") -> None:
        self._store = store

    def begin(self, study: StudyId, rater: RaterId, now: datetime, crowd: Crowd | None = None) -> Duel | Desk:
        return self._store.open_duel(study, rater, now) or self.desk(study, rater, now, crowd)

    def desk(self, study: StudyId, rater: RaterId | None, now: datetime, crowd: Crowd | None = None) -> Desk:
        store = self._store
        last = store.last_duels(study, rater, 1)
        return Desk(
            store.study(study),
            store.counters(study),
            RaterKind.HUMAN if rater is None else store.rater(rater).kind,
            [(first, second, times) for (first, second), times in Counter(store.pending(study, now)).items()],
            last[0] if last else None,
            store.pair_counts(study),
            lambda: [ballot.duel for ballot in store.ballots(study, rater, limit=RECENT)] if rater else [],
            self._turns(study, crowd, now) if crowd is not None and crowd.share else [],
            self.answers(study, crowd.raters) if crowd is not None and crowd.counted else 0,
        )

    def meetings(self, study: StudyId, one: PromptId, other: PromptId) -> Meetings:
        return Meetings(self._store.duels_by_input(study, one, other), self._store.duels_by_input(study))

    def hand_out(self, duel: Duel) -> Shown:
        self._store.release_expired(duel.asked_at)
        self._store.add(Batch(duels=[duel]))
        return self.shown(duel)

    def shown(self, duel: Duel) -> Shown:
        store = self._store
        return Shown(store.input(duel.input), store.output(duel.first), store.output(duel.second))

    def answers(self, study: StudyId, raters: str) -> int:
        store = self._store
        mine = [r for r in store.raters(study) if r.id.startswith(raters) and r.set_aside_at is None]
        votes = [ballot.vote for rater in mine for ballot in store.ballots(study, rater.id)]
        return sum(vote.withdrawn_at is None and vote.outcome is not Outcome.SKIP for vote in votes)

    def _turns(self, study: StudyId, crowd: Crowd, now: datetime) -> list[Turn]:
        found = [
            Turn(
                duel.id,
                duel.repeats,
                duel.rater,
                duel.input,
                duel.first_prompt,
                duel.second_prompt,
                duel.expires_at > (duel.closed_at or now),
            )
            for duel in self._store.last_duels(study, None, LOOKED_AT)
            if duel.rater.startswith(crowd.raters)
            and not duel.replay
            and (duel.repeats is not None or is_shared(duel.id, crowd.share))
        ]
        return found[:SHARED]
