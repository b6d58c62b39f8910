"""Storing a batch in an open transaction: what it refers to, its rows, and what is kept counted.

Rows that are updated go in order of their keys, so that two writers cannot wait for each other.
"""

# ruff: noqa: S608 -- SQL is put together of names in this package only; values are always bound.

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace

from optimizer.domain import Batch, Duel, DuelId, Input, Output, Prompt, StudyId, Vote
from optimizer.errors import NotFound
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
    write_time,
)
from optimizer.storage.rules import (
    Known,
    References,
    check_names,
    check_references,
    check_votes,
    joining,
    references,
)
from optimizer.storage.schema import ANSWER_COLUMNS
from optimizer.storage.sql import Db

_LOG = (
    "INSERT INTO vote_events (vote, kind, at, first_reasons, second_reasons, comment) "
    "VALUES (?, ?, ?, ?, ?, ?)"
)
# The keys of the kept counts.
PAIR = ("study", "kind", "first_prompt", "second_prompt")
CELL = ("study", "kind", "input", "first_prompt", "second_prompt")


def add_batch(db: Db, batch: Batch, expiring: bool) -> None:
    """All of the batch; ``expiring`` refuses votes on duels whose expiry has passed."""
    db.lock(_studies_of(batch))
    known = _known(db, references(batch))
    check_references(batch, known)
    check_votes(batch, known, expiring)
    check_names(joining(batch), prompts_of(db, {prompt.study for prompt in joining(batch)}))

    closing = {vote.duel: vote.at for vote in batch.votes if vote.withdrawn_at is None}
    duels = [
        replace(duel, closed_at=closing[duel.id]) if duel.closed_at is None and duel.id in closing else duel
        for duel in batch.duels
    ]
    db.insert(STUDIES, batch.studies)
    db.many("INSERT INTO counters (study) VALUES (?)", ((study.id,) for study in batch.studies))
    db.insert(PROMPTS, batch.prompts)
    db.insert(INPUTS, batch.inputs)
    db.insert(OUTPUTS, batch.outputs)
    db.insert(RATERS, batch.raters)
    db.insert(RUBRICS, batch.rubrics)
    db.insert(DUELS, duels)
    db.insert(VOTES, batch.votes)
    db.many(
        "UPDATE duels SET closed_at = ? WHERE id = ?",
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
    db: Db,
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


def move_counts(db: Db, study: StudyId, counts: Counts) -> None:
    """Add counts, which may be negative, to those of a study."""
    for table, keys, rows in (("pair_counts", PAIR, counts.pairs), ("cell_counts", CELL, counts.cells)):
        db.many(counting(table, keys), ((study, *key, *answers) for key, answers in sorted(rows.items())))


def counting(table: str, keys: Sequence[str], source: str = "") -> str:
    """The statement that adds a row of answers to a table of counts: of bound values, or of a ``source``."""
    names = (*keys, *ANSWER_COLUMNS)
    places = ", ".join("?" * len(names))
    added = ", ".join(f"{column} = {table}.{column} + excluded.{column}" for column in ANSWER_COLUMNS)
    return (
        f"INSERT INTO {table} ({', '.join(names)}) {source or f'VALUES ({places})'} "
        f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {added}"
    )


def log_event(db: Db, vote: str, kind: str, at: str, notes: Sequence[Value] = (None,) * 3) -> None:
    """Append to the log of a vote; ``notes`` are its reasons and comment, where they are set."""
    db.many(_LOG, [(vote, kind, at, *notes)])


def notes_of(vote: Vote) -> tuple[Value, Value, Value]:
    return STRINGS.write(vote.first_reasons), STRINGS.write(vote.second_reasons), vote.comment


def _log_votes(db: Db, votes: Sequence[Vote]) -> None:
    db.many(_LOG, ((v.id, "cast", write_time(v.at), *notes_of(v)) for v in votes))
    gone = ((v.id, v.withdrawn_at) for v in votes if v.withdrawn_at is not None)
    db.many(_LOG, ((id, "withdrawn", write_time(at), None, None, None) for id, at in gone))


def _count_asked(db: Db, duels: Sequence[Duel]) -> None:
    asked = Counter((d.study, *sorted((d.first_prompt, d.second_prompt)), d.input) for d in duels)
    db.many(
        "INSERT INTO asked_counts (study, one, other, input, duels) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (study, one, other, input) DO UPDATE SET duels = asked_counts.duels + excluded.duels",
        ((*key, times) for key, times in sorted(asked.items())),
    )
    if db.input_counts:
        db.many(
            "INSERT INTO input_counts (study, input, duels) VALUES (?, ?, ?) "
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
    return [table.read(row) for row in db.among(f"SELECT {table.listed()} FROM {table.name} WHERE id", ids)]


def prompts_of(db: Db, studies: Collection[StudyId]) -> list[Prompt]:
    """All prompts of these studies, in no order."""
    rows = db.among(f"SELECT {PROMPTS.listed()} FROM prompts WHERE study", studies)
    return [PROMPTS.read(row) for row in rows]


def get(db: Db, table: Table[Noun], id: str) -> Noun:
    """The noun of this id, or ``NotFound``."""
    for noun in load(db, table, [id]):
        return noun
    raise NotFound(f"No {table.word} {id!r}.")


def _known(db: Db, wanted: References) -> Known:
    duels = {duel.id: duel for duel in load(db, DUELS, wanted.duels)}
    cells = db.among("SELECT id, study, prompt, input FROM outputs WHERE id", wanted.outputs)
    return Known(
        studies=dict(db.among("SELECT id, id FROM studies WHERE id", wanted.studies)),
        prompts=dict(db.among("SELECT id, study FROM prompts WHERE id", wanted.prompts)),
        inputs=dict(db.among("SELECT id, study FROM inputs WHERE id", wanted.inputs)),
        raters=dict(db.among("SELECT id, study FROM raters WHERE id", wanted.raters)),
        outputs={id: (study, prompt, input) for id, study, prompt, input in cells},
        duels=duels,
        standing={vote.duel: vote for vote in standing_votes(db, duels.keys())},
    )


def standing_votes(db: Db, duels: Collection[DuelId]) -> list[Vote]:
    """The votes that stand on some duels: at most one on each, by the rater it was asked of."""
    statement = f"SELECT {VOTES.listed()} FROM votes WHERE withdrawn_at IS NULL AND duel"
    return [VOTES.read(row) for row in db.among(statement, duels)]


def _studies_of(batch: Batch) -> set[StudyId]:
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
