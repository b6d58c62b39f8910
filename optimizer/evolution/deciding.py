"""When a round of duels has said enough: pure functions of what the votes say."""

from collections.abc import Sequence
from dataclasses import dataclass

from optimizer.domain import PromptId
from optimizer.newcomers import FIRST_DUELS
from optimizer.standings import Standings
from optimizer.stats.stopping import AdviceKind

FEWEST_FOR_WEAK = 8  # votes of a round before its share of "both bad" means anything


@dataclass(frozen=True, slots=True)
class Look:
    """What the votes say at one moment."""

    votes: int
    both_bad: int
    leader: PromptId | None
    clear: bool  # the advice is to stop: the leader is best, or nothing is better
    introduced: bool  # has every prompt in use had its first duels?


def look_at(standings: Standings) -> Look:
    """The part of the standings that a round is decided by."""
    active = [row for row in standings.rows if row.prompt.retired_at is None]
    advice = standings.advice
    return Look(
        standings.votes,
        sum(row.both_bad for row in standings.rows) // 2,
        active[0].prompt.id if active else None,
        advice is not None and advice.kind is not AdviceKind.KEEP_GOING,
        all(row.duels >= FIRST_DUELS for row in active),
    )


def why_over(
    now: Look, votes_before: int, bad_before: int, round_votes: int, weak_share: float
) -> str | None:
    """Why the round's duels are over, in a sentence; None while they are not."""
    had = now.votes - votes_before
    bad = now.both_bad - bad_before
    if had >= FEWEST_FOR_WEAK and bad >= weak_share * had:
        return f"The pool is weak: {bad:,} of {had:,} votes were “both bad”."
    if now.clear and now.introduced and had > 0:
        return f"The leader is clear after {had:,} votes."
    return f"The {round_votes:,} votes of the round are cast." if had >= round_votes else None


def rounds_without_new_leader(leaders: Sequence[PromptId | None]) -> int:
    """How many rounds at the end have had the same leader as the one before; ``leaders`` round by round."""
    quiet = 0
    for before, after in zip(reversed(leaders[:-1]), reversed(leaders[1:]), strict=True):
        if before != after:
            break
        quiet += 1
    return quiet
