"""Storing a batch in an open transaction of PostgreSQL, as ``adding`` does it in SQLite; and one vote,
by a single statement that does all of it or nothing.
"""

# ruff: noqa: S608 -- SQL is put together of names in this package only; values are always bound.

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from optimizer.domain import Batch, Duel, DuelId, Input, Output, Prompt, StudyId, Vote
from optimizer.storage.adding import notes_of
from optimizer.storage.counting import Counts
from optimizer.storage.postgres_rows import insert, values
from optimizer.storage.postgres_server import Db, sql
from optimizer.storage.rows import (
    DUELS,
    INPUTS,
    OUTPUTS,
    PROMPTS,
    RATERS,
    RUBRICS,
    STUDIES,
    VOTES,
    Noun,
    Table,
    Value,
    write_time,
)
from optimizer.storage.rules import Known, References, check_references, check_votes, references
from optimizer.storage.schema import ANSWER_COLUMNS

_LOG = (
    "INSERT INTO vote_events (vote, kind, at, first_reasons, second_reasons, comment) "
    "VALUES (%s, %s, %s, %s, %s, %s)"
)


def lock(db: Db, studies: Collection[str]) -> None:
    """Take the write locks of these studies, always in the same order; held to the end of the transaction."""
    db.execute("SELECT FROM counters WHERE study = ANY(%s) ORDER BY study FOR UPDATE", (sorted(studies),))


def studies_of(batch: Batch) -> set[StudyId]:
    """The studies that a batch writes to, new ones left out."""
    nouns = (
        batch.prompts,
        batch.inputs,
        batch.outputs,
        batch.raters,
        batch.duels,
        batch.votes,
        batch.rubrics,
    )
    return {noun.study for some in nouns for noun in some} - {study.id for study in batch.studies}


def add_batch(db: Db, batch: Batch, expiring: bool) -> None:
    """All of the batch; ``expiring`` refuses votes on duels whose expiry has passed."""
    lock(db, studies_of(batch))
    known = _known(db, references(batch))
    check_references(batch, known)
    check_votes(batch, known, expiring)

    closing = {vote.duel: vote.at for vote in batch.votes if vote.withdrawn_at is None}
    duels = [
        replace(duel, closed_at=closing[duel.id]) if duel.closed_at is None and duel.id in closing else duel
        for duel in batch.duels
    ]
    _insert(db, STUDIES, batch.studies)
    _many(db, "INSERT INTO counters (study) VALUES (%s)", ((study.id,) for study in batch.studies))
    _insert(db, PROMPTS, batch.prompts)
    _insert(db, INPUTS, batch.inputs)
    _insert(db, OUTPUTS, batch.outputs)
    _insert(db, RATERS, batch.raters)
    _insert(db, RUBRICS, batch.rubrics)
    _insert(db, DUELS, duels)
    _insert(db, VOTES, batch.votes)
    _many(
        db,
        "UPDATE duels SET closed_at = %s WHERE id = %s",
        ((write_time(closing[id]), id) for id in sorted(closing.keys() & known.duels.keys())),
    )
    _log_votes(db, batch.votes)
    _count_asked(db, batch.duels)
    _count_votes(db, batch, known)
    content: list[Prompt | Input | Output] = [*batch.prompts, *batch.inputs, *batch.outputs]
    for study in sorted({noun.study for noun in content}):
        grow(db, study, content_version=1)
    for study, duels_asked in sorted(Counter(duel.study for duel in batch.duels).items()):
        grow(db, study, duels=duels_asked)


def grow(
    db: Db, study: StudyId, content_version: int = 0, vote_version: int = 0, duels: int = 0, votes: int = 0
) -> None:
    """Add to the counters of a study."""
    db.execute(
        "UPDATE counters SET content_version = content_version + %s, vote_version = vote_version + %s, "
        "duels = duels + %s, votes = votes + %s WHERE study = %s",
        (content_version, vote_version, duels, votes, study),
    )


def move_counts(db: Db, study: StudyId, counts: Counts) -> None:
    """Add counts, which may be negative, to those of a study."""
    for table, keys, rows in (("pair_counts", PAIR, counts.pairs), ("cell_counts", CELL, counts.cells)):
        _many(db, counting(table, keys), ((study, *key, *answers) for key, answers in sorted(rows.items())))


PAIR = ("study", "kind", "first_prompt", "second_prompt")
CELL = ("study", "kind", "input", "first_prompt", "second_prompt")


def counting(table: str, keys: Sequence[str], source: str = "") -> str:
    """The statement that adds a row of answers to a table of counts: of bound values, or of a ``source``."""
    names = (*keys, *ANSWER_COLUMNS)
    added = ", ".join(f"{column} = {table}.{column} + excluded.{column}" for column in ANSWER_COLUMNS)
    return (
        f"INSERT INTO {table} ({', '.join(names)}) {source or _places(len(names))} "
        f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {added}"
    )


def log_event(db: Db, vote: str, kind: str, at: str, notes: Sequence[Value] = (None,) * 3) -> None:
    """Append to the log of a vote; ``notes`` are its reasons and comment, where they are set."""
    db.execute(_LOG, (vote, kind, at, *notes))


# One vote on an open duel, by the rater asked, before its expiry. Rows that may change meanwhile are
# locked, which makes PostgreSQL look at them as they are after the wait; so all is as if writers came
# one after the other. Without a row in its answer nothing was written, and ``add_batch`` says why.
ONE_VOTE = f"""
WITH locked AS MATERIALIZED (
    SELECT study FROM counters WHERE study = %(study)s FOR UPDATE
), duel AS MATERIALIZED (
    SELECT d.seq, d.study, d.id, d.input, d.first_prompt, d.second_prompt, r.kind,
           d.replay = 0 AND r.set_aside_at IS NULL AS counts
    FROM locked JOIN duels d ON d.study = locked.study JOIN raters r ON r.id = d.rater
    WHERE d.id = %(duel)s AND d.rater = %(rater)s AND d.closed_at IS NULL
      AND d.expires_at > %(at)s::timestamptz
    FOR UPDATE OF d FOR SHARE OF r
), vote AS (
    INSERT INTO votes ({", ".join(VOTES.columns)})
    SELECT {", ".join(f"%({column})s" for column in VOTES.columns)} FROM duel RETURNING id
), closed AS (
    UPDATE duels SET closed_at = %(at)s::timestamptz FROM duel WHERE duels.seq = duel.seq
), logged AS (
    INSERT INTO vote_events (vote, kind, at, first_reasons, second_reasons, comment)
    SELECT id, 'cast', %(at)s::timestamptz, %(first_reasons)s, %(second_reasons)s, %(comment)s FROM vote
), answer AS MATERIALIZED (
    SELECT {", ".join(f"(%(answer)s = {n})::int AS {name}" for n, name in enumerate(ANSWER_COLUMNS))}
), pair AS (
    {counting("pair_counts", PAIR, f"SELECT {', '.join(PAIR)}, answer.* FROM duel, answer WHERE counts")}
), cell AS (
    {counting("cell_counts", CELL, f"SELECT {', '.join(CELL)}, answer.* FROM duel, answer WHERE counts")}
), grown AS (
    UPDATE counters SET vote_version = vote_version + 1, votes = votes + 1
    FROM duel WHERE counters.study = duel.study
)
SELECT id FROM vote
"""


def add_one_vote(db: Db, vote: Vote) -> bool:
    """Store a standing vote by one statement; False when it cannot be stored so, and nothing was changed."""
    row = dict(zip(VOTES.columns, VOTES.write(vote), strict=True))
    return db.execute(sql(ONE_VOTE), {**row, "answer": vote.answer}).fetchone() is not None


def _log_votes(db: Db, votes: Iterable[Vote]) -> None:
    _many(db, _LOG, ((v.id, "cast", write_time(v.at), *notes_of(v)) for v in votes))
    gone = ((v.id, v.withdrawn_at) for v in votes if v.withdrawn_at is not None)
    _many(db, _LOG, ((id, "withdrawn", write_time(at), None, None, None) for id, at in gone))


def _count_asked(db: Db, duels: Iterable[Duel]) -> None:
    asked = Counter((d.study, *sorted((d.first_prompt, d.second_prompt)), d.input) for d in duels)
    _many(
        db,
        "INSERT INTO asked_counts (study, one, other, input, duels) VALUES (%s, %s, %s, %s, %s) "
        "ON CONFLICT (study, one, other, input) DO UPDATE SET duels = asked_counts.duels + excluded.duels",
        ((*key, times) for key, times in sorted(asked.items())),
    )
    _many(
        db,
        "INSERT INTO input_counts (study, input, duels) VALUES (%s, %s, %s) "
        "ON CONFLICT (study, input) DO UPDATE SET duels = input_counts.duels + excluded.duels",
        ((*key, times) for key, times in sorted(Counter((d.study, d.input) for d in duels).items())),
    )


def _count_votes(db: Db, batch: Batch, known: Known) -> None:
    standing = [vote for vote in batch.votes if vote.withdrawn_at is None]
    duels = {**known.duels, **{duel.id: duel for duel in batch.duels}}
    raters = {rater.id: rater for rater in batch.raters}
    raters |= {r.id: r for r in load(db, RATERS, {vote.rater for vote in standing} - raters.keys())}
    counts: defaultdict[StudyId, Counts] = defaultdict(Counts)
    for vote in standing:
        counts[vote.study].add_vote(vote, duels[vote.duel], raters[vote.rater])
    for study, votes in sorted(Counter(vote.study for vote in standing).items()):
        grow(db, study, vote_version=1, votes=votes)
        move_counts(db, study, counts[study])


def load(db: Db, table: Table[Noun], ids: Collection[str]) -> list[Noun]:
    """Nouns by id, as far as there are such, in no order."""
    return [table.read(row) for row in _rows(db, table.name, table.listed(), ids)]


def _known(db: Db, wanted: References) -> Known:
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


def standing_votes(db: Db, duels: Collection[DuelId]) -> list[Vote]:
    """The votes that stand on some duels: at most one on each, by the rater it was asked of."""
    where = "withdrawn_at IS NULL AND duel"
    return [VOTES.read(row) for row in _rows(db, "votes", VOTES.listed(), duels, where)]


def _rows(db: Db, table: str, names: str, ids: Collection[str], where: str = "id") -> list[Any]:
    if not ids:
        return []
    return db.execute(sql(f"SELECT {names} FROM {table} WHERE {where} = ANY(%s)"), (list(ids),)).fetchall()


def _insert(db: Db, table: Table[Noun], nouns: Iterable[Noun]) -> None:
    _many(db, insert(table), (values(table, noun) for noun in nouns))


def _many(db: Db, statement: str, rows: Iterable[Sequence[Value]]) -> None:
    waiting = list(rows)
    if waiting:
        with db.cursor() as cursor:
            cursor.executemany(sql(statement), waiting)


def _places(count: int) -> str:
    return f"VALUES ({', '.join(['%s'] * count)})"
