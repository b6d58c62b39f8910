"""Which duel is put to another rater too, so that agreement can be known.

A share of the duels is shared; each of those goes to so many raters, and the pairs of raters who meet on
one are spread evenly. Whoever asks is given a shared duel that lacks raters, or else a fresh one: nobody
ever waits for another. All of it follows from the duels asked so far, so any process can work it out.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zlib import crc32

from optimizer.domain import Duel, DuelId, RaterId, Study
from optimizer.storage.asking import Turn, is_shared

SLACK = 1  # duels by which a rater may have met one more often than another


@dataclass(frozen=True, slots=True)
class Shared:
    """A duel to be put to another rater; ``turn`` counts how often that was done, this time included."""

    duel: DuelId
    turn: int

    @property
    def next_id(self) -> DuelId:
        """The id of the duel that repeats it: two processes that share it out at once want the same one,
        and the store lets only one of them have it."""
        return DuelId(hashlib.sha256(f"{self.duel}/{self.turn}".encode()).hexdigest()[:16])


@dataclass(slots=True)
class _Group:
    """A shared duel with everything asked of it."""

    asked: list[Turn] = field(default_factory=list)  # the original first

    @property
    def seen_by(self) -> set[RaterId]:
        """Who answered it, or has it before them."""
        return {turn.rater for turn in self.asked if turn.held}


def choose_shared(newest_first: Sequence[Turn], rater: RaterId, raters: int, share: float) -> Shared | None:
    """What this rater should see of what others were asked; None where nothing lacks raters.

    ``newest_first`` are the session's newest duels. Among those that lack raters: one whose raters this
    one has met least, then the one that lacks fewest, then the oldest. One whose raters they have met more
    than others is left to those others, as long as not too many lack raters.
    """
    if raters < 2 or share <= 0.0:
        return None
    groups: dict[DuelId, _Group] = {}
    for turn in reversed(newest_first):
        if turn.repeats is None and is_shared(turn.duel, share):
            groups[turn.duel] = _Group([turn])
        elif turn.repeats in groups:
            groups[turn.repeats].asked.append(turn)
    met: Counter[RaterId] = Counter()
    lacking: list[tuple[_Group, set[RaterId]]] = []
    for group in groups.values():
        seen = group.seen_by
        if rater in seen:
            met.update(seen)
        elif len(seen) < raters and all(turn.rater != rater for turn in group.asked):
            lacking.append((group, seen))
    if not lacking:
        return None

    def most_met(one: tuple[_Group, set[RaterId]]) -> int:
        return max((met[who] for who in one[1]), default=0)

    best = min(lacking, key=lambda one: (most_met(one), -len(one[1])))
    others = {turn.rater for turn in newest_first} - {rater}
    if most_met(best) > min(met[who] for who in others) + SLACK and len(lacking) <= len(others):
        return None
    asked = best[0].asked
    return Shared(asked[0].duel, len(asked))


def put_to(rater: RaterId, one: Duel, id: DuelId, study: Study, now: datetime) -> Duel:
    """The shared duel as it is put to this rater; they see the sides as drawn for them."""
    swap = crc32(id.encode()) % 2 == 1
    return replace(
        one,
        id=id,
        rater=rater,
        first=one.second if swap else one.first,
        second=one.first if swap else one.second,
        first_prompt=one.second_prompt if swap else one.first_prompt,
        second_prompt=one.first_prompt if swap else one.second_prompt,
        asked_at=now,
        expires_at=now + timedelta(minutes=study.settings.lease_minutes),
        repeats=one.id,
        closed_at=None,
    )
