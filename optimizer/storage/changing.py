"""Changing what is stored, in an open transaction: votes withdrawn, restored and noted; nouns replaced."""

# ruff: noqa: S608 -- SQL is put together of names in this package only; values are always bound.

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from optimizer.domain import ANSWERS, Duel, DuelId, Input, Prompt, Rater, Study, Vote, VoteId
from optimizer.errors import Conflict, DuelClosed
from optimizer.storage.adding import (
    get,
    grow,
    log_event,
    move_counts,
    notes_of,
    prompts_of,
    standing_votes,
)
from optimizer.storage.counting import Counts
from optimizer.storage.rows import (
    DUELS,
    INPUTS,
    PROMPTS,
    RATERS,
    STUDIES,
    VOTES,
    Table,
    Value,
    merged_settings,
    write_time,
)
from optimizer.storage.rules import CHANGEABLE, check_change, check_names, check_storable
from optimizer.storage.sql import Db

Changeable = TypeVar("Changeable", Study, Prompt, Input, Rater)
Held = TypeVar("Held", Vote, Duel)


def _locked(db: Db, table: Table[Held], id: str) -> Held:
    """As ``get``, after waiting for other writers of its study."""
    db.lock([get(db, table, id).study])
    return get(db, table, id)


def withdraw(db: Db, id: VoteId, at: datetime, reopen_until: datetime | None) -> None:
    vote = _locked(db, VOTES, id)
    if vote.withdrawn_at is not None:
        raise Conflict("This vote is withdrawn already.")
    db.execute("UPDATE votes SET withdrawn_at = ? WHERE id = ?", (write_time(at), id))
    log_event(db, id, "withdrawn", write_time(at))
    if reopen_until is not None:
        db.execute(
            "UPDATE duels SET closed_at = NULL, expires_at = ? WHERE id = ?",
            (write_time(reopen_until), vote.duel),
        )
    _recount(db, vote, -1)


def restore(db: Db, id: VoteId, at: datetime) -> None:
    vote = _locked(db, VOTES, id)
    if vote.withdrawn_at is None:
        raise Conflict("This vote stands already.")
    if standing_votes(db, [vote.duel]):
        raise Conflict("Another vote on this duel stands. Withdraw that one first.")
    db.execute("UPDATE votes SET withdrawn_at = NULL WHERE id = ?", (id,))
    db.execute(
        "UPDATE duels SET closed_at = ? WHERE id = ? AND closed_at IS NULL", (write_time(at), vote.duel)
    )
    log_event(db, id, "restored", write_time(at))
    _recount(db, replace(vote, withdrawn_at=None), +1)


def note(
    db: Db,
    id: VoteId,
    first_reasons: Sequence[str],
    second_reasons: Sequence[str],
    comment: str,
    at: datetime,
) -> None:
    first, second = tuple(first_reasons), tuple(second_reasons)
    noted = replace(_locked(db, VOTES, id), first_reasons=first, second_reasons=second, comment=comment)
    check_storable([noted])
    db.execute(
        "UPDATE votes SET first_reasons = ?, second_reasons = ?, comment = ? WHERE id = ?",
        (*notes_of(noted), id),
    )
    log_event(db, id, "noted", write_time(at), notes_of(noted))


def renew(db: Db, id: DuelId, expires_at: datetime) -> None:
    if _locked(db, DUELS, id).closed_at is not None:
        raise DuelClosed("This duel is closed. Ask for the next one.")
    db.execute("UPDATE duels SET expires_at = ? WHERE id = ?", (write_time(expires_at), id))


def replace_noun(db: Db, noun: Study | Prompt | Input | Rater) -> None:
    """Store what may change. Its study's lock is taken here."""
    if not isinstance(noun, Study):
        db.lock([noun.study])
    match noun:
        case Study():
            db.lock([noun.id])
            stored = db.execute("SELECT settings FROM studies WHERE id = ?", (noun.id,)).fetchall()
            _change(db, STUDIES, noun)
            settings = merged_settings(stored[0][0], noun.settings)
            db.execute("UPDATE studies SET settings = ? WHERE id = ?", (settings, noun.id))
        case Prompt():
            if _change(db, PROMPTS, noun).name != noun.name:
                check_names([noun], prompts_of(db, [noun.study]))
            grow(db, noun.study, content_version=1)
        case Input():
            _change(db, INPUTS, noun)
            grow(db, noun.study, content_version=1)
        case Rater():
            old = _change(db, RATERS, noun)
            if (old.set_aside_at is None) != (noun.set_aside_at is None):
                move_counts(db, noun.study, _counts_of(db, noun, +1 if noun.set_aside_at is None else -1))
                grow(db, noun.study, vote_version=1)


def _change(db: Db, table: Table[Changeable], noun: Changeable) -> Changeable:
    """Write what may change; returns what was there."""
    old = get(db, table, noun.id)
    check_change(old, noun)
    values: dict[str, Value] = dict(zip(table.columns, table.write(noun), strict=False))
    columns: Sequence[str] = CHANGEABLE[type(noun)]
    db.execute(
        f"UPDATE {table.name} SET {', '.join(f'{column} = ?' for column in columns)} WHERE id = ?",
        (*(values[column] for column in columns), noun.id),
    )
    return old


def _counts_of(db: Db, rater: Rater, times: int) -> Counts:
    """What the rater's standing votes add to the counts, so many times."""
    counts = Counts()
    rows = db.execute(
        "SELECT d.input, d.first_prompt, d.second_prompt, v.outcome, v.grade, count(*) "
        "FROM votes v JOIN duels d ON d.id = v.duel "
        "WHERE v.study = ? AND v.rater = ? AND v.withdrawn_at IS NULL AND d.replay = 0 "
        "GROUP BY d.input, d.first_prompt, d.second_prompt, v.outcome, v.grade",
        (rater.study, rater.id),
    )
    for input, first, second, outcome, grade, votes in rows.fetchall():
        counts.add(rater.kind, input, first, second, ANSWERS.index((outcome, grade)), votes * times)
    return counts


def _recount(db: Db, vote: Vote, times: int) -> None:
    """Count a vote, given as standing, once more or once less."""
    counts = Counts()
    counts.add_vote(vote, get(db, DUELS, vote.duel), get(db, RATERS, vote.rater), times)
    move_counts(db, vote.study, counts)
    grow(db, vote.study, vote_version=1, votes=times)
