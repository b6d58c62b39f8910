"""Storing a batch in an open transaction: what it refers to, its rows, and what is kept counted."""

# ruff: noqa: S608 -- SQL is put together of names in this package only; values are always bound.

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlite_utils import Database

from optimizer.domain import Batch, Duel, DuelId, Input, Output, Prompt, StudyId, Vote
from optimizer.storage.counting import Counts
from optimizer.storage.rows import (
    DUELS,
    INPUTS,
    OUTPUTS,
    PROMPTS,
    RATERS,
    RUBRICS,
    STRINGS,
    STUDIES,
    VOTES,
    Noun,
    Table,
    Value,
    write_json,
    write_time,
)
from optimizer.storage.rules import Known, References, check_references, check_votes, references
from optimizer.storage.schema import ANSWER_COLUMNS

_LOG = (
    "INSERT INTO vote_events (vote, kind, at, first_reasons, second_reasons, comment) "
    "VALUES (?, ?, ?, ?, ?, ?)"
)


def add_batch(db: Database, batch: Batch, expiring: bool) -> None:
    """All of the batch; ``expiring`` refuses votes on duels whose expiry has passed."""
    known = _known(db, references(batch))
    check_references(batch, known)
    check_votes(batch, known, expiring)

    closing = {vote.duel: vote.at for vote in batch.votes if vote.withdrawn_at is None}
    duels = [
        replace(duel, closed_at=closing[duel.id]) if duel.closed_at is None and duel.id in closing else duel
        for duel in batch.duels
    ]
    _insert(db, STUDIES, batch.studies)
    _many(db, "INSERT INTO counters (study) VALUES (?)", ((study.id,) for study in batch.studies))
    _insert(db, PROMPTS, batch.prompts)
    _insert(db, INPUTS, batch.inputs)
    _insert(db, OUTPUTS, batch.outputs)
    _insert(db, RATERS, batch.raters)
    _insert(db, RUBRICS, batch.rubrics)
    _insert(db, DUELS, duels)
    _insert(db, VOTES, batch.votes)
    _many(
        db,
        "UPDATE duels SET closed_at = ? WHERE id = ?",
        ((write_time(closing[id]), id) for id in closing.keys() & known.duels.keys()),
    )
    _log_votes(db, batch.votes)
    _count_asked(db, batch.duels)
    _count_votes(db, batch, known)
    content: list[Prompt | Input | Output] = [*batch.prompts, *batch.inputs, *batch.outputs]
    for study in {noun.study for noun in content}:
        grow(db, study, content_version=1)
    for study, duels_asked in Counter(duel.study for duel in batch.duels).items():
        grow(db, study, duels=duels_asked)


def grow(
    db: Database,
    study: StudyId,
    content_version: int = 0,
    vote_version: int = 0,
    duels: int = 0,
    votes: int = 0,
) -> None:
    """Add to the counters of a study."""
    db.execute(
        "UPDATE counters SET content_version = content_version + ?, vote_version = vote_version + ?, "
        "duels = duels + ?, votes = votes + ? WHERE study = ?",
        (content_version, vote_version, duels, votes, study),
    )


def move_counts(db: Database, study: StudyId, counts: Counts) -> None:
    """Add counts, which may be negative, to those of a study."""
    for table, keys, rows in (
        ("pair_counts", ("study", "kind", "first_prompt", "second_prompt"), counts.pairs),
        ("cell_counts", ("study", "kind", "input", "first_prompt", "second_prompt"), counts.cells),
    ):
        columns = (*keys, *ANSWER_COLUMNS)
        added = ", ".join(f"{column} = {column} + excluded.{column}" for column in ANSWER_COLUMNS)
        _many(
            db,
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))}) "
            f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {added}",
            ((study, *key, *answers) for key, answers in rows.items()),
        )


def log_event(db: Database, vote: str, kind: str, at: str, notes: Sequence[Value] = (None,) * 3) -> None:
    """Append to the log of a vote; ``notes`` are its reasons and comment, where they are set."""
    _many(db, _LOG, [(vote, kind, at, *notes)])


def notes_of(vote: Vote) -> tuple[Value, Value, Value]:
    return STRINGS.write(vote.first_reasons), STRINGS.write(vote.second_reasons), vote.comment


def _log_votes(db: Database, votes: Iterable[Vote]) -> None:
    _many(db, _LOG, ((v.id, "cast", write_time(v.at), *notes_of(v)) for v in votes))
    gone = ((v.id, v.withdrawn_at) for v in votes if v.withdrawn_at is not None)
    _many(db, _LOG, ((id, "withdrawn", write_time(at), None, None, None) for id, at in gone))


def _count_asked(db: Database, duels: Iterable[Duel]) -> None:
    asked = Counter((d.study, *sorted((d.first_prompt, d.second_prompt)), d.input) for d in duels)
    _many(
        db,
        "INSERT INTO asked_counts (study, one, other, input, duels) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (study, one, other, input) DO UPDATE SET duels = duels + excluded.duels",
        ((*key, times) for key, times in asked.items()),
    )


def _count_votes(db: Database, batch: Batch, known: Known) -> None:
    standing = [vote for vote in batch.votes if vote.withdrawn_at is None]
    duels = {**known.duels, **{duel.id: duel for duel in batch.duels}}
    raters = {rater.id: rater for rater in batch.raters}
    raters |= {r.id: r for r in load(db, RATERS, {vote.rater for vote in standing} - raters.keys())}
    counts: defaultdict[StudyId, Counts] = defaultdict(Counts)
    for vote in standing:
        counts[vote.study].add_vote(vote, duels[vote.duel], raters[vote.rater])
    for study, votes in Counter(vote.study for vote in standing).items():
        grow(db, study, vote_version=1, votes=votes)
        move_counts(db, study, counts[study])


def load(db: Database, table: Table[Noun], ids: Collection[str]) -> list[Noun]:
    """Nouns by id, as far as there are such, in no order."""
    return [table.read(row) for row in _rows(db, table.name, table.listed(), ids)]


def _known(db: Database, wanted: References) -> Known:
    duels = {duel.id: duel for duel in load(db, DUELS, wanted.duels)}
    cells = _rows(db, "outputs", "id, study, prompt, input", wanted.outputs)
    return Known(
        studies=dict(_rows(db, "studies", "id, id", wanted.studies)),
        prompts=dict(_rows(db, "prompts", "id, study", wanted.prompts)),
        inputs=dict(_rows(db, "inputs", "id, study", wanted.inputs)),
        raters=dict(_rows(db, "raters", "id, study", wanted.raters)),
        outputs={id: (study, prompt, input) for id, study, prompt, input in cells},
        duels=duels,
        standing={vote.duel: vote for vote in standing_votes(db, duels.keys())},
    )


def standing_votes(db: Database, duels: Collection[DuelId]) -> list[Vote]:
    """The votes that stand on some duels: at most one on each, by the rater it was asked of."""
    where = "withdrawn_at IS NULL AND duel"
    return [VOTES.read(row) for row in _rows(db, "votes", VOTES.listed(), duels, where)]


def _rows(db: Database, table: str, columns: str, ids: Collection[str], where: str = "id") -> list[Any]:
    if not ids:
        return []
    sql = f"SELECT {columns} FROM {table} WHERE {where} IN (SELECT value FROM json_each(?))"
    return db.execute(sql, (write_json(list(ids)),)).fetchall()


def _insert(db: Database, table: Table[Noun], nouns: Iterable[Noun]) -> None:
    _many(db, table.insert, map(table.write, nouns))


def _many(db: Database, sql: str, rows: Iterable[Sequence[Value]]) -> None:
    db.conn.executemany(sql, rows)
