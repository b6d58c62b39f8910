"""Is the database sound? Everything that is kept beside the vote log against it."""

# ruff: noqa: S608 -- SQL is put together of names in this package only; values are always bound.

from collections import Counter
from collections.abc import Iterator
from typing import Any

from optimizer.domain import ANSWERS
from optimizer.storage.rows import OUTPUTS
from optimizer.storage.schema import ANSWER_COLUMNS
from optimizer.storage.sql import Db

Tallies = Counter[tuple[str, ...]]


def find_faults(db: Db) -> list[str]:
    """One sentence for each fault, in a transaction that sees all at the same moment."""
    return [
        *_wrong_counts(db),
        *_wrong_counters(db),
        *_votes_unlike_log(db),
        *_misplaced_votes(db),
        *_wrong_outputs(db),
    ]


def _wrong_counts(db: Db) -> Iterator[str]:
    """Votes counted by pair and by cell, against a recount."""
    for table, *keys in (
        ("pair_counts", "d.study", "r.kind", "d.first_prompt", "d.second_prompt"),
        ("cell_counts", "d.study", "r.kind", "d.input", "d.first_prompt", "d.second_prompt"),
    ):
        recount: Tallies = Counter()
        for *key, outcome, grade, votes in db.execute(
            f"SELECT {', '.join(keys)}, v.outcome, v.grade, count(*) "
            "FROM votes v JOIN duels d ON d.id = v.duel JOIN raters r ON r.id = v.rater "
            "WHERE v.withdrawn_at IS NULL AND d.replay = 0 AND r.set_aside_at IS NULL "
            f"GROUP BY {', '.join(keys)}, v.outcome, v.grade"
        ).fetchall():
            recount[*key, ANSWER_COLUMNS[ANSWERS.index((outcome, grade))]] = votes
        kept: Tallies = Counter()
        columns = [key.partition(".")[2] for key in keys]
        names = ", ".join((*columns, *ANSWER_COLUMNS))
        for row in db.execute(f"SELECT {names} FROM {table}").fetchall():
            for answer, votes in zip(ANSWER_COLUMNS, row[len(keys) :], strict=True):
                kept[*row[: len(keys)], answer] = votes
        yield from _differences(table, kept, recount)


def _wrong_counters(db: Db) -> Iterator[str]:
    """Duels asked by pair and input, and the counters of studies, against a recount."""
    for word, kept, recount in (
        (
            "asked_counts",
            "SELECT study, one, other, input, duels FROM asked_counts",
            "SELECT study, CASE WHEN first_prompt < second_prompt THEN first_prompt ELSE second_prompt END, "
            "CASE WHEN first_prompt < second_prompt THEN second_prompt ELSE first_prompt END, input, "
            "count(*) FROM duels GROUP BY 1, 2, 3, 4",
        ),
        (
            "the counter of duels",
            "SELECT study, duels FROM counters",
            "SELECT study, count(*) FROM duels GROUP BY study",
        ),
        (
            "the counter of votes",
            "SELECT study, votes FROM counters",
            "SELECT study, count(*) FROM votes WHERE withdrawn_at IS NULL GROUP BY study",
        ),
    ):
        yield from _differences(word, _tallies(db, kept), _tallies(db, recount))
    if db.input_counts:
        kept = "SELECT study, input, duels FROM input_counts"
        recount = "SELECT study, input, count(*) FROM duels GROUP BY study, input"
        yield from _differences("input_counts", _tallies(db, kept), _tallies(db, recount))
    for (study,) in db.execute(
        "SELECT id FROM studies WHERE id NOT IN (SELECT study FROM counters) ORDER BY seq"
    ).fetchall():
        yield f"Study {study} has no counters."


def _votes_unlike_log(db: Db) -> Iterator[str]:
    """Whether each vote stands, and its reasons and comment, against the log of its events."""
    logged: dict[str, tuple[Any, ...]] = {}  # withdrawn_at, reasons, comment
    for vote, kind, at, *notes in db.execute(
        "SELECT vote, kind, at, first_reasons, second_reasons, comment FROM vote_events ORDER BY seq"
    ):
        withdrawn_at, *noted = logged.get(vote, (None, None, None, None))
        if kind == "withdrawn":
            withdrawn_at = at
        elif kind == "restored":
            withdrawn_at = None
        else:
            noted = notes
        logged[vote] = (withdrawn_at, *noted)
    for vote, *state in db.execute(
        "SELECT id, withdrawn_at, first_reasons, second_reasons, comment FROM votes ORDER BY seq"
    ):
        if vote not in logged:
            yield f"Vote {vote} is not in the log of votes."
        elif logged[vote][0] != state[0]:
            yield f"Vote {vote} is {_standing(state[0])}; by the log it is {_standing(logged[vote][0])}."
        elif logged[vote] != tuple(state):
            yield f"The reasons or the comment of vote {vote} are not those of the log."


def _misplaced_votes(db: Db) -> Iterator[str]:
    for vote, duel in db.execute(
        "SELECT v.id, d.id FROM votes v JOIN duels d ON d.id = v.duel "
        "WHERE v.rater <> d.rater OR v.study <> d.study ORDER BY v.seq"
    ):
        yield f"Vote {vote} is not by the rater, or not of the study, that duel {duel} was asked of."
    for (duel,) in db.execute(
        "SELECT id FROM duels WHERE closed_at IS NULL "
        "AND id IN (SELECT duel FROM votes WHERE withdrawn_at IS NULL) ORDER BY seq"
    ):
        yield f"Duel {duel} is open although a vote on it stands."
    for (duel,) in db.execute(
        "SELECT d.id FROM duels d JOIN outputs a ON a.id = d.first JOIN outputs b ON b.id = d.second "
        "WHERE a.prompt <> d.first_prompt OR b.prompt <> d.second_prompt "
        "OR a.input <> d.input OR b.input <> d.input ORDER BY d.seq"
    ):
        yield f"Duel {duel} names other prompts or another input than its outputs have."


def _wrong_outputs(db: Db) -> Iterator[str]:
    """What the index of outputs says of the texts."""
    for row in db.execute(f"SELECT {OUTPUTS.listed()}, usable, length FROM outputs ORDER BY seq"):
        output = OUTPUTS.read(row[:-2])
        if (bool(row[-2]), row[-1]) != (output.usable, len(output.text)):
            yield f"The index says of output {output.id} what is not true of its text."


def _tallies(db: Db, statement: str) -> Tallies:
    return Counter({tuple(key): times for *key, times in db.execute(statement).fetchall()})


def _differences(word: str, kept: Tallies, recount: Tallies) -> Iterator[str]:
    for key in sorted(kept.keys() | recount.keys()):
        if kept[key] != recount[key]:
            yield f"In {word}, {' / '.join(key)} is {kept[key]}; a recount gives {recount[key]}."


def _standing(withdrawn_at: str | None) -> str:
    return f"withdrawn at {withdrawn_at}" if withdrawn_at else "standing"
