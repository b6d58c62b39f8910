"""Keeps the pool small: prompts that are almost surely not best leave it, with a note, and can come back."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from optimizer.domain import PromptId
from optimizer.newcomers import FIRST_DUELS
from optimizer.standings import Row

HOPELESS = 0.01  # probability of being the best, below which a prompt leaves
FEWEST = 3  # prompts that stay, whatever they are


@dataclass(frozen=True, slots=True)
class Leaving:
    """A prompt that should leave the pool, and why, in a sentence for its note."""

    prompt: PromptId
    reason: str


def leaving(
    rows: Sequence[Row],
    votes: int,
    most: int,
    incoming: int = 0,
    spared: Collection[PromptId] = (),
) -> tuple[Leaving, ...]:
    """Who leaves: the hopeless first, then the least hopeful while more than ``most`` would be in use.

    ``rows`` are the standings, ``incoming`` new prompts are about to enter. The leader stays, and whoever has
    not had its first duels; ``spared`` are those that a person has brought back.
    """
    active = [row for row in rows if row.prompt.retired_at is None]
    may_leave = [row for row in active[1:] if row.duels >= FIRST_DUELS and row.prompt.id not in spared]
    may_leave.sort(key=lambda row: (row.p_best, row.strength))
    left: list[Leaving] = []
    for row in may_leave:
        staying = len(active) - len(left)
        if staying <= FEWEST:
            break
        chance = "under 1 %" if row.p_best < HOPELESS else f"{100 * row.p_best:.0f} %"
        told = f"after {votes:,} votes its chance to be the best was {chance}."
        if row.p_best < HOPELESS:
            left.append(Leaving(row.prompt.id, f"Retired by the evolution: {told}"))
        elif staying + incoming > most:
            left.append(Leaving(row.prompt.id, f"Retired by the evolution to make room: {told}"))
    return tuple(left)
