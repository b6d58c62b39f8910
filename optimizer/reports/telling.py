"""Three duels that tell the story: one that the winner won clearly, one that split, one that it lost."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from optimizer.domain import ANSWERS, DuelId, Grade, InputId, Outcome, OutputId, PromptId
from optimizer.storage.base import Answered

MOST_QUOTED = 3  # comments, and duels that they are looked for in
KINDS = ("win", "split", "loss")
WEIGHT = {Grade.CLEARLY: 1.5, None: 1.0, Grade.SLIGHTLY: 0.6}


@dataclass(slots=True)
class Meeting:
    """All votes on one output of the winner beside one of another prompt."""

    input: InputId
    winner: OutputId
    other: OutputId
    other_prompt: PromptId
    won: int = 0
    tied: int = 0
    lost: int = 0
    balance: float = 0.0  # votes for the winner less those against it, clear ones counting more
    duels: tuple[DuelId, ...] = ()


def telling(rows: Iterable[Answered], winner: PromptId, rival: PromptId | None) -> dict[str, Meeting]:
    """By kind, as far as there are such. Of equals, the one against the runner-up, else the earliest."""
    met = list(_meetings(rows, winner))
    found: dict[str, Meeting] = {}
    wins = [one for one in met if one.balance > 0 and one.lost == 0]
    losses = [one for one in met if one.balance < 0]
    if wins:
        found["win"] = max(wins, key=lambda one: (one.balance, one.other_prompt == rival))
    split = [one for one in met if (one.won and one.lost) or (one.tied and one is not found.get("win"))]
    if split:
        found["split"] = max(
            split, key=lambda one: (min(one.won, one.lost), one.tied, one.other_prompt == rival)
        )
    losses = [one for one in losses if one is not found.get("split")]
    if losses:
        found["loss"] = max(losses, key=lambda one: (-one.balance, one.other_prompt == rival))
    return {kind: found[kind] for kind in KINDS if kind in found}


def _meetings(rows: Iterable[Answered], winner: PromptId) -> Iterable[Meeting]:
    met: dict[tuple[OutputId, OutputId], Meeting] = {}
    duels: defaultdict[tuple[OutputId, OutputId], list[DuelId]] = defaultdict(list)
    for row in rows:
        if winner == row.first:
            mine, other, prompt, ours = row.first_output, row.second_output, row.second, Outcome.FIRST
        elif winner == row.second:
            mine, other, prompt, ours = row.second_output, row.first_output, row.first, Outcome.SECOND
        else:
            continue
        place = (mine, other)
        if place not in met:
            met[place] = Meeting(row.input, mine, other, prompt)
        _count(met[place], row, ours)
        duels[place].append(row.duel)
    for place, meeting in met.items():
        meeting.duels = tuple(duels[place])
    return met.values()


def _count(meeting: Meeting, row: Answered, ours: Outcome) -> None:
    outcome, grade = ANSWERS[row.answer]
    if outcome not in (Outcome.FIRST, Outcome.SECOND):
        meeting.tied += 1
    elif outcome is ours:
        meeting.won += 1
        meeting.balance += WEIGHT[grade]
    else:
        meeting.lost += 1
        meeting.balance -= WEIGHT[grade]
