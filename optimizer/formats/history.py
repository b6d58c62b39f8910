"""Votes made elsewhere: each becomes a duel that was asked and answered there, with its outputs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from optimizer.domain import (
    Duel,
    DuelId,
    Grade,
    Outcome,
    Rater,
    RaterId,
    RaterKind,
    Vote,
    VoteId,
)
from optimizer.errors import BadInput
from optimizer.formats.arrivals import Arrivals
from optimizer.formats.base import Choices, Contents, Faults, Preview, told
from optimizer.formats.fresh import fresh_ids

IMPORTED = "imported"  # stands for the selector of a duel that another tool asked
UNKNOWN_QUESTION = "(not in the file)"


@dataclass(frozen=True, slots=True)
class Side:
    """A name of what competed, and what it said; "" where the file does not hold that."""

    prompt: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Battle:
    """One vote of another tool. ``variables`` are the input that both sides answered."""

    where: str
    first: Side
    second: Side
    outcome: Outcome
    rater: str
    variables: Mapping[str, str]
    kind: RaterKind = RaterKind.HUMAN
    at: datetime | None = None
    grade: Grade | None = None
    comment: str = ""
    tags: str = ""


class History:
    """Gathers battles into the batch of one study."""

    def __init__(self, contents: Contents, choices: Choices, now: datetime, faults: Faults) -> None:
        self._arrivals = Arrivals(contents, choices, now, faults)
        self._study = contents.study
        self._now = now
        self._duel_ids, self._vote_ids, self._rater_ids = fresh_ids(), fresh_ids(), fresh_ids()
        self._faults = faults
        self._raters: dict[str, Rater] = {}
        self._duels: list[Duel] = []
        self._votes: list[Vote] = []
        self.left_out: Counter[str] = Counter()

    def add(self, battle: Battle) -> None:
        """A vote; one of a prompt against itself says nothing and is left out."""
        if battle.first.prompt.strip().casefold() == battle.second.prompt.strip().casefold():
            self.left_out["of a prompt against itself"] += 1
            return
        where = battle.where
        first = self._arrivals.prompt(battle.first.prompt, where)
        second = self._arrivals.prompt(battle.second.prompt, where)
        row = self._arrivals.input_by_variables(battle.variables, battle.tags, where)
        if first is None or second is None or row is None:
            return
        at = battle.at or self._now
        duel = Duel(
            DuelId(next(self._duel_ids)),
            self._study.id,
            row.id,
            self._arrivals.shown(first, row, battle.first.text, where).id,
            self._arrivals.shown(second, row, battle.second.text, where).id,
            first.id,
            second.id,
            self._rater(battle.rater, battle.kind).id,
            IMPORTED,
            "imported",
            audit=False,
            asked_at=at,
            expires_at=at,
            closed_at=at,
        )
        self._duels.append(duel)
        self._votes.append(
            Vote(
                VoteId(next(self._vote_ids)),
                self._study.id,
                duel.id,
                duel.rater,
                battle.outcome,
                at,
                battle.grade,
                comment=battle.comment,
            )
        )

    def preview(
        self, head: Sequence[Mapping[str, str]] = (), task: str = "", notes: Sequence[str] = ()
    ) -> Preview:
        """The study with its prompts, inputs, outputs, raters and votes."""
        made = self._arrivals.preview(tuple(head))
        batch = replace(
            made.batch,
            studies=[replace(self._study, task=task)],
            raters=list(self._raters.values()),
            duels=self._duels,
            votes=self._votes,
        )
        left_out = [f"{told(count, 'vote')} left out: {what}." for what, count in self.left_out.items()]
        summary = f"{told(len(self._votes), 'vote')} by {told(len(self._raters), 'rater')}."
        faults = made.faults
        if not self._votes and not faults:
            faults = ("No row holds a vote.",)
        return replace(made, batch=batch, notes=(summary, *made.notes, *left_out, *notes), faults=faults)

    def _rater(self, name: str, kind: RaterKind) -> Rater:
        name = name.strip()[:200] or "somebody"
        if name not in self._raters:
            self._raters[name] = Rater(RaterId(next(self._rater_ids)), self._study.id, name, kind, self._now)
        return self._raters[name]


def field(record: Mapping[str, Any], name: str) -> str:
    """A text of a record. ``BadInput`` when it is missing or no text."""
    value = record.get(name)
    if not isinstance(value, str) or not value.strip():
        raise BadInput(f"has no '{name}'" if value in (None, "") else f"has a '{name}' that is not a text")
    return value


def moment(raw: object) -> datetime | None:
    """A time given as seconds since 1970, or None where there is none."""
    if not isinstance(raw, str) or not raw.strip():
        return None
    try:
        return datetime.fromtimestamp(float(raw), UTC)
    except (ValueError, OverflowError, OSError) as fault:
        raise BadInput(f"has a time that cannot be read: '{raw}'") from fault


def spoken(conversation: object, role: str) -> str:
    """All that one role says in a conversation of messages, turns apart by a blank line."""
    if isinstance(conversation, str):
        return conversation
    if not isinstance(conversation, list):
        raise BadInput("has a conversation that is not a list of messages")
    said = []
    for turn in conversation:
        if not isinstance(turn, dict):
            raise BadInput("has a conversation that is not a list of messages")
        if turn.get("role") == role:
            said.append(_content(turn.get("content")))
    return said[0] if len(said) == 1 else "\n\n".join(said)


def _content(content: object) -> str:
    """The text of a message; of a message in parts, its texts."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = [part.get("text") if isinstance(part, dict) else part for part in content]
        return "\n".join(part for part in parts if isinstance(part, str))
    raise BadInput("has a message without content")
