"""One vote on PostgreSQL, by a single statement that does all of it or nothing."""

# ruff: noqa: S608 -- SQL is put together of names in this package only; values are always bound.

from optimizer.domain import Vote
from optimizer.storage.adding import CELL, PAIR, counting
from optimizer.storage.postgres_db import PostgresDb
from optimizer.storage.rows import VOTES
from optimizer.storage.schema import ANSWER_COLUMNS

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


def add_one_vote(db: PostgresDb, vote: Vote) -> bool:
    """Store a standing vote by one statement; False when it cannot be stored so, and nothing was changed."""
    row = dict(zip(VOTES.columns, VOTES.write(vote), strict=True))
    return db.execute(ONE_VOTE, {**row, "answer": vote.answer}).fetchone() is not None
