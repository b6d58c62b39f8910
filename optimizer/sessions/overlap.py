"""Which duel is put to another rater too, so that agreement can be known.

A share of the duels is shared; each of those goes to so many raters, and the pairs of raters who meet on
one are spread evenly. Whoever asks is given a shared duel that lacks raters, or else a fresh one: nobody
ever waits for another. All of it follows from the duels asked so far, so any process can work it out.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from optimizer.domain import Duel, DuelId, RaterId

SLACK = 1  # duels by which a rater may have met one more often than another


@dataclass(frozen=True, slots=True)
class Shared:
    """A duel to be put to another rater; ``turn`` counts how often that was done, this time included."""

    duel: Duel
    turn: int

    @property
    def next_id(self) -> DuelId:
        """The id of the duel that repeats it: two processes that share it out at once want the same one,
        and the store lets only one of them have it."""
        return DuelId(hashlib.sha256(f"{self.duel.id}/{self.turn}".encode()).hexdigest()[:16])


@dataclass(slots=True)
class _Group:
    """A shared duel with everything asked of it."""

    original: Duel
    asked: list[Duel] = field(default_factory=list)  # the original first

    def seen_by(self, now: datetime) -> set[RaterId]:
        """Who answered it, or has it before them."""
        return {duel.rater for duel in self.asked if _counts(duel, now)}


def is_shared(duel: DuelId, share: float) -> bool:
    """Is this one of the duels that several raters are to see? Decided by its id, evenly."""
    return int(hashlib.sha256(duel.encode()).hexdigest()[:8], 16) < share * 2**32


def choose_shared(
    newest_first: Sequence[Duel], rater: RaterId, raters: int, share: float, now: datetime
) -> Shared | None:
    """What this rater should see of what others were asked; None where nothing lacks raters.

    ``newest_first`` are the session's newest duels. Among those that lack raters: one whose raters this
    one has met least, then the one that lacks fewest, then the oldest. One whose raters they have met more
    than others is left to those others, as long as not too many lack raters.
    """
    if raters < 2 or share <= 0.0:
        return None
    groups: dict[DuelId, _Group] = {}
    for duel in reversed(newest_first):
        if duel.replay:
            continue
        if duel.repeats is None and is_shared(duel.id, share):
            groups[duel.id] = _Group(duel, [duel])
        elif duel.repeats in groups:
            groups[duel.repeats].asked.append(duel)
    met: Counter[RaterId] = Counter()
    lacking: list[tuple[_Group, set[RaterId]]] = []
    for group in groups.values():
        seen = group.seen_by(now)
        if rater in seen:
            met.update(seen)
        elif len(seen) < raters and all(duel.rater != rater for duel in group.asked):
            lacking.append((group, seen))
    if not lacking:
        return None

    def most_met(one: tuple[_Group, set[RaterId]]) -> int:
        return max((met[who] for who in one[1]), default=0)

    best = min(lacking, key=lambda one: (most_met(one), -len(one[1])))
    others = {duel.rater for duel in newest_first} - {rater}
    if most_met(best) > min(met[who] for who in others) + SLACK and len(lacking) <= len(others):
        return None
    group = best[0]
    return Shared(group.original, len(group.asked))


def _counts(duel: Duel, now: datetime) -> bool:
    """Answered, or still open; not released on expiry."""
    return duel.expires_at > (now if duel.closed_at is None else duel.closed_at)
